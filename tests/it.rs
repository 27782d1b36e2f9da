//! The real binary as its users meet it. Each module is one side of it, each test one behaviour.

mod access;
mod admin;
mod backends;
mod bolt;
mod capabilities;
mod config;
mod demo;
mod faults;
mod functions;
mod http;
mod http_client;
mod isolation;
mod kv_conformance;
mod kv_interop;
mod latency;
mod load;
mod oracle;
mod prometheus;
mod shards;
mod shutdown;
mod sql_mysql;
mod sql_postgres;
mod threads;
mod tidy;
mod unreachable;
mod wire;
