//! Greets whoever the payload names, or the world when it is empty, as it is for a GET.

use wapc_guest::{CallResult, register_function};

/// Runs once in each new instance; `handler` is the operation that routes and other functions call.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("handler", hello);
}

fn hello(payload: &[u8]) -> CallResult {
    let name = if payload.is_empty() { "World" } else { std::str::from_utf8(payload)? };
    Ok(format!("Hello, {name}!").into_bytes())
}
