//! The key-value store, asked by host calls that carry JSON, with the data in base64. The demo's
//! counter does the same by protobuf.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use wapc_guest::{HandlerResult, host_call};

/// How the host's error ends when a key has no value; all that a guest gets of an error is its text.
const ABSENT: &str = "nil value returned from database";

#[derive(Serialize)]
struct Get<'a> {
    key: &'a str,
}

#[derive(Deserialize)]
struct GetResponse {
    data: String,
}

#[derive(Serialize)]
struct Set<'a> {
    key: &'a str,
    data: String,
}

/// The value of `key`, or `None` when it has none.
pub fn get(key: &str) -> HandlerResult<Option<Vec<u8>>> {
    match host_call("tarmac", "kvstore", "get", &serde_json::to_vec(&Get { key })?) {
        Ok(response) => {
            let response: GetResponse = serde_json::from_slice(&response)?;
            Ok(Some(BASE64_STANDARD.decode(response.data)?))
        }
        Err(error) if error.to_string().ends_with(ABSENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Stores `data`, which must not be empty, as the value of `key`.
pub fn set(key: &str, data: &[u8]) -> HandlerResult<()> {
    let request = Set { key, data: BASE64_STANDARD.encode(data) };
    host_call("tarmac", "kvstore", "set", &serde_json::to_vec(&request)?)?;
    Ok(())
}
