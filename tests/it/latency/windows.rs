//! Windows of the last seconds, and resets.

use airside_tests::harness::{Server, Setup, WAIT, parse_metrics, poll_until};
use serde_json::Value;

use super::{count, page};

const HELLO: &str = "by=&route=/hello";

fn in_window(server: &Server, window: &str) -> u64 {
    count(&page(server, &format!("{HELLO}&window={window}")), &[])
}

fn poll_window(server: &Server, window: &str, expected: u64) {
    poll_until(&format!("{expected} requests within {window}"), WAIT, || {
        (in_window(server, window) == expected).then_some(())
    });
}

#[test]
fn windows_age_out() {
    let server = Setup::new().guest("hello").start();
    let mut client = server.client();
    // All in one second: they may fall into two intervals, of which the last one is seen on its own.
    (0..5).for_each(|_| assert_eq!(client.get("/hello").status, 200));
    poll_window(&server, "10s", 5);
    assert_eq!((in_window(&server, "1m"), in_window(&server, "5m")), (5, 5));
    poll_window(&server, "1s", 0);
    assert_eq!((in_window(&server, "10s"), in_window(&server, "all")), (5, 5));
    poll_window(&server, "10s", 0);
    assert_eq!((in_window(&server, "1m"), in_window(&server, "all")), (5, 5));
}

#[test]
fn windows_say_where_they_begin_and_end() {
    let server = Setup::new().guest("hello").start();
    let seconds = |page: &Value| page["seconds"].as_f64().unwrap();
    let last = poll_until("a complete second", WAIT, || {
        let page = page(&server, "window=1s");
        (seconds(&page) > 0.0).then_some(page)
    });
    assert!((0.5..5.0).contains(&seconds(&last)), "{last}");
    assert!(last["start"].as_str() < last["end"].as_str());
    let first = page(&server, "window=all");
    let second = page(&server, "window=all");
    assert_eq!(first["start"], second["start"]);
    assert!(first["end"].as_str() < second["end"].as_str(), "{first} {second}");
}

#[test]
fn a_post_resets_and_a_get_does_not() {
    let server = Setup::new().guest("hello").start();
    let mut client = server.client();
    (0..4).for_each(|_| assert_eq!(client.get("/hello").status, 200));
    (0..2).for_each(|_| assert_eq!(in_window(&server, "all"), 4));
    let start = page(&server, "")["start"].clone();
    let answer = client.post("/debug/latency", "");
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("reset: window=all begins at 2"), "{}", answer.text());
    assert_eq!(in_window(&server, "all"), 0);
    assert!(page(&server, "")["start"].as_str() > start.as_str());
    assert_eq!(client.get("/hello").status, 200);
    assert_eq!(in_window(&server, "all"), 1);
    // The last seconds are what they were, and no counter falls.
    poll_window(&server, "10s", 5);
    let families = parse_metrics(&server.get("/metrics").text()).unwrap();
    let labels = [("function", "hello"), ("route", "/hello"), ("outcome", "answered")];
    let name = "airside_requests_total";
    assert_eq!(families[name].value(name, &labels), Some(5.0));
}
