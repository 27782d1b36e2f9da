//! The memory store with one key in it, and the capabilities that reach it.

use std::sync::Arc;

use airside_capabilities::functions::{FunctionIndex, FunctionNames};
use airside_capabilities::kv::{Kv, Memory};
use airside_capabilities::logger::{Level, LevelFilter, LogSink, Logger};
use airside_capabilities::metrics::{MetricNames, Reserved, ShardMetrics};
use airside_capabilities::payload::messages::{KvStoreGet, KvStoreSet};
use airside_capabilities::{CallError, CallFunction, Capabilities};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use prost::Message;

pub const KEY: &str = "user:42";
/// The size of a small record.
pub const DATA: &[u8] = &[b'x'; 100];
const METRIC_NAMES_MAX: usize = 16;

/// Ask for [`KEY`], in protobuf.
pub fn get_protobuf() -> Vec<u8> {
    KvStoreGet { key: String::from(KEY) }.encode_to_vec()
}

/// The same in JSON.
pub fn get_json() -> Vec<u8> {
    format!(r#"{{"key":"{KEY}"}}"#).into_bytes()
}

/// Set [`KEY`] to [`DATA`], in protobuf.
pub fn set_protobuf() -> Vec<u8> {
    KvStoreSet { key: String::from(KEY), data: DATA.to_vec() }.encode_to_vec()
}

/// The same in JSON.
pub fn set_json() -> Vec<u8> {
    let data = BASE64_STANDARD.encode(DATA);
    format!(r#"{{"key":"{KEY}","data":"{data}"}}"#).into_bytes()
}

/// A store in which [`KEY`] has [`DATA`].
pub async fn store() -> anyhow::Result<Kv> {
    let kv = Kv::Memory(Memory::new(None));
    kv.set(KEY.as_bytes(), DATA).await?;
    Ok(kv)
}

/// Without functions; nothing is logged.
pub fn capabilities(kv: Kv) -> Capabilities {
    let metrics =
        ShardMetrics::new(Arc::new(MetricNames::new(METRIC_NAMES_MAX, Reserved::default())));
    Capabilities {
        kv: Some(kv),
        sql: None,
        http: None,
        logger: logger(),
        metrics,
        functions: FunctionNames::default(),
    }
}

/// Filters out every line.
pub fn logger() -> Logger {
    Logger::new(Arc::new(NoLog), Arc::new(LevelFilter::new(None)))
}

struct NoLog;

impl LogSink for NoLog {
    fn log(&self, _level: Level, _function: &str, _message: &[u8]) {}
}

/// There is no other function to call.
#[derive(Debug)]
pub struct NoFunctions;

impl CallFunction for NoFunctions {
    async fn call_function(
        &self,
        _function: FunctionIndex,
        _payload: &[u8],
        _response: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        Err(CallError::NotFound)
    }
}
