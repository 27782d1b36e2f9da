//! The capabilities that the guests of the table call, in their simplest form: what airside's
//! answer, without it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;

/// How host calls end: the response, or the error's text.
pub(crate) type HostResult = Result<Vec<u8>, String>;

/// One key-value store and the functions `echo` and `hello`.
#[derive(Debug, Default)]
pub(crate) struct Double {
    store: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Double {
    pub(crate) fn host_call(
        &self,
        binding: &str,
        namespace: &str,
        operation: &str,
        payload: &[u8],
    ) -> HostResult {
        match (binding, namespace, operation) {
            ("tarmac", "kvstore", "get" | "set") if payload.starts_with(b"{") => {
                self.kvstore_json(operation, payload)
            }
            ("tarmac", "kvstore", "get") => self.get(payload),
            ("tarmac", "kvstore", "set") => Ok(self.set(payload)),
            ("tarmac", "logger", "info") | ("tarmac", "logging", "Info") => Ok(Vec::new()),
            ("tarmac", "metrics", "counter" | "gauge" | "histogram") => Ok(Vec::new()),
            ("tarmac", "function", "echo") => Ok(payload.to_vec()),
            ("tarmac", "function", "hello") => Ok([b"Hello, ", payload, b"!"].concat()),
            _ => Err("callback not found".to_owned()),
        }
    }

    /// The same store, asked in JSON.
    fn kvstore_json(&self, operation: &str, request: &[u8]) -> HostResult {
        let request: Value = serde_json::from_slice(request).map_err(|error| error.to_string())?;
        let key = request["key"].as_str().ok_or("no key")?;
        let mut store = self.store.lock().expect("no guest panics");
        let mut response = json!({ "status": { "code": 200, "status": "OK" } });
        if operation == "set" {
            let data = request["data"].as_str().ok_or("no data")?;
            let data = BASE64_STANDARD.decode(data).map_err(|error| error.to_string())?;
            store.insert(key.as_bytes().to_vec(), data);
        } else {
            let data = store.get(key.as_bytes()).ok_or_else(|| {
                format!("Unable to fetch key {key} - nil value returned from database")
            })?;
            response["data"] = BASE64_STANDARD.encode(data).into();
        }
        Ok(response.to_string().into_bytes())
    }

    fn get(&self, request: &[u8]) -> HostResult {
        let store = self.store.lock().expect("no guest panics");
        match store.get(field(request, 1)) {
            Some(data) => Ok([status(200, "OK"), encode_field(2, data)].concat()),
            None => Err("Unable to fetch key nil value returned from database".to_owned()),
        }
    }

    fn set(&self, request: &[u8]) -> Vec<u8> {
        let (key, data) = (field(request, 1).to_vec(), field(request, 2).to_vec());
        self.store.lock().expect("no guest panics").insert(key, data);
        status(200, "OK")
    }
}

/// The first field of every protobuf response, a `tarmac.Status`; `code` from 128 to 16,383.
pub(crate) fn status(code: u16, text: &str) -> Vec<u8> {
    let code = [0x08, (code & 0x7f) as u8 | 0x80, (code >> 7) as u8];
    encode_field(1, &[&code[..], &encode_field(2, text.as_bytes())].concat())
}

/// A length-delimited field; `data` up to 127 bytes, as all lengths here, so that each takes one
/// byte.
pub(crate) fn encode_field(number: u8, data: &[u8]) -> Vec<u8> {
    let len = u8::try_from(data.len()).expect("short data");
    assert!(len < 0x80, "{len} takes two bytes");
    [&[number << 3 | 2, len], data].concat()
}

/// The data of a length-delimited field of a message that has no others, empty when it is absent.
fn field(mut message: &[u8], number: u8) -> &[u8] {
    while let [tag, len, rest @ ..] = message {
        let (data, next) = rest.split_at(usize::from(*len));
        if *tag == number << 3 | 2 {
            return data;
        }
        message = next;
    }
    &[]
}
