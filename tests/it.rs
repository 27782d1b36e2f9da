//! The real binary as its users meet it. Each module is one side of it, each test one behaviour.

mod admin;
mod capabilities;
mod config;
mod demo;
mod functions;
mod http;
mod latency;
mod load;
mod oracle;
mod prometheus;
mod shards;
mod shutdown;
mod tidy;
