//! The waPC guests that loadtest serves, most of them written as text (`guests/*.wat`) so that they cost next
//! to nothing and do only what their name says.

use anyhow::{Context, Result};

pub const HELLO: &str = include_str!("../guests/hello.wat");
pub const ENDLESS_LOOP: &str = include_str!("../guests/endless_loop.wat");
pub const TRAP: &str = include_str!("../guests/trap.wat");
pub const ENDLESS_GROWTH: &str = include_str!("../guests/endless_growth.wat");
const HOST_CALL: &str = include_str!("../guests/host_call.wat");
pub const ECHO: &str = include_str!("../guests/echo.wat");
const DIRTY: &str = include_str!("../guests/dirty.wat");
const KV: &str = include_str!("../guests/kv.wat");
/// Upper case for the strings of a JSON text, and no white space.
pub const JSON: &str = include_str!("../guests/json.wat");
/// A text of 800 bytes for it.
pub const JSON_TEXT: &str = include_str!("../guests/order.json");
/// A function of the demo, which is in Rust and so has what a real module has: an allocator, data, a hundred functions.
pub const DEMO_HELLO: &[u8] = include_bytes!("../../examples/demo/hello.wasm");
/// No waPC guest but a component of wasi:http.
pub const HELLO_COMPONENT: &str = include_str!("../guests/hello_component.wat");

/// Answers as `HELLO` does, and writes to so many pages of 4 KiB, 32 at most.
pub fn dirty(pages: u32) -> String {
    DIRTY.replace("PAGES", &pages.to_string())
}

/// Forwards its payload, a protobuf KVStoreSet, to `kvstore/set`.
pub fn kv_set() -> String {
    KV.replace("OPERATION", "set")
}

/// Forwards its payload, a protobuf KVStoreGet, to `kvstore/get`.
pub fn kv_get() -> String {
    KV.replace("OPERATION", "get")
}

/// Makes this one host call, whatever it is asked, and answers its response.
pub fn host_call(capability: &str, operation: &str, payload: &[u8]) -> String {
    host_calls(1, capability, operation, payload)
}

/// Makes it so many times, at least once, and answers the last response.
pub fn host_calls(count: u32, capability: &str, operation: &str, payload: &[u8]) -> String {
    let literal =
        |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    HOST_CALL
        .replace("CALLS", &count.to_string())
        .replace("CAP_LEN", &capability.len().to_string())
        .replace("OP_LEN", &operation.len().to_string())
        .replace("PAY_LEN", &payload.len().to_string())
        .replace("\"CAPABILITY\"", &format!("\"{capability}\""))
        .replace("\"OPERATION\"", &format!("\"{operation}\""))
        .replace("\"PAYLOAD\"", &format!("\"{}\"", literal(payload)))
}

pub fn compile(text: &str) -> Result<Vec<u8>> {
    wat::parse_str(text).context("compile a guest")
}

#[cfg(test)]
mod tests;
