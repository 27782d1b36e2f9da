//! How arguments and answers of host calls look as bytes: the protobuf messages of `tarmac.*` and
//! their older JSON forms.
//!
//! The request path decodes borrowed (`protobuf`, `json`) and encodes straight into the
//! caller's buffer; [`messages`] has the same messages as owned types, for those who build
//! payloads.

pub(crate) mod base64;
pub(crate) mod http;
pub(crate) mod json;
pub mod messages;
pub(crate) mod protobuf;
pub(crate) mod requests;
pub(crate) mod responses;

/// The encoding of a payload. A guest that asks in one is answered in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    Json,
}

/// Whether a payload is JSON for certain, so that decoding it as protobuf is not tried.
///
/// `{` starts a group of field 15, which no message has. A space before it is field 4 as a varint,
/// which no request has either; tab and carriage return give field 1 a fixed-width type, which is
/// wrong in every message. A newline, though, is how field 1 starts when it is a string: `\n{`
/// begins a key of 123 bytes, so nothing that starts with a newline is certain.
pub(crate) fn is_surely_json(payload: &[u8]) -> bool {
    match payload.first() {
        Some(b'{') => true,
        Some(b' ' | b'\t' | b'\r') => {
            payload.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) == Some(&b'{')
        }
        _ => false,
    }
}
