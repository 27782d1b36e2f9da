//! Calls the function `hello` and passes its answer on, or its error.

use wapc_guest::{CallResult, host_call, register_function};

/// Runs once in each new instance; `handler` is the operation that routes and other functions call.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("handler", relay);
}

/// A function can be called like this when `tarmac.json` has a route of type `function` for it.
fn relay(_payload: &[u8]) -> CallResult {
    host_call("tarmac", "function", "hello", b"relay")
}
