//! The host calls that never wait, with a payload each: what a guest asks for most.

use airside_capabilities::payload::messages::MetricsCounter;
use prost::Message;

use crate::{kv, shard};

/// One kind of host call.
#[derive(Debug)]
pub struct HostOperation {
    pub name: &'static str,
    pub capability: &'static str,
    pub operation: &'static str,
    pub payload: Vec<u8>,
    /// What the host's answer begins with.
    pub answer: &'static [u8],
}

const OK_PROTOBUF: &[u8] = b"\x0a\x07\x08\xc8\x01\x12\x02OK";
const OK_JSON: &[u8] = br#"{"status":{"code":200,"status":"OK"}"#;

/// All of them. The log line is filtered out; the last one is unknown to the host.
pub fn all() -> Vec<HostOperation> {
    let of = |name, (capability, operation), payload, answer| HostOperation {
        name,
        capability,
        operation,
        payload,
        answer,
    };
    let counter = MetricsCounter { name: String::from("requests") }.encode_to_vec();
    vec![
        of("kv get, protobuf", ("kvstore", "get"), kv::get_protobuf(), OK_PROTOBUF),
        of("kv get, JSON", ("kvstore", "get"), kv::get_json(), OK_JSON),
        of("kv set, protobuf", ("kvstore", "set"), kv::set_protobuf(), OK_PROTOBUF),
        of("kv set, JSON", ("kvstore", "set"), kv::set_json(), OK_JSON),
        of("logger, filtered", ("logger", "info"), b"a line".to_vec(), b""),
        of("metrics counter", ("metrics", "counter"), counter, b""),
        of("unknown", ("kvstore", "fetch"), kv::get_protobuf(), b""),
    ]
}

/// A call of another function of the shard, which answers as [`crate::guests::HELLO`] does.
pub fn function() -> HostOperation {
    HostOperation {
        name: "function",
        capability: "function",
        operation: shard::CALLEE,
        payload: Vec::new(),
        answer: crate::guests::HELLO_ANSWER,
    }
}
