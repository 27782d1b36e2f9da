//! Guests that do one thing, from `guests/*.wat`.

/// Answers [`HELLO_ANSWER`] and reads nothing.
pub const HELLO: &str = include_str!("../guests/hello.wat");
pub const HELLO_ANSWER: &[u8] = b"Hello, world!";
/// Answers with its payload.
pub const ECHO: &str = include_str!("../guests/echo.wat");

/// Gives its payload to `kvstore/get` so many times, at least once, and answers with the last answer.
pub fn kv_get(calls: u32) -> String {
    include_str!("../guests/kv_get.wat").replace("CALLS", &calls.to_string())
}

/// The guest as WebAssembly.
pub fn compile(wat: &str) -> anyhow::Result<Vec<u8>> {
    Ok(wat::parse_str(wat)?)
}
