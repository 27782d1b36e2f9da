//! Bounds of a call: time, the length of the answer, names that nobody has.

use std::time::{Duration, Instant};

use airside_tests::harness::services::Nginx;

use super::{get, setup};

#[test]
fn an_answer_that_is_too_long_is_an_error() {
    let nginx = Nginx::shared();
    nginx.file("1000", &[b'x'; 1000]);
    nginx.file("1001", &[b'x'; 1001]);
    let limited = || setup().set("http_client_max_response_body_size", 1000);
    let server = limited().start();
    let mut client = server.client();
    assert_eq!(get(&mut client, &nginx.url("/files/1000")).unwrap().body.len(), 1000);
    let error = get(&mut client, &nginx.url("/files/1001")).unwrap_err();
    let begin = "Unexpected error reading HTTP response body - ";
    let limit = "it is longer than the limit of 1000 bytes";
    assert!(error.starts_with(begin) && error.ends_with(limit), "{error}");
    // Tarmac cuts it and says nothing.
    let server = limited().set("tarmac_compat", true).start();
    let cut = get(&mut server.client(), &nginx.url("/files/1001")).unwrap();
    assert_eq!((cut.code, cut.body.len()), (200, 1000));
}

#[test]
fn a_call_takes_no_longer_than_it_may() {
    const TIMEOUT: Duration = Duration::from_millis(300);
    let nginx = Nginx::shared();
    nginx.file("ten_seconds", &[b'x'; 10_000]);
    let server = setup().set("http_client_timeout_ms", TIMEOUT.as_millis()).start();
    let asked = Instant::now();
    let error = get(&mut server.client(), &nginx.url("/slow/ten_seconds")).unwrap_err();
    assert!(asked.elapsed() < TIMEOUT + Duration::from_secs(2), "{:?}", asked.elapsed());
    let reason =
        "context deadline exceeded (Client.Timeout or context cancellation while reading body)";
    assert_eq!(error, format!("Unexpected error reading HTTP response body - {reason}"));
}

#[test]
fn a_name_that_nobody_has_is_named() {
    let server = setup().start();
    let error = get(&mut server.client(), "http://nowhere.invalid/").unwrap_err();
    let begin = "Unable to execute HTTP request - Get \"http://nowhere.invalid/\": \
                 dial tcp: lookup nowhere.invalid: ";
    assert!(error.starts_with(begin), "{error}");
    assert_eq!(server.get("/ready").status, 200);
}
