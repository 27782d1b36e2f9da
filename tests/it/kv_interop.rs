//! Data in the stores is where Tarmac has it: what one of their own clients writes there a guest reads, and the other way
//! round.

mod cassandra;
mod nats;
mod redis;

use airside_tests::harness::services::Settings;
use airside_tests::harness::{Server, Setup};

/// Text beyond ASCII and bytes that are no text.
const VALUES: [&[u8]; 3] = [b"value", "w\u{e4}rme \u{1f525}".as_bytes(), b"\0\xff\r\n\x80"];

fn server(settings: Settings) -> Server {
    Setup::new().guest("call").set_all(settings).start()
}

/// A runtime for clients that are asynchronous; they go on while a call is waited for, and stand still between calls.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
