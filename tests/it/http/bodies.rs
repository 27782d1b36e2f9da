//! Bodies of requests: by length, in chunks, and asked for.

use std::time::Duration;

use airside_tests::harness::{Server, Setup};

fn echo() -> Server {
    Setup::new().guest("echo").start()
}

#[test]
fn chunked_bodies_are_put_together() {
    let server = echo();
    let rows = [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("0005\r\nhello\r\n000\r\n\r\n", "hello"),
        ("5;name=value\r\nhello\r\n0;last\r\n\r\n", "hello"),
        ("5 ; name=\"quoted; \\\" value\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n0\r\nTrailer: value\r\nOther: one\r\n\r\n", "hello"),
        ("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
    ];
    let mut client = server.client();
    for (chunks, body) in rows {
        client.send(format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
        ));
        let response = client.receive();
        assert_eq!((response.status, response.text().as_str()), (200, body), "{chunks:?}");
    }
}

#[test]
fn large_bodies_come_back_whole() {
    let server = echo();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut client = server.client();
    for _ in 0..3 {
        let response = client.post("/echo", &body);
        assert_eq!(response.status, 200);
        assert!(response.body == body, "the body changed on its way");
    }
}

#[test]
fn the_client_is_told_to_send_its_body() {
    let server = echo();
    let mut client = server.client();
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        client.send(format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\n{framing}\r\nExpect: 100-continue\r\n\r\n"
        ));
        assert_eq!(client.receive().status_line, "HTTP/1.1 100 Continue", "{framing}");
        client.send(if framing.starts_with('C') { "hello" } else { "5\r\nhello\r\n0\r\n\r\n" });
        assert_eq!(client.receive().text(), "hello", "{framing}");
    }
}

#[test]
fn expectations_of_http_1_0_are_not_known() {
    let server = echo();
    let mut client = server.client();
    client.send("POST /echo HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert!(client.stays_open(Duration::from_millis(100)), "it said something");
    client.send("hello");
    let response = client.receive();
    assert_eq!((response.status, response.text().as_str()), (200, "hello"));
}

#[test]
fn a_body_that_comes_unasked_needs_no_word() {
    let server = echo();
    let mut client = server.client();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    );
    let mut response = client.receive();
    if response.status == 100 {
        response = client.receive();
    }
    assert_eq!((response.status, response.text().as_str()), (200, "hello"));
}

#[test]
fn a_body_that_would_be_refused_is_not_asked_for() {
    let server = Setup::new().guest("echo").set("http_body_bytes_max", 1000).start();
    let rows = [("/echo", 1001, 413), ("/nowhere", 5, 404)];
    for (path, length, status) in rows {
        let mut client = server.client();
        client.send(format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        ));
        let response = client.receive();
        assert_eq!(response.status, status, "{path}");
        // The client may leave the body out now, or send it: no bytes that follow can be told to be a request.
        assert!(response.closes(), "{path}: {response:?}");
        client.request("GET", "/hello");
        assert_eq!(client.rest(), b"", "{path}");
    }
}

#[test]
fn methods_without_a_body_for_the_guest() {
    let setup = Setup::new().guest("echo");
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let route = serde_json::json!({ "type": "http", "path": "/any", "methods": methods, "function": "echo" });
    let server = setup.route(route).start();
    let mut client = server.client();
    for (method, given) in [("GET", ""), ("DELETE", ""), ("POST", "body"), ("PUT", "body")] {
        client.send(format!("{method} /any HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"));
        let response = client.receive();
        assert_eq!((response.status, response.text().as_str()), (200, given), "{method}");
    }
}
