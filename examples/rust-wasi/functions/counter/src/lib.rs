//! Counts its calls in the key-value store and answers with the number of this one.
//!
//! Reading, adding one and writing back are three steps: calls at the same time can read the same
//! number, and then one increment is lost.

mod kv;

use wapc_guest::{CallResult, HandlerResult, register_function};

const KEY: &str = "counter";

/// Runs once in each new instance; `handler` is the operation that routes and other functions call.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("handler", count);
}

fn count(_payload: &[u8]) -> CallResult {
    let number = match kv::get(KEY)? {
        Some(stored) => parse(&stored)? + 1,
        None => 1,
    };
    let answer = number.to_string().into_bytes();
    kv::set(KEY, &answer)?;
    Ok(answer)
}

/// The store holds the number in decimal digits, as it is answered.
fn parse(stored: &[u8]) -> HandlerResult<u64> {
    Ok(std::str::from_utf8(stored)?.parse()?)
}
