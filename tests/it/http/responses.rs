//! What stands in every response, and what in some.

use std::collections::BTreeSet;
use std::time::SystemTime;

use airside_tests::harness::{Client, Response, Server, Setup, WAIT, poll_until};

fn echo() -> Server {
    Setup::new().guest("echo").guest("hello").start()
}

#[test]
fn head_has_the_header_of_get_and_no_body() {
    let setup = Setup::new().guest("hello").guest("big");
    let route = |name: &str| serde_json::json!({ "type": "http", "path": format!("/{name}-head"), "methods": ["HEAD", "GET"], "function": name });
    let server = setup.route(route("hello")).route(route("big")).start();
    let mut client = server.client();
    for path in ["/hello-head", "/big-head", "/health", "/metrics"] {
        client.request("HEAD", path);
        let head = client.receive_head().unwrap();
        let get = client.get(path);
        assert_eq!(head.status, 200, "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        let length = head.header("content-length").unwrap().parse::<usize>().unwrap();
        // The metrics have changed in between.
        assert!(length == get.body.len() || path == "/metrics", "{path}: {length}");
    }
}

#[test]
fn the_server_and_the_date_are_in_every_response() {
    let server = echo();
    let mut names = BTreeSet::new();
    let mut client = server.client();
    for path in ["/hello", "/nowhere", "/health"] {
        let response = client.get(path);
        names.insert(response.header("server").unwrap().to_owned());
        check_date(&response);
    }
    client.send("no request\r\n\r\n");
    let refused = client.receive();
    names.insert(refused.header("server").unwrap().to_owned());
    check_date(&refused);
    assert_eq!(names, BTreeSet::from(["airside".to_owned()]));
}

/// IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`, and no more than a few seconds ago.
#[track_caller]
fn check_date(response: &Response) {
    const DAY: u64 = 86_400;
    let date = response.header("date").unwrap();
    let shape: String = date
        .chars()
        .map(|c| match c {
            'A'..='Z' => 'A',
            'a'..='z' => 'a',
            '0'..='9' => '0',
            other => other,
        })
        .collect();
    assert_eq!(shape, "Aaa, 00 Aaa 0000 00:00:00 AAA", "{date}");
    assert!(date.ends_with(" GMT"), "{date}");
    let parts = date[17..25].split(':').map(|part| part.parse::<u64>().unwrap());
    let second_of_day = parts.fold(0, |seconds, part| seconds * 60 + part);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!((now % DAY + DAY - second_of_day) % DAY < 5, "{date} is not now");
}

#[test]
fn the_date_goes_on() {
    let server = echo();
    let mut client = server.client();
    let mut seen = BTreeSet::new();
    poll_until("three seconds", WAIT, || {
        let response = client.get("/hello");
        check_date(&response);
        seen.insert(response.header("date").unwrap().to_owned());
        (seen.len() == 3).then_some(())
    });
}

#[test]
fn the_server_can_be_called_tarmac() {
    let server = Setup::new().guest("hello").set("http_server_name", "tarmac").start();
    assert_eq!(server.get("/hello").header("server"), Some("tarmac"));
    assert_eq!(server.get("/nowhere").header("server"), Some("tarmac"));
}

#[test]
fn content_types_are_sniffed() {
    let server = echo();
    let rows: [(&[u8], Option<&str>); 10] = [
        (b"", None),
        (b"plain text", Some("text/plain; charset=utf-8")),
        (b"{\"json\": true}", Some("text/plain; charset=utf-8")),
        (b"  <!DOCTYPE HTML><p>", Some("text/html; charset=utf-8")),
        (b"<html><body>", Some("text/html; charset=utf-8")),
        (b"<?xml version=\"1.0\"?>", Some("text/xml; charset=utf-8")),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some("image/png")),
        (b"GIF89a\x01\0", Some("image/gif")),
        (b"%PDF-1.7", Some("application/pdf")),
        (b"\x01\x02\x03", Some("application/octet-stream")),
    ];
    let mut client: Client = server.client();
    for (body, content_type) in rows {
        let response = client.post("/echo", body);
        assert_eq!(response.header("content-type"), content_type, "{}", body.escape_ascii());
        assert_eq!(response.body, body);
    }
}
