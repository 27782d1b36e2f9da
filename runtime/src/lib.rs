//! Airside: a thread-per-core server for WebAssembly functions. Its rooms import one way; ARCHITECTURE.md has
//! their order and what each owns.

pub mod admin;
pub mod boot;
pub mod cli;
pub mod commands;
pub mod config;
pub mod connection;
pub mod control;
pub mod cpus;
pub mod demo;
pub mod executor;
pub mod guest;
pub mod http;
pub mod log;
pub mod net;
pub mod router;
pub mod serve;
pub mod shard;
pub mod tasks;
pub mod telemetry;
