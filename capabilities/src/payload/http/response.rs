//! `HTTPClientResponse`, encoded straight into the buffer that the guest reads.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::Form;
use crate::http_client::HttpResponse;
use crate::payload::json::push_string;
use crate::payload::responses::{OK_JSON, OK_PROTOBUF, push_status_protobuf};
use crate::payload::{base64, protobuf};

/// The answer that a server gave, of whatever status.
pub(crate) fn answered(out: &mut Vec<u8>, form: Form, response: &HttpResponse) {
    match form {
        Form::Json => {
            out.push(b'{');
            out.extend_from_slice(OK_JSON);
            push_json(out, response);
        }
        Form::Texts | Form::Headers => {
            // Status, code, keys and lengths around the body; headers grow the buffer once more.
            out.reserve(OK_PROTOBUF.len() + 16 + response.body.len());
            out.extend_from_slice(OK_PROTOBUF);
            push_protobuf(out, form, response);
        }
    }
}

/// An answer with a status other than 200, and what there is of the server's answer, if anything.
pub(crate) fn refused(
    out: &mut Vec<u8>,
    form: Form,
    code: u16,
    text: &str,
    partial: Option<&HttpResponse>,
) {
    match form {
        Form::Json => {
            out.extend_from_slice(format!(r#"{{"status":{{"code":{code},"status":"#).as_bytes());
            push_string(out, text.as_bytes());
            out.push(b'}');
            match partial {
                Some(response) => push_json(out, response),
                None => out.extend_from_slice(br#","code":0,"headers":null,"body":""}"#),
            }
        }
        Form::Texts | Form::Headers => {
            push_status_protobuf(out, code, text);
            if let Some(response) = partial {
                push_protobuf(out, form, response);
            }
        }
    }
}

/// What follows the status. Of a header with several values, JSON has the first.
fn push_json(out: &mut Vec<u8>, response: &HttpResponse) {
    out.extend_from_slice(format!(r#","code":{},"headers":{{"#, response.code).as_bytes());
    for (index, name) in response.headers.keys().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, name.as_str().as_bytes());
        out.push(b':');
        push_string(out, first_value(&response.headers, name));
    }
    out.extend_from_slice(br#"},"body":""#);
    base64::encode_into(out, &response.body);
    out.extend_from_slice(br#""}"#);
}

fn push_protobuf(out: &mut Vec<u8>, form: Form, response: &HttpResponse) {
    protobuf::push_number(out, 2, u64::from(response.code));
    for name in response.headers.keys() {
        match form {
            Form::Headers => push_header(out, name, &response.headers),
            _ => push_text(out, name, first_value(&response.headers, name)),
        }
    }
    if !response.body.is_empty() {
        protobuf::push_bytes(out, 4, &response.body);
    }
}

/// An entry whose value is a string. A field of this type must be UTF-8, which a header need not be.
fn push_text(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    let value = String::from_utf8_lossy(value);
    let value_len = protobuf::bytes_len(value.len());
    push_entry(out, name, value_len);
    protobuf::push_bytes(out, 2, value.as_bytes());
}

/// An entry whose value is a `Header` with all the values.
fn push_header(out: &mut Vec<u8>, name: &HeaderName, headers: &HeaderMap) {
    let values = || headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()));
    let header_len: usize = values().map(|value| protobuf::bytes_len(value.len())).sum();
    push_entry(out, name, protobuf::bytes_len(header_len));
    out.push(2 << 3 | 2);
    protobuf::push_varint(out, header_len as u64);
    for value in values() {
        protobuf::push_bytes(out, 1, value.as_bytes());
    }
}

/// The beginning of an entry of the map, up to its value, which takes `value_len` bytes with its
/// key and length.
fn push_entry(out: &mut Vec<u8>, name: &HeaderName, value_len: usize) {
    let name = name.as_str().as_bytes();
    out.push(3 << 3 | 2);
    protobuf::push_varint(out, (protobuf::bytes_len(name.len()) + value_len) as u64);
    protobuf::push_bytes(out, 1, name);
}

fn first_value<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h [u8] {
    headers.get(name).map_or(&[], HeaderValue::as_bytes)
}
