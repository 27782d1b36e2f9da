//! Requests that are refused: by their status, with the connection closed, and without a second one smuggled behind.

use airside_tests::harness::{Server, Setup};

/// What must never be run: it stands behind the request that is refused.
const SMUGGLED: &str = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

fn server() -> Server {
    Setup::new().guest("echo").guest("hello").set("http_body_bytes_max", 1000).start()
}

#[track_caller]
fn check(server: &Server, status: u16, request: &[u8]) {
    let shown = request.escape_ascii();
    let mut client = server.client();
    client.send(request);
    client.send(SMUGGLED);
    let response = client.receive();
    assert_eq!(response.status, status, "{shown}: {response:?}");
    assert!(response.closes(), "{shown}: {response:?}");
    assert_eq!(client.rest(), b"", "{shown}: the connection went on");
}

#[test]
fn bad_heads_are_refused() {
    let server = server();
    let rows: [(u16, &str); 42] = [
        (400, "GET /hello HTTP/1.1\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
        (400, "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
        (400, "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /hello  HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /he llo HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /hello\r\n\r\n"),
        (400, "GET hello HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /hello#part HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /hel\0lo HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "G(T /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET http://user@a/hello HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /hello http/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /hello HTTP/1.10\r\nHost: a\r\n\r\n"),
        (505, "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n"),
        (505, "GET /hello HTTP/1.2\r\nHost: a\r\n\r\n"),
        (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (400, "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0"),
        (400, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1"),
        (400, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n1"),
        (400, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n1"),
        (400, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n1"),
        (400, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n1"),
        (
            400,
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            400,
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        ),
        (400, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
        (400, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (400, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        (
            501,
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        ),
        (417, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: magic\r\n\r\n1"),
    ];
    for (status, request) in rows {
        check(&server, status, request.as_bytes());
    }
    assert_eq!(server.get("/hello").status, 200);
}

#[test]
fn bad_chunks_are_refused() {
    let server = server();
    let rows: [(u16, &str); 14] = [
        (400, "x\r\n\r\n"),
        (400, "\r\n\r\n"),
        (400, "-5\r\nhello\r\n0\r\n\r\n"),
        (400, "0x5\r\nhello\r\n0\r\n\r\n"),
        (400, "5\nhello\r\n0\r\n\r\n"),
        (400, "5\rhello\r\n0\r\n\r\n"),
        (400, "5\r\nhello0\r\n\r\n"),
        (400, "5\r\nhello!\r\n0\r\n\r\n"),
        (400, "5\r\nhello\n0\r\n\r\n"),
        (400, "5;\0\r\nhello\r\n0\r\n\r\n"),
        (400, "0\r\nno trailer\r\n\r\n"),
        (400, "10000000000000000\r\nhello\r\n0\r\n\r\n"),
        (413, "3e9\r\n"),
        (413, "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    ];
    for (status, chunks) in rows {
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&server, status, format!("{head}{chunks}").as_bytes());
    }
}

#[test]
fn what_came_before_a_bad_request_is_answered() {
    let server = server();
    let mut client = server.client();
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
    assert_eq!(client.receive().text(), "Hello, World!");
    assert_eq!(client.receive().status, 400);
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_refusal_reaches_a_client_that_goes_on_sending() {
    let server = server();
    let mut client = server.client();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    client.send("x".repeat(100_000));
    assert_eq!(client.receive().status, 413);
    // A connection closed at once is reset by what still comes, and the reset can overtake the response.
    for _ in 0..20 {
        client.try_send("x".repeat(1000)).expect("the server drops what comes too late");
    }
    client.finish();
    assert_eq!(client.rest(), b"");
}
