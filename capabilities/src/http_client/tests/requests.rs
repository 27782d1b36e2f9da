//! What upstreams are sent, and what guests are told when nothing can be sent.

use super::upstream::{Upstream, ok};
use super::*;

#[test]
fn upstreams_see_what_go_would_send() {
    run(async {
        let upstream = Upstream::start(|_| ok("hello")).await;
        let client = client(config());
        let host = upstream.address.to_string();
        let check = async |request: HttpRequest<'_>, line: &str, headers: &[&str], body: &str| {
            let response = client.call(&request).await.unwrap();
            assert_eq!((response.code, &*response.body), (200, &b"hello"[..]));
            let seen = upstream.seen.borrow_mut().pop().unwrap();
            assert_eq!(seen.line, line);
            let host = format!("host: {host}");
            let agent = format!("user-agent: {OUR_AGENT}");
            let mut expected: Vec<&str> = headers.to_vec();
            expected.push(&host);
            if !headers.iter().any(|header| header.starts_with("user-agent")) {
                expected.push(&agent);
            }
            expected.retain(|header| *header != "user-agent");
            expected.sort_unstable();
            assert_eq!(seen.headers, expected, "{line}");
            assert_eq!(seen.body, body, "{line}");
        };
        let url = upstream.url("/a%20b?c=%20d");
        check(get(&url), "GET /a%20b?c=%20d HTTP/1.1", &[], "").await;
        let url = upstream.url("");
        let none = ["content-length: 0"];
        check(get(&url), "GET / HTTP/1.1", &[], "").await;
        check(post(&url, ""), "POST / HTTP/1.1", &none, "").await;
        check(post(&url, "body"), "POST / HTTP/1.1", &["content-length: 4"], "body").await;
        let other = |method: &'static str| HttpRequest { method: method.into(), ..get(&url) };
        check(other("PUT"), "PUT / HTTP/1.1", &none, "").await;
        check(other("DELETE"), "DELETE / HTTP/1.1", &[], "").await;
        // A method is any token, and its case counts.
        check(other("get"), "get / HTTP/1.1", &[], "").await;
        check(other("PROPFIND"), "PROPFIND / HTTP/1.1", &[], "").await;
        // The guest's headers; those that are ours to say are passed over.
        let request = post(&url, "xyz")
            .with("X-Two", " second ")
            .with("Host", "elsewhere")
            .with("Content-Length", "999")
            .with("Transfer-Encoding", "chunked")
            .with("Trailer", "X-Two")
            .with("X-Empty", "")
            .with("X-One", "café");
        let headers = ["content-length: 3", "x-two: second", "x-empty: ", "x-one: café"];
        check(request, "POST / HTTP/1.1", &headers, "xyz").await;
        let request = get(&url).with("X-A", "replaced").with("x-a", "kept");
        check(request, "GET / HTTP/1.1", &["x-a: kept"], "").await;
        let mut request = get(&url).with("X-A", "1").with("X-A", "2");
        request.headers[1].is_further = true;
        check(request, "GET / HTTP/1.1", &["x-a: 1", "x-a: 2"], "").await;
        check(get(&url).with("User-Agent", "mine"), "GET / HTTP/1.1", &["user-agent: mine"], "")
            .await;
        check(get(&url).with("User-Agent", ""), "GET / HTTP/1.1", &["user-agent"], "").await;
        // The URL's credentials, unless the guest gives some.
        let url = format!("http://us%40er:p:w@{}/", upstream.address);
        let basic = "authorization: Basic dXNAZXI6cDp3";
        check(get(&url), "GET / HTTP/1.1", &[basic], "").await;
        let request = get(&url).with("authorization", "Bearer t");
        check(request, "GET / HTTP/1.1", &["authorization: Bearer t"], "").await;
    });
}

#[test]
fn names_of_headers_are_capitalised_on_the_wire() {
    run(async {
        let upstream = super::upstream::raw(async |mut stream, _| {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut head = vec![0; 4096];
            let len = stream.read(&mut head).await.unwrap();
            head.truncate(len);
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n");
            stream.write_all(&[answer.as_bytes(), &head].concat()).await.unwrap();
        })
        .await;
        let response = client(config()).call(&get(&upstream).with("x-my-own", "1")).await.unwrap();
        let head = String::from_utf8(response.body.to_vec()).unwrap();
        assert!(head.contains("\r\nX-My-Own: 1\r\n") && head.contains("\r\nHost: "), "{head}");
    });
}

#[test]
fn in_compat_mode_the_agent_is_gos() {
    run(async {
        let upstream = Upstream::start(|_| ok("")).await;
        let client = client(HttpClientConfig { compat: true, ..config() });
        client.call(&get(&upstream.url("/"))).await.unwrap();
        let seen = upstream.seen.borrow_mut().pop().unwrap();
        assert_eq!(seen.header("user-agent"), Some("Go-http-client/1.1"));
    });
}

#[test]
fn what_cannot_be_sent_is_said_in_gos_words() {
    run(async {
        let client = client(config());
        let check = async |request: HttpRequest<'_>, expected: &str| {
            assert_eq!(text(client.call(&request).await.unwrap_err()), expected);
        };
        let method = HttpRequest { method: "G T".into(), ..get("http://h/") };
        check(method, r#"create: net/http: invalid method "G T""#).await;
        check(get("http://h:x/"), r#"create: parse "http://h:x/": invalid port ":x" after host"#)
            .await;
        check(get("ftp://h/"), r#"execute: Get "ftp://h/": unsupported protocol scheme "ftp""#)
            .await;
        check(get(""), r#"execute: Get "": unsupported protocol scheme """#).await;
        check(post("/p", ""), r#"execute: Post "/p": unsupported protocol scheme """#).await;
        check(get("http:///p"), r#"execute: Get "http:///p": http: no Host in request URL"#).await;
        let connect = HttpRequest { method: "CONNECT".into(), ..get("http://h/") };
        check(connect, r#"execute: Connect "http://h/": the method CONNECT is not supported"#)
            .await;
        check(
            get("http://127.0.0.1/").with("X A", "1"),
            r#"execute: Get "http://127.0.0.1/": net/http: invalid header field name "X A""#,
        )
        .await;
        check(
            get("http://127.0.0.1/").with("X-A", "secret\r\nX-B: 1"),
            r#"execute: Get "http://127.0.0.1/": net/http: invalid header field value for "X-A""#,
        )
        .await;
    });
}

#[test]
fn an_upstream_that_is_not_there_is_named() {
    run(async {
        let (client, backend) = client_with(config(), Bounds::default(), None);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = format!("http://user:password@{address}/path?key=secret");
        let expected = format!(
            r#"execute: Get "http://{address}/path": dial tcp {address}: connect: connection refused"#
        );
        assert_eq!(text(client.call(&get(&url)).await.unwrap_err()), expected);
        let error = text(client.call(&get("http://nowhere.invalid/")).await.unwrap_err());
        let start = r#"execute: Get "http://nowhere.invalid/": dial tcp: lookup nowhere.invalid: "#;
        assert!(error.starts_with(start), "{error}");
        assert_eq!(backend.counts().failures, [2, 0, 0, 0]);
        until("no connection is counted", || backend.counts().connections == 0).await;
    });
}

#[test]
fn a_call_by_name_starts_no_thread() {
    let started = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&started);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        })
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let upstream = Upstream::start(|_| ok("hello")).await;
        let url = format!("http://localhost:{}/", upstream.address.port());
        let response = client(config()).call(&get(&url)).await.unwrap();
        assert_eq!(&*response.body, b"hello");
    });
    assert_eq!(started.load(std::sync::atomic::Ordering::Relaxed), 0);
}
