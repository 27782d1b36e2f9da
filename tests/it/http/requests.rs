//! Requests that are answered, in every form that HTTP allows, and in their order.

use std::time::{Duration, Instant};

use airside_tests::harness::{Server, Setup};

fn echo() -> Server {
    Setup::new().guest("echo").guest("hello").start()
}

/// Sends bytes on a connection of their own and reads all that comes until the server closes it.
#[track_caller]
fn exchange(server: &Server, bytes: &str) -> String {
    let mut client = server.client();
    client.send(bytes);
    String::from_utf8(client.rest()).unwrap()
}

#[test]
fn a_connection_serves_request_after_request() {
    let server = echo();
    let mut client = server.client();
    for number in 0..100 {
        let body = format!("body {number}");
        let response = client.post("/echo", &body);
        assert_eq!((response.status, response.text()), (200, body));
        assert_eq!(response.header("connection"), None);
    }
}

#[test]
fn connection_headers_of_both_versions_are_honoured() {
    let server = echo();
    // Version, the request's Connection, whether it stays open, the response's Connection.
    let rows = [
        ("1.1", None, true, None),
        ("1.1", Some("keep-alive"), true, None),
        ("1.1", Some("close"), false, Some("close")),
        ("1.1", Some("Close"), false, Some("close")),
        ("1.1", Some("x, close"), false, Some("close")),
        ("1.0", None, false, None),
        ("1.0", Some("keep-alive"), true, Some("keep-alive")),
        ("1.0", Some("close"), false, None),
    ];
    for (version, connection, stays, answered) in rows {
        let field = connection.map(|value| format!("Connection: {value}\r\n")).unwrap_or_default();
        let mut client = server.client();
        client.send(format!("GET /hello HTTP/{version}\r\nHost: a\r\n{field}\r\n"));
        let response = client.receive();
        let row = format!("HTTP/{version} {connection:?}");
        assert_eq!((response.status, response.header("connection")), (200, answered), "{row}");
        assert_eq!(response.text(), "Hello, World!", "{row}");
        if stays {
            assert_eq!(client.get("/hello").status, 200, "{row}");
        } else {
            assert_eq!(client.rest(), b"", "{row}");
        }
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = echo();
    let mut client = server.client();
    // Bodies of every size: none, in one write with others, larger than what is copied.
    let bodies: Vec<String> =
        (0..200).map(|n| format!("{n}-").repeat(if n % 50 == 49 { 20_000 } else { n })).collect();
    let requests: String = bodies
        .iter()
        .map(|body| {
            let length = body.len();
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}")
        })
        .collect();
    std::thread::scope(|scope| {
        // While the answers are read: both directions together are more than the sockets hold.
        let mut writer = client.try_clone().unwrap();
        scope.spawn(move || writer.send(requests));
        for (number, body) in bodies.iter().enumerate() {
            let response = client.receive();
            assert_eq!(response.status, 200, "{number}");
            assert!(response.text() == *body, "answer {number} is another request's");
        }
    });
}

#[test]
fn pipelined_responses_leave_in_one_write() {
    const REQUESTS: usize = 64;
    let server = echo();
    let mut client = server.client();
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n".repeat(REQUESTS));
    // What comes with the first is what was written with it.
    assert_eq!(client.receive().status, 200);
    assert_eq!(client.received().matches("HTTP/1.1 200 OK\r\n").count(), REQUESTS - 1);
}

#[test]
fn a_fast_answer_does_not_wait_for_a_slow_one() {
    let keys = serde_json::json!({ "timeout_ms": 2000 });
    let server = Setup::new().guest("hello").guest_with("spin", keys).start();
    let mut client = server.client();
    let started = Instant::now();
    client.send(
        ["/hello", "/spin", "/hello"]
            .map(|path| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .concat(),
    );
    assert_eq!(client.receive().status, 200);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(1500), "the first of three answers took {took:?}");
    assert_eq!((client.receive().status, client.receive().status), (504, 200));
}

#[test]
fn nothing_follows_the_last_response() {
    let server = echo();
    let mut client = server.client();
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client.request("GET", "/hello");
    assert_eq!(client.receive().status, 200);
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_client_that_only_sends_is_answered_before_the_end() {
    let server = echo();
    let mut client = server.client();
    client.request("GET", "/hello");
    client.finish();
    assert_eq!(client.receive().text(), "Hello, World!");
    assert_eq!(client.rest(), b"");
}

#[test]
fn bytes_may_come_one_by_one() {
    let server = echo();
    let mut client = server.client();
    client.send_one_by_one("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.receive().text(), "Hello, World!");
    client.send_one_by_one("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbytes");
    assert_eq!(client.receive().text(), "bytes");
    client.send_one_by_one(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nby\r\n3;a=b\r\ntes\r\n0\r\nT: t\r\n\r\n",
    );
    assert_eq!(client.receive().text(), "bytes");
}

#[test]
fn every_form_of_target_reaches_its_route() {
    let server = echo();
    let rows = [
        "GET /hello HTTP/1.1\r\nHost: a\r\n",
        "GET /hello?query HTTP/1.1\r\nHost: a\r\n",
        "GET /hell%6f HTTP/1.1\r\nHost: a\r\n",
        "GET http://a/hello HTTP/1.1\r\nHost: a\r\n",
        "GET http://a:80/hello?x=/y HTTP/1.1\r\nHost: a:80\r\n",
        "GET HTTP://other/hello HTTP/1.1\r\nHost: a\r\n",
        "GET /hello HTTP/1.1\r\nhost:a\r\n",
        "GET /hello HTTP/1.1\r\nHost: [::1]:8080\r\n",
        "GET /hello HTTP/1.0\r\n",
        "\r\nGET /hello HTTP/1.1\r\nHost: a\r\n",
    ];
    for request in rows {
        let mut client = server.client();
        client.send(format!("{request}\r\n"));
        let response = client.receive();
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "Hello, World!"),
            "{request:?}"
        );
    }
    let all = exchange(&server, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(all.starts_with("HTTP/1.1 200 "), "{all}");
    assert!(all.contains("\r\nAllow: "), "{all}");
}
