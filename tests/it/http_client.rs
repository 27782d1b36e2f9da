//! Guests call a real server over HTTP: what they ask arrives, what it answers they get, in the form of their messages.

mod connections;
mod limits;

use std::collections::HashMap;

use airside_tests::harness::services::{Backend, Nginx};
use airside_tests::harness::{Client, Setup};
use prost::Message;
use serde_json::json;

use crate::it::wire::http::{
    Header, HttpRequest, HttpRequestWithTexts, HttpResponse, HttpResponseWithTexts, call,
};
use crate::it::wire::{ask_in_json, ask_in_protobuf};

/// Airside, which trusts nginx's authority.
fn setup() -> Setup {
    Setup::new().guest("call").set_all(Nginx::shared().settings())
}

fn get(client: &mut Client, url: &str) -> Result<HttpResponse, String> {
    call(client, &HttpRequest::get(url)).map_err(|refusal| refusal.text)
}

#[track_caller]
fn text(client: &mut Client, url: &str) -> String {
    let answer = get(client, url).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.code, 200, "{url}");
    String::from_utf8(answer.body).expect("text")
}

#[test]
fn methods_and_bodies_arrive() {
    let nginx = Nginx::shared();
    let server = setup().start();
    let mut client = server.client();
    for (method, body, arrives) in [
        ("", "", "GET / HTTP/1.1"),
        ("GET", "", "GET / HTTP/1.1"),
        ("POST", "said", "POST / HTTP/1.1"),
        ("PUT", "", "PUT / HTTP/1.1"),
        ("DELETE", "", "DELETE / HTTP/1.1"),
        ("PATCH", "said", "PATCH / HTTP/1.1"),
        ("OPTIONS", "", "OPTIONS / HTTP/1.1"),
        ("HEAD", "", ""),
    ] {
        let request = HttpRequest {
            method: method.to_owned(),
            body: body.into(),
            ..HttpRequest::get(&nginx.url("/"))
        };
        let answer = call(&mut client, &request).unwrap();
        assert_eq!((answer.code, answer.body), (200, arrives.into()), "{method}");
    }
    for method in ["POST", "PUT"] {
        let request = HttpRequest {
            method: method.to_owned(),
            body: "x".repeat(20_000).into(),
            ..HttpRequest::get(&nginx.url("/echo"))
        };
        assert_eq!(call(&mut client, &request).unwrap().body, request.body);
    }
    let request = HttpRequest { method: "G T".to_owned(), ..HttpRequest::get(&nginx.url("/")) };
    let error = call(&mut client, &request).unwrap_err().text;
    assert_eq!(error, r#"Unable to create HTTP request - net/http: invalid method "G T""#);
}

#[test]
fn any_status_is_an_answer() {
    let nginx = Nginx::shared();
    let server = setup().start();
    let mut client = server.client();
    for code in [204, 400, 401, 403, 404, 418, 429, 500, 503] {
        let answer = get(&mut client, &nginx.url(&format!("/status/{code}"))).unwrap();
        assert_eq!(answer.code, code);
    }
}

/// Of the values of `X-Echo` and `X-Many`.
fn values(response: &HttpResponse, name: &str) -> Vec<String> {
    response.headers.get(name).map(|header| header.values.clone()).unwrap_or_default()
}

#[test]
fn headers_have_the_form_that_the_guest_speaks() {
    let nginx = Nginx::shared();
    let server = setup().start();
    let mut client = server.client();
    let headers = || HashMap::from([("X-Echo".to_owned(), "a value".to_owned())]);

    let header = |(name, value)| (name, Header { values: vec![value] });
    let request = HttpRequest {
        headers: headers().into_iter().map(header).collect(),
        ..HttpRequest::get(&nginx.url("/echo"))
    };
    let response = call(&mut client, &request).unwrap();
    assert_eq!(values(&response, "x-echo"), ["a value"]);
    let response = get(&mut client, &nginx.url("/headers")).unwrap();
    assert_eq!(values(&response, "x-many"), ["one", "two"]);

    let request = HttpRequestWithTexts {
        headers: headers(),
        url: nginx.url("/echo"),
        ..HttpRequestWithTexts::default()
    };
    let mut of_texts = |request: &HttpRequestWithTexts| -> HttpResponseWithTexts {
        ask_in_protobuf(&mut client, "httpclient", "call", request).unwrap()
    };
    assert_eq!(of_texts(&request).headers["x-echo"], "a value");
    let request = HttpRequestWithTexts { url: nginx.url("/headers"), ..request };
    assert_eq!(of_texts(&request).headers["x-many"], "one");

    let request = json!({ "headers": headers(), "url": nginx.url("/echo") });
    let response = ask_in_json(&mut client, "httpclient", "call", &request).unwrap();
    assert_eq!(response["headers"]["x-echo"], "a value");
    let request = json!({ "url": nginx.url("/headers") });
    let response = ask_in_json(&mut client, "httpclient", "call", &request).unwrap();
    assert_eq!(response["headers"]["x-many"], "one");
}

#[test]
fn json_has_bodies_in_base64() {
    let request = json!({
        "method": "POST", "url": Nginx::shared().url("/echo"), "body": "aGVsbG8=", "insecure": false,
    });
    let server = setup().start();
    let response = ask_in_json(&mut server.client(), "httpclient", "call", &request).unwrap();
    assert_eq!(response["status"], json!({ "code": 200, "status": "OK" }));
    assert_eq!((&response["code"], &response["body"]), (&json!(200), &json!("aGVsbG8=")));
}

#[test]
fn redirects_are_followed() {
    let nginx = Nginx::shared();
    let server = setup().start();
    let mut client = server.client();
    for (method, path, arrives) in [
        ("GET", "/redirect", "GET / HTTP/1.1"),
        ("POST", "/redirect", "GET / HTTP/1.1"),
        ("POST", "/redirect/same", "POST / HTTP/1.1"),
    ] {
        let request = HttpRequest {
            method: method.to_owned(),
            body: "said".into(),
            ..HttpRequest::get(&nginx.url(path))
        };
        let answer = call(&mut client, &request).unwrap();
        assert_eq!((answer.code, answer.body), (200, arrives.into()), "{method} {path}");
    }
    let url = nginx.url("/redirect/loop");
    let error = get(&mut client, &url).unwrap_err();
    let reason = "stopped after 10 redirects";
    assert_eq!(error, format!("Unable to execute HTTP request - Get \"{url}\": {reason}"));
}

#[test]
fn certificates_are_verified_unless_the_guest_says_not_to() {
    let nginx = Nginx::shared();
    let url = nginx.url_over_tls("/");
    let trusting = setup().start();
    assert_eq!(text(&mut trusting.client(), &url), "GET / HTTP/2.0");
    let server = setup().unset("backend_ca_file").start();
    let mut client = server.client();
    for _ in 0..2 {
        let error = get(&mut client, &url).unwrap_err();
        let begin = format!("Unable to execute HTTP request - Get \"{url}\": tls: ");
        assert!(error.starts_with(&begin) && error.contains("certificate"), "{error}");
        let request = HttpRequest { insecure: true, ..HttpRequest::get(&url) };
        assert_eq!(call(&mut client, &request).unwrap().body, b"GET / HTTP/2.0");
    }
}

/// A message of Tarmac's without any field: the call is to nowhere.
#[test]
fn an_empty_message_is_a_call_to_nowhere() {
    let server = setup().start();
    let empty = HttpRequest::default();
    assert!(empty.encode_to_vec().is_empty());
    let error = call(&mut server.client(), &empty).unwrap_err().text;
    assert_eq!(error, r#"Unable to execute HTTP request - Get "": unsupported protocol scheme """#);
}
