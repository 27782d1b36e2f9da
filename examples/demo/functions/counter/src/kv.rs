//! The key-value store, asked by host calls that carry protobuf messages.

use prost::Message;
use wapc_guest::{HandlerResult, host_call};

/// How the host's error ends when a key has no value; all that a guest gets of an error is its text.
const ABSENT: &str = "nil value returned from database";

#[derive(Message)]
struct Get {
    #[prost(string, tag = "1")]
    key: String,
}

/// Field 1 is a status, which in an answer that arrives is always 200.
#[derive(Message)]
struct GetResponse {
    #[prost(bytes, tag = "2")]
    data: Vec<u8>,
}

#[derive(Message)]
struct Set {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(bytes, tag = "2")]
    data: Vec<u8>,
}

/// The value of `key`, or `None` when it has none.
pub fn get(key: &str) -> HandlerResult<Option<Vec<u8>>> {
    let request = Get { key: key.to_owned() };
    match host_call("tarmac", "kvstore", "get", &request.encode_to_vec()) {
        Ok(response) => Ok(Some(GetResponse::decode(&*response)?.data)),
        Err(error) if error.to_string().ends_with(ABSENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Stores `data`, which must not be empty, as the value of `key`.
pub fn set(key: &str, data: &[u8]) -> HandlerResult<()> {
    let request = Set { key: key.to_owned(), data: data.to_vec() };
    host_call("tarmac", "kvstore", "set", &request.encode_to_vec())?;
    Ok(())
}
