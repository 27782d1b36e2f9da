//! Every row of the HTTP client, in protobuf of both forms and in JSON, against a real server.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

use super::{Callees, Caller, Capabilities, Guest, host_call};
use crate::backend::tests::Lines;
use crate::backend::{Backend, Network, ShardBackend};
use crate::dns::{DnsConfig, Resolver};
use crate::http_client::{HttpClient, HttpClientConfig};
use crate::payload::messages::{
    self, Header, HttpClientResponse, HttpClientResponseWithTexts, HttpClientWithTexts, Status,
};
use crate::tls::{Roots, install_provider};

const BODY_BYTES_MAX: u64 = 8;

pub(super) fn client() -> HttpClient {
    install_provider();
    let resolver = Resolver::new(&DnsConfig::from_system()).unwrap();
    let network = Network { resolver, roots: Roots::load(None).unwrap() };
    let backend = Backend::new("http", "any host", 1, Arc::new(Lines::default()));
    let config = HttpClientConfig {
        timeout: Duration::from_secs(20),
        body_bytes_max: BODY_BYTES_MAX,
        compat: false,
    };
    HttpClient::new(&config, &network, ShardBackend::new(&backend))
}

/// A server that answers the same to everything, and what it was sent.
async fn serve(answer: &'static [u8]) -> (String, Rc<RefCell<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let seen = Rc::new(RefCell::new(String::new()));
    let log = Rc::clone(&seen);
    spawn_local(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let len = stream.read(&mut request).await.unwrap();
            *log.borrow_mut() = String::from_utf8_lossy(&request[..len]).into_owned();
            stream.write_all(answer).await.unwrap();
        }
    });
    (url, seen)
}

/// One call by a guest: the error's text, and the payload.
async fn call(payload: &[u8]) -> (String, Vec<u8>) {
    let guest = Guest::new();
    let capabilities = Capabilities { http: Some(client()), ..guest.capabilities };
    let operation = capabilities.resolve(host_call("tarmac", "httpclient", "call")).unwrap();
    let mut response = b"left over".to_vec();
    let (caller, callees) = (Caller { function: "caller" }, Callees::default());
    let result = capabilities.call(operation, payload, &caller, &callees, &mut response).await;
    (result.err().map(|error| error.to_string()).unwrap_or_default(), response)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

fn request(method: &str, url: &str) -> messages::HttpClient {
    let (method, url) = (method.to_owned(), url.to_owned());
    messages::HttpClient { method, url, ..messages::HttpClient::default() }
}

fn status(code: i32, status: &str) -> Option<Status> {
    Some(Status { code, status: status.to_owned() })
}

fn header(values: &[&str]) -> Header {
    Header { values: values.iter().map(|&value| value.to_owned()).collect() }
}

const TEAPOT: &[u8] =
    b"HTTP/1.1 418 Short\r\nX-Many: a\r\nX-Many: b\r\nContent-Length: 3\r\n\r\nhi!";

#[test]
fn any_answer_is_ok_and_keeps_its_code() {
    run(async {
        let (url, seen) = serve(TEAPOT).await;
        let mut message = request("PUT", &url);
        message.headers = HashMap::from([("x-a".to_owned(), header(&["1", "2"]))]);
        message.body = b"body".to_vec();
        let (error, response) = call(&message.encode_to_vec()).await;
        assert_eq!(error, "");
        let expected = HttpClientResponse {
            status: status(200, "OK"),
            code: 418,
            headers: HashMap::from([
                ("x-many".to_owned(), header(&["a", "b"])),
                ("content-length".to_owned(), header(&["3"])),
            ]),
            body: b"hi!".to_vec(),
        };
        assert_eq!(HttpClientResponse::decode(&*response).unwrap(), expected);
        let sent = seen.take();
        assert!(sent.starts_with("PUT / HTTP/1.1\r\n") && sent.ends_with("\r\n\r\nbody"), "{sent}");
        assert!(sent.contains("X-A: 1\r\nX-A: 2\r\n"), "{sent}");
    });
}

#[test]
fn a_guest_of_the_older_form_is_answered_in_it() {
    run(async {
        let (url, seen) = serve(TEAPOT).await;
        let headers = HashMap::from([("x-a".to_owned(), "1".to_owned())]);
        let message = HttpClientWithTexts { url, headers, ..HttpClientWithTexts::default() };
        let (error, response) = call(&message.encode_to_vec()).await;
        assert_eq!(error, "");
        let response = HttpClientResponseWithTexts::decode(&*response).unwrap();
        assert_eq!((response.code, &*response.headers["x-many"]), (418, "a"));
        assert!(seen.take().starts_with("GET / HTTP/1.1\r\n"));
    });
}

#[test]
fn json() {
    run(async {
        let (url, seen) = serve(b"HTTP/1.1 201 Made\r\nX-A: <b>\r\nX-A: c\r\n\r\nhi!").await;
        let payload = format!(
            r#"{{"method":"POST","headers":{{"X-B":"b"}},"url":"{url}","body":"Ym9keQ=="}}"#
        );
        let (error, response) = call(payload.as_bytes()).await;
        assert_eq!(error, "");
        assert_eq!(
            String::from_utf8(response).unwrap(),
            r#"{"status":{"code":200,"status":"OK"},"code":201,"headers":{"x-a":"\u003cb\u003e"},"body":"aGkh"}"#
        );
        let sent = seen.take();
        assert!(sent.contains("\r\nX-B: b\r\n") && sent.ends_with("\r\n\r\nbody"), "{sent}");
    });
}

#[test]
fn refusals_in_both_encodings() {
    let check = |method: &str, url: &str, code: u16, text: &str| {
        run(async {
            let (error, response) = call(&request(method, url).encode_to_vec()).await;
            assert_eq!(error, text);
            let expected = HttpClientResponse {
                status: status(i32::from(code), text),
                ..HttpClientResponse::default()
            };
            assert_eq!(response, expected.encode_to_vec());
            let payload = serde_json::json!({ "method": method, "url": url, "headers": {"A": ""} });
            check_json(payload.to_string().as_bytes(), code, text).await;
        });
    };
    check(
        "G T",
        "http://h",
        400,
        r#"Unable to create HTTP request - net/http: invalid method "G T""#,
    );
    check("", ":h", 400, r#"Unable to create HTTP request - parse ":h": missing protocol scheme"#);
    check(
        "",
        "ftp://h",
        500,
        r#"Unable to execute HTTP request - Get "ftp://h": unsupported protocol scheme "ftp""#,
    );
    check(
        "HEAD",
        "http://127.0.0.1:1/?secret",
        500,
        "Unable to execute HTTP request - Head \"http://127.0.0.1:1/\": \
         dial tcp 127.0.0.1:1: connect: connection refused",
    );
}

/// A JSON call that fails before there is any answer.
async fn check_json(payload: &[u8], code: u16, text: &str) {
    let shown = String::from_utf8_lossy(payload).into_owned();
    let (error, response) = call(payload).await;
    assert_eq!(error, text, "{shown}");
    let parsed: serde_json::Value = serde_json::from_slice(&response).unwrap();
    let expected = serde_json::json!({
        "status": { "code": code, "status": text }, "code": 0, "headers": null, "body": ""
    });
    assert_eq!(parsed, expected, "{shown}");
    assert!(response.ends_with(br#"},"code":0,"headers":null,"body":""}"#), "{shown}");
}

#[test]
fn what_cannot_be_read_is_said() {
    run(async {
        for payload in ["{", "zz", "[]", r#"{"url":1}"#, r#"{"headers":{"A":1}}"#] {
            check_json(payload.as_bytes(), 400, "Error Parsing Input").await;
        }
        let illegal = "Unable to decode data - illegal base64 data at input byte";
        check_json(br#"{"body":"!"}"#, 400, &format!("{illegal} 0")).await;
        // Both wrong: the body is said.
        check_json(br#"{"url":1,"body":"YQ="}"#, 400, &format!("{illegal} 3")).await;
    });
}

#[test]
fn a_body_that_breaks_off_leaves_what_came() {
    run(async {
        let check = async |answer: &'static [u8], reason: &str, body: &[u8]| {
            let (url, _) = serve(answer).await;
            let text = format!("Unexpected error reading HTTP response body - {reason}");
            let (error, response) = call(&request("", &url).encode_to_vec()).await;
            assert_eq!(error, text);
            let response = HttpClientResponse::decode(&*response).unwrap();
            assert_eq!(response.status, status(500, &text));
            assert_eq!((response.code, &*response.body), (200, body));
            assert_eq!(response.headers["x-a"], header(&["1"]));

            let (error, response) = call(format!(r#"{{"url":"{url}"}}"#).as_bytes()).await;
            assert_eq!(error, text);
            let parsed: serde_json::Value = serde_json::from_slice(&response).unwrap();
            assert_eq!((&parsed["code"], &parsed["headers"]["x-a"]), (&200.into(), &"1".into()));
        };
        let short = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\n123";
        check(short, "unexpected EOF", b"123").await;
        let long = b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n123456789";
        check(long, "it is longer than the limit of 8 bytes", b"12345678").await;
    });
}

#[test]
fn without_a_client_calls_are_not_found() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("httpclient", "call", b""), "callback not found");
    let guest = Guest::new();
    run(async {
        let capabilities = Capabilities { http: Some(client()), ..guest.capabilities };
        for operation in ["Call", "get", ""] {
            assert!(capabilities.resolve(host_call("tarmac", "httpclient", operation)).is_err());
        }
        let operation = capabilities.resolve(host_call("tarmac", "httpclient", "call")).unwrap();
        let label = crate::Operation::LABELS[operation.label_index()];
        assert_eq!(label, "httpclient:call");
    });
}
