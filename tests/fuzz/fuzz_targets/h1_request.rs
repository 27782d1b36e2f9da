//! Arbitrary bytes through the HTTP/1 parser.
//!
//! The codec's sources are compiled in here: the whole server as a dependency would be instrumented for no gain.
//! Run: `RUSTC_BOOTSTRAP=1 cargo fuzz run h1_request` in `tests/fuzz`.
#![no_main]
#![allow(dead_code, unused_imports, reason = "only the request side of the codec is called")]

use airside::http;

#[path = "../../../runtime/src"]
mod airside {
    pub mod http;
}

#[path = "../checks/h1_request.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
