//! What the tests stand on: the server's process, the servers that it calls, a client that sends and shows raw bytes, and
//! what `/proc` says.

mod binary;
mod browser;
mod client;
mod keeper;
mod poll;
mod process;
mod prometheus;
mod proxy;
mod server;
pub mod services;
mod setup;
mod turns;
mod wasm;

pub use browser::Browser;
pub use client::{Client, Response};
pub use poll::{WAIT, poll_until};
pub use process::{
    Thread, cpu_time, cpus, file_descriptors, resident_bytes, threads, watched_sockets,
};
pub use prometheus::{Family, Sample, parse_metrics};
pub use proxy::{Proxy, Traffic};
pub use server::Server;
pub use setup::{Finished, Setup};
pub use turns::{Turn, alone};
pub use wasm::{example, wasm};

use std::path::PathBuf;

/// The folder of this crate, as cargo says when it runs a test: with one target directory for several checkouts a test may
/// have been compiled in another one. `loadtest` also runs without cargo, from the checkout that it was compiled in.
pub(crate) fn crate_folder() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into())
        .into()
}

/// The repository.
pub fn root() -> PathBuf {
    let crate_folder = crate_folder();
    crate_folder.parent().expect("the tests lie in a folder of the repository").to_owned()
}
