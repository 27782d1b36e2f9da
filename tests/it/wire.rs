//! What guests send to capabilities and get back, in protobuf and JSON, through `tests/guests/call.wat`.
//!
//! The messages are written down from Tarmac's schema a second time: airside's own are what is tested.

pub mod http;

use airside_tests::harness::Client;
use prost::Message;
use serde_json::Value;

use crate::it::load::call;

/// Code and text of every response.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub status: String,
}

/// `KVStoreGet`, `KVStoreDelete` and, with data, `KVStoreSet`.
#[derive(Clone, PartialEq, Message)]
pub struct KvRequest {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

/// `KVStoreGetResponse`; those of set and delete, which have no data.
#[derive(Clone, PartialEq, Message)]
pub struct KvResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

/// `KVStoreKeys`.
#[derive(Clone, PartialEq, Message)]
pub struct KvKeysRequest {
    #[prost(bool, tag = "1")]
    pub return_proto: bool,
}

/// `KVStoreKeysResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct KvKeysResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(string, repeated, tag = "2")]
    pub keys: Vec<String>,
}

/// `SQLQuery` and `SQLExec`.
#[derive(Clone, PartialEq, Message)]
pub struct SqlRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub query: Vec<u8>,
}

/// `SQLQueryResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct SqlQueryResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(string, repeated, tag = "4")]
    pub columns: Vec<String>,
    #[prost(bytes = "vec", tag = "5")]
    pub data: Vec<u8>,
}

/// `SQLExecResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct SqlExecResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(int64, tag = "2")]
    pub last_insert_id: i64,
    #[prost(int64, tag = "3")]
    pub rows_affected: i64,
}

/// A host call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error, as all guests are shown it.
    pub text: String,
    /// The response, which a guest can read beside it.
    pub response: Vec<u8>,
}

/// Has the guest at `/call` make a host call with these bytes.
#[track_caller]
pub fn ask(
    client: &mut Client,
    capability: &str,
    operation: &str,
    payload: impl AsRef<[u8]>,
) -> Result<Vec<u8>, Refusal> {
    let answer = client.post("/call", call(capability, operation, payload));
    let name = format!("{capability}/{operation}");
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    let (first, rest) = answer.body.split_first().unwrap_or_else(|| panic!("{name}: no answer"));
    if *first == b'1' {
        return Ok(rest.to_vec());
    }
    let end = rest.iter().position(|byte| *byte == b'\n').expect("a line feed after the error");
    let text = String::from_utf8_lossy(&rest[..end]).into_owned();
    Err(Refusal { text, response: rest[end + 1..].to_vec() })
}

/// The same with messages in protobuf.
#[track_caller]
pub fn ask_in_protobuf<R: Message + Default>(
    client: &mut Client,
    capability: &str,
    operation: &str,
    request: &impl Message,
) -> Result<R, Refusal> {
    let response = ask(client, capability, operation, request.encode_to_vec())?;
    Ok(R::decode(&*response).unwrap_or_else(|error| panic!("{capability}/{operation}: {error}")))
}

/// The same in JSON.
#[track_caller]
pub fn ask_in_json(
    client: &mut Client,
    capability: &str,
    operation: &str,
    request: &Value,
) -> Result<Value, Refusal> {
    let response = ask(client, capability, operation, request.to_string())?;
    let parsed = serde_json::from_slice(&response);
    Ok(parsed.unwrap_or_else(|error| panic!("{capability}/{operation}: {error}")))
}

/// `kvstore/get`.
#[track_caller]
pub fn get(client: &mut Client, key: &str) -> Result<Vec<u8>, Refusal> {
    let request = KvRequest { key: key.to_owned(), data: Vec::new() };
    let response: KvResponse = ask_in_protobuf(client, "kvstore", "get", &request)?;
    check_status(response.status);
    Ok(response.data)
}

/// `kvstore/set`.
#[track_caller]
pub fn set(client: &mut Client, key: &str, data: impl AsRef<[u8]>) -> Result<(), Refusal> {
    let request = KvRequest { key: key.to_owned(), data: data.as_ref().to_vec() };
    let response: KvResponse = ask_in_protobuf(client, "kvstore", "set", &request)?;
    check_status(response.status);
    Ok(())
}

/// `kvstore/delete`.
#[track_caller]
pub fn delete(client: &mut Client, key: &str) -> Result<(), Refusal> {
    let request = KvRequest { key: key.to_owned(), data: Vec::new() };
    let response: KvResponse = ask_in_protobuf(client, "kvstore", "delete", &request)?;
    check_status(response.status);
    Ok(())
}

/// `kvstore/keys`, sorted.
#[track_caller]
pub fn keys(client: &mut Client) -> Result<Vec<String>, Refusal> {
    let request = KvKeysRequest { return_proto: true };
    let response: KvKeysResponse = ask_in_protobuf(client, "kvstore", "keys", &request)?;
    check_status(response.status);
    let mut keys = response.keys;
    keys.sort_unstable();
    Ok(keys)
}

/// `sql/query`: the columns with commas between them, and the rows.
#[track_caller]
pub fn query(client: &mut Client, query: &str) -> Result<(String, String), Refusal> {
    let request = SqlRequest { query: query.into() };
    let response: SqlQueryResponse = ask_in_protobuf(client, "sql", "query", &request)?;
    check_status(response.status);
    let rows = String::from_utf8(response.data).expect("rows are JSON");
    Ok((response.columns.join(","), rows))
}

/// `sql/exec`: the last id and the rows affected.
#[track_caller]
pub fn exec(client: &mut Client, query: &str) -> Result<(i64, i64), Refusal> {
    let request = SqlRequest { query: query.into() };
    let response: SqlExecResponse = ask_in_protobuf(client, "sql", "exec", &request)?;
    check_status(response.status);
    Ok((response.last_insert_id, response.rows_affected))
}

#[track_caller]
fn check_status(status: Option<Status>) {
    assert_eq!(status, Some(Status { code: 200, status: "OK".to_owned() }));
}

/// The rows of a query, asked several times: when it is new, and when each shard may know it.
#[track_caller]
pub fn check_rows(client: &mut Client, text: &str, columns: &str, rows: &str) {
    for _ in 0..3 {
        let expected = (columns.to_owned(), rows.to_owned());
        assert_eq!(query(client, text), Ok(expected), "{text}");
    }
}
