//! Requests that are answered, in every form that HTTP allows.

use std::collections::BTreeSet;
use std::time::SystemTime;

use airside_tests::harness::{Client, Response, Server, Setup, WAIT, poll_until};

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
