//! The messages of `httpclient/call`, with both forms of headers that Tarmac's schema has had.

use std::collections::HashMap;

use airside_tests::harness::Client;
use prost::Message;

use super::{Refusal, Status, ask_in_protobuf, check_status};

/// All values of a header.
#[derive(Clone, PartialEq, Message)]
pub struct Header {
    #[prost(string, repeated, tag = "1")]
    pub values: Vec<String>,
}

/// `HTTPClient`.
#[derive(Clone, PartialEq, Message)]
pub struct HttpRequest {
    #[prost(string, tag = "1")]
    pub method: String,
    #[prost(map = "string, message", tag = "2")]
    pub headers: HashMap<String, Header>,
    #[prost(string, tag = "3")]
    pub url: String,
    #[prost(bytes = "vec", tag = "4")]
    pub body: Vec<u8>,
    #[prost(bool, tag = "5")]
    pub insecure: bool,
}

/// `HTTPClientResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct HttpResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(int32, tag = "2")]
    pub code: i32,
    #[prost(map = "string, message", tag = "3")]
    pub headers: HashMap<String, Header>,
    #[prost(bytes = "vec", tag = "4")]
    pub body: Vec<u8>,
}

/// `HTTPClient` as it was until November 2024.
#[derive(Clone, PartialEq, Message)]
pub struct HttpRequestWithTexts {
    #[prost(string, tag = "1")]
    pub method: String,
    #[prost(map = "string, string", tag = "2")]
    pub headers: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub url: String,
    #[prost(bytes = "vec", tag = "4")]
    pub body: Vec<u8>,
}

/// `HTTPClientResponse` as it was then.
#[derive(Clone, PartialEq, Message)]
pub struct HttpResponseWithTexts {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(int32, tag = "2")]
    pub code: i32,
    #[prost(map = "string, string", tag = "3")]
    pub headers: HashMap<String, String>,
    #[prost(bytes = "vec", tag = "4")]
    pub body: Vec<u8>,
}

impl HttpRequest {
    pub fn get(url: &str) -> HttpRequest {
        HttpRequest { url: url.to_owned(), ..HttpRequest::default() }
    }
}

/// `httpclient/call`.
#[track_caller]
pub fn call(client: &mut Client, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
    let response: HttpResponse = ask_in_protobuf(client, "httpclient", "call", request)?;
    check_status(response.status.clone());
    Ok(response)
}
