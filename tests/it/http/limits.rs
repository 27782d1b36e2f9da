//! What is too long, too much or too slow.

use std::time::{Duration, Instant};

use airside_tests::harness::{Setup, WAIT};

#[test]
fn lengths_are_limited_to_the_byte() {
    let server = Setup::new()
        .guest("echo")
        .set("http_target_bytes_max", 100)
        .set("http_head_bytes_max", 1000)
        .set("http_headers_max", 10)
        .set("http_body_bytes_max", 50)
        .start();
    let target = |length: usize| {
        format!("POST /echo?{} HTTP/1.1\r\nHost: a\r\n\r\n", "q".repeat(length - 6))
    };
    let head = |length: usize| {
        let rest = "POST /echo HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(length - rest))
    };
    let headers = |count: usize| {
        format!("POST /echo HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: x\r\n".repeat(count - 1))
    };
    let body = |length: usize| {
        let body = "b".repeat(length);
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let chunks = |length: usize| {
        let body = "1\r\nb\r\n".repeat(length);
        format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n"
        )
    };
    let rows = [
        (200, target(100)),
        (414, target(101)),
        (200, head(1000)),
        (431, head(1001)),
        (200, headers(10)),
        (431, headers(11)),
        (200, body(50)),
        (413, body(51)),
        (200, chunks(50)),
        (413, chunks(51)),
    ];
    for (status, request) in rows {
        let mut client = server.client();
        client.send(&request);
        let response = client.receive();
        assert_eq!(response.status, status, "{request:?}: {response:?}");
        assert_eq!(response.closes(), status != 200, "{request:?}");
    }
}

#[test]
fn a_head_without_end_is_refused() {
    let server = Setup::new().guest("echo").start();
    for (status, start) in [(414, "GET /"), (431, "GET / HTTP/1.1\r\nHost: a\r\nX: ")] {
        let mut client = server.client();
        client.send(start);
        client.send("x".repeat(100_000));
        assert_eq!(client.receive().status, status);
    }
}

#[test]
fn slow_requests_time_out() {
    const TIMEOUT: Duration = Duration::from_millis(300);
    let millis = TIMEOUT.as_millis();
    // The setting, and what is sent before the silence.
    let rows = [
        ("http_header_timeout_ms", "GET /echo HTTP/1.1\r\nHost"),
        (
            "http_body_timeout_ms",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nbody",
        ),
        (
            "http_body_timeout_ms",
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        ),
    ];
    for (setting, sent) in rows {
        let server = Setup::new().guest("echo").set(setting, millis).start();
        let mut client = server.client();
        let started = Instant::now();
        client.send(sent);
        let response = client.receive();
        let took = started.elapsed();
        assert_eq!(response.status, 408, "{sent:?}: {response:?}");
        assert!(response.closes(), "{sent:?}");
        assert!(took >= TIMEOUT && took < WAIT, "{sent:?}: {took:?}");
        assert_eq!(client.rest(), b"", "{sent:?}");
    }
}

#[test]
fn a_head_that_trickles_times_out() {
    let server = Setup::new().guest("echo").set("http_header_timeout_ms", 300).start();
    let mut client = server.client();
    client.send("GET /echo HTTP/1.1\r\n");
    // Each byte comes well within the time, the whole head does not.
    while client.stays_open(Duration::from_millis(50)) {
        client.send("X: x\r\n");
    }
    assert_eq!(client.receive().status, 408);
}

#[test]
fn idle_connections_are_closed_without_a_word() {
    const TIMEOUT: Duration = Duration::from_millis(300);
    let server =
        Setup::new().guest("hello").set("http_idle_timeout_ms", TIMEOUT.as_millis()).start();
    let mut fresh = server.client();
    let mut used = server.client();
    assert_eq!(used.get("/hello").status, 200);
    let started = Instant::now();
    assert_eq!(used.rest(), b"");
    assert!(started.elapsed() >= TIMEOUT.mul_f32(0.9), "{:?}", started.elapsed());
    assert_eq!(fresh.rest(), b"");
}

#[test]
fn a_peer_that_does_not_read_is_given_up() {
    let server = Setup::new().guest("big").set("http_write_timeout_ms", 300).start();
    let mut client = server.client();
    // More than the sockets of both sides hold.
    for _ in 0..64 {
        client.request("GET", "/big");
    }
    let metrics = || server.get("/metrics").text();
    airside_tests::harness::poll_until("the connection's end", WAIT, || {
        metrics().contains("\nairside_connections_timed_out_total 1\n").then_some(())
    });
    assert!(client.rest().len() < 64 << 20);
}
