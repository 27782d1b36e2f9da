//! Guests that do one thing, from `guests/*.wat`.

/// Answers [`HELLO_ANSWER`] and reads nothing.
pub const HELLO: &str = include_str!("../guests/hello.wat");
pub const HELLO_ANSWER: &[u8] = b"Hello, world!";
/// Answers with its payload.
pub const ECHO: &str = include_str!("../guests/echo.wat");

/// Gives its payload, 1 KiB at most, to this operation so many times, at least once, and answers what the host said to the
/// last call. Capability and operation have 24 bytes at most.
pub fn host_call(capability: &str, operation: &str, calls: u32) -> String {
    include_str!("../guests/host_call.wat")
        .replace("LEN_OF_CAPABILITY", &capability.len().to_string())
        .replace("LEN_OF_OPERATION", &operation.len().to_string())
        .replace("CAPABILITY", capability)
        .replace("OPERATION", operation)
        .replace("CALLS", &calls.to_string())
}

/// The guest as WebAssembly.
pub fn compile(wat: &str) -> anyhow::Result<Vec<u8>> {
    Ok(wat::parse_str(wat)?)
}
