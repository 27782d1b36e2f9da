//! Airside: a thread-per-core server for WebAssembly functions.

pub mod admin;
pub mod cli;
pub mod config;
pub mod http;
pub mod log;
pub mod router;
pub mod telemetry;
