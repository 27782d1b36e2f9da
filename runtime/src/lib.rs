//! Airside: a thread-per-core server for WebAssembly functions. The rooms, in the order in which a request walks through
//! them; each knows only those to its left, and telemetry.

pub mod admin;
pub mod cli;
pub mod config;
pub mod cpus;
pub mod executor;
pub mod guest;
pub mod http;
pub mod log;
pub mod net;
pub mod router;
pub mod telemetry;
