//! Answers with what it was given: the body of a POST or PUT comes back unchanged.

use wapc_guest::{CallResult, register_function};

/// Runs once in each new instance; `handler` is the operation that routes and other functions call.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("handler", echo);
}

fn echo(payload: &[u8]) -> CallResult {
    Ok(payload.to_vec())
}
