//! Answers with what it was given, and says so on standard error, which ends up in the server's log.

use wapc_guest::{CallResult, register_function};

/// Runs once in each new instance; `handler` is the operation that routes and other functions call.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("handler", echo);
}

fn echo(payload: &[u8]) -> CallResult {
    eprintln!("{} bytes to echo", payload.len());
    Ok(payload.to_vec())
}
