//! The protobuf messages of Tarmac's schema that the capabilities here speak, as owned types.
//! Field numbers and types are the wire contract with every guest ever compiled: they never change.

use std::collections::HashMap;

use prost::Message;

/// `tarmac.Status`: how a call went, with codes as in HTTP.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Status {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub status: String,
}

/// `tarmac.kvstore.KVStoreGet`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreGet {
    #[prost(string, tag = "1")]
    pub key: String,
}

/// `tarmac.kvstore.KVStoreGetResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreGetResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

/// `tarmac.kvstore.KVStoreSet`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreSet {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

/// `tarmac.kvstore.KVStoreSetResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreSetResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
}

/// `tarmac.kvstore.KVStoreDelete`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreDelete {
    #[prost(string, tag = "1")]
    pub key: String,
}

/// `tarmac.kvstore.KVStoreDeleteResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreDeleteResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
}

/// `tarmac.kvstore.KVStoreKeys`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreKeys {
    #[prost(bool, tag = "1")]
    pub return_proto: bool,
}

/// `tarmac.kvstore.KVStoreKeysResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct KvStoreKeysResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(string, repeated, tag = "2")]
    pub keys: Vec<String>,
}

/// `tarmac.sql.SQLExec`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SqlExec {
    #[prost(bytes = "vec", tag = "1")]
    pub query: Vec<u8>,
}

/// `tarmac.sql.SQLExecResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SqlExecResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(int64, tag = "2")]
    pub last_insert_id: i64,
    #[prost(int64, tag = "3")]
    pub rows_affected: i64,
}

/// `tarmac.sql.SQLQuery`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SqlQuery {
    #[prost(bytes = "vec", tag = "1")]
    pub query: Vec<u8>,
}

/// `tarmac.sql.SQLQueryResponse`; fields 2 and 3 were never used.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SqlQueryResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(string, repeated, tag = "4")]
    pub columns: Vec<String>,
    /// The rows as JSON.
    #[prost(bytes = "vec", tag = "5")]
    pub data: Vec<u8>,
}

/// `tarmac.http.HTTPClient`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HttpClient {
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

/// `tarmac.http.HTTPClient` as it was until November 2024.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HttpClientWithTexts {
    #[prost(string, tag = "1")]
    pub method: String,
    #[prost(map = "string, string", tag = "2")]
    pub headers: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub url: String,
    #[prost(bytes = "vec", tag = "4")]
    pub body: Vec<u8>,
    #[prost(bool, tag = "5")]
    pub insecure: bool,
}

/// `tarmac.http.HTTPClientResponse`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HttpClientResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(int32, tag = "2")]
    pub code: i32,
    #[prost(map = "string, message", tag = "3")]
    pub headers: HashMap<String, Header>,
    #[prost(bytes = "vec", tag = "4")]
    pub body: Vec<u8>,
}

/// `tarmac.http.HTTPClientResponse` as it was until November 2024.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HttpClientResponseWithTexts {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    #[prost(int32, tag = "2")]
    pub code: i32,
    #[prost(map = "string, string", tag = "3")]
    pub headers: HashMap<String, String>,
    #[prost(bytes = "vec", tag = "4")]
    pub body: Vec<u8>,
}

/// `tarmac.http.Header`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Header {
    #[prost(string, repeated, tag = "1")]
    pub values: Vec<String>,
}

/// `tarmac.metrics.MetricsCounter`
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MetricsCounter {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// `tarmac.metrics.MetricsGauge`; the action is `inc` or `dec`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MetricsGauge {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub action: String,
}

/// `tarmac.metrics.MetricsHistogram`
#[derive(Clone, PartialEq, Message)]
pub struct MetricsHistogram {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(double, tag = "2")]
    pub value: f64,
}
