//! Interval logs that are read as they are made.

use std::time::Instant;

use airside_tests::harness::{Client, Server, Setup, WAIT, poll_until};
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use rustix::process::Signal;

use super::decoded;

const FOLLOW: &str = "/debug/latency?format=hlog&by=&route=/hello&follow=1s";
/// As many as the server serves at once.
const FOLLOWERS_MAX: usize = 8;

fn follow(server: &Server) -> Client {
    let mut client = server.client();
    client.request("GET", FOLLOW);
    let head = client.receive_head().expect("a head");
    assert_eq!((head.status, head.header("transfer-encoding")), (200, Some("chunked")));
    client
}

/// Values in all intervals of a log that was cut off anywhere.
fn values(log: &str) -> u64 {
    let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
    let entries = IntervalLogIterator::new(whole.as_bytes());
    let intervals = entries.map(|entry| match entry.expect("a log") {
        LogEntry::Interval(interval) => decoded(interval.encoded_histogram()).len(),
        _ => 0,
    });
    intervals.sum()
}

#[test]
fn a_follower_sees_every_request_once() {
    let server = Setup::new().guest("hello").start();
    let mut follower = follow(&server);
    let mut client = server.client();
    let (mut log, mut sent) = (String::new(), 0);
    // Long enough for several intervals.
    let begun = Instant::now();
    while begun.elapsed().as_secs() < 3 {
        assert_eq!(client.get("/hello").status, 200);
        sent += 1;
    }
    while values(&log) < sent {
        let chunk = follower.receive_chunk().expect("another interval");
        log.push_str(&String::from_utf8(chunk).expect("text"));
    }
    assert_eq!(values(&log), sent);
    assert!(log.starts_with("#[Histogram log format version 1.3]\n"), "{log}");
}

#[test]
fn a_drain_ends_the_log() {
    let mut server = Setup::new().guest("hello").start();
    let mut follower = follow(&server);
    assert!(follower.receive_chunk().expect("the header").starts_with(b"#[Histogram"));
    server.signal(Signal::TERM);
    let rest = String::from_utf8(follower.rest()).expect("text");
    assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
    assert!(server.wait().success());
}

#[test]
fn followers_are_bounded_and_those_that_leave_make_room() {
    let server = Setup::new().guest("hello").start();
    let followers: Vec<_> = (0..FOLLOWERS_MAX).map(|_| follow(&server)).collect();
    let refused = server.get(FOLLOW);
    assert_eq!((refused.status, refused.text().as_str()), (503, "8 clients follow already\n"));
    drop(followers);
    poll_until("room for a follower", WAIT, || {
        let mut client = server.client();
        client.request("GET", FOLLOW);
        client.receive_head().ok().filter(|head| head.status == 200)
    });
}

#[test]
fn old_clients_and_heads_are_answered_too() {
    let server = Setup::new().guest("hello").start();
    let mut old = server.client();
    old.send(format!("GET {FOLLOW} HTTP/1.0\r\n\r\n"));
    let head = old.receive_head().expect("a head");
    assert_eq!((head.status, head.header("transfer-encoding")), (200, None));
    poll_until("the log's header", WAIT, || {
        old.receive_some().ok();
        old.received().contains("\"StartTimestamp\"").then_some(())
    });
    let mut client = server.client();
    client.request("HEAD", FOLLOW);
    let head = client.receive_head().expect("a head");
    assert_eq!((head.status, head.closes()), (200, true));
    assert!(client.rest().is_empty());
}
