//! Answers of the kv and sql capabilities, encoded straight into the buffer that the guest reads.

mod sql;

pub(crate) use sql::{Layout, RESULT_BYTES_MAX, Rows, TooLarge, executed, query_refused};

use super::Format;
use super::json::push_string;
use super::{base64, protobuf};

/// Which answer a status belongs to: they differ in the fields around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Get,
    Write,
    Keys,
}

/// `Status{200, "OK"}` as field 1 of an answer.
pub(super) const OK_PROTOBUF: &[u8] = b"\x0a\x07\x08\xc8\x01\x12\x02OK";
pub(super) const OK_JSON: &[u8] = br#""status":{"code":200,"status":"OK"}"#;

/// The answer to a get that found `data`.
pub(crate) fn found(out: &mut Vec<u8>, format: Format, data: &[u8]) {
    match format {
        Format::Protobuf => {
            // The longest key and length around the data, so that the buffer grows once.
            out.reserve(OK_PROTOBUF.len() + 11 + data.len());
            out.extend_from_slice(OK_PROTOBUF);
            if !data.is_empty() {
                protobuf::push_bytes(out, 2, data);
            }
        }
        Format::Json => {
            out.push(b'{');
            out.extend_from_slice(OK_JSON);
            out.extend_from_slice(br#","data":""#);
            base64::encode_into(out, data);
            out.extend_from_slice(br#""}"#);
        }
    }
}

/// The answer to a set or delete that succeeded.
pub(crate) fn written(out: &mut Vec<u8>, format: Format) {
    match format {
        Format::Protobuf => out.extend_from_slice(OK_PROTOBUF),
        Format::Json => {
            out.push(b'{');
            out.extend_from_slice(OK_JSON);
            out.push(b'}');
        }
    }
}

/// An answer with a status other than 200 and no data.
pub(crate) fn refused(out: &mut Vec<u8>, format: Format, shape: Shape, code: u16, text: &str) {
    match format {
        Format::Protobuf => push_status_protobuf(out, code, text),
        Format::Json => {
            out.extend_from_slice(if shape == Shape::Keys { br#"{"keys":[],"# } else { b"{" });
            out.extend_from_slice(format!(r#""status":{{"code":{code},"status":"#).as_bytes());
            push_string(out, text.as_bytes());
            out.extend_from_slice(if shape == Shape::Get { br#"},"data":""}"# } else { b"}}" });
        }
    }
}

pub(super) fn push_status_protobuf(out: &mut Vec<u8>, code: u16, text: &str) {
    let text_len = text.len() as u64;
    let code_len = protobuf::varint_len(u64::from(code));
    let status_len = 1 + code_len + 1 + protobuf::varint_len(text_len) + text.len();
    out.push(0x0a);
    protobuf::push_varint(out, status_len as u64);
    out.push(0x08);
    protobuf::push_varint(out, u64::from(code));
    protobuf::push_bytes(out, 2, text.as_bytes());
}

/// The answer to a keys call, key by key.
#[derive(Debug)]
pub(crate) struct Keys<'r> {
    out: &'r mut Vec<u8>,
    format: Format,
    any: bool,
}

impl<'r> Keys<'r> {
    pub(crate) fn begin(out: &'r mut Vec<u8>, format: Format) -> Self {
        match format {
            Format::Protobuf => out.extend_from_slice(OK_PROTOBUF),
            Format::Json => out.extend_from_slice(br#"{"keys":"#),
        }
        Keys { out, format, any: false }
    }

    pub(crate) fn push(&mut self, key: &[u8]) {
        match self.format {
            Format::Protobuf => protobuf::push_bytes(self.out, 2, key),
            Format::Json => {
                self.out.push(if self.any { b',' } else { b'[' });
                push_string(self.out, key);
            }
        }
        self.any = true;
    }

    /// A store without keys is `null` in JSON, not an empty list.
    pub(crate) fn end(self) {
        if self.format == Format::Json {
            self.out.extend_from_slice(if self.any { b"]," } else { b"null," });
            self.out.extend_from_slice(OK_JSON);
            self.out.push(b'}');
        }
    }
}
