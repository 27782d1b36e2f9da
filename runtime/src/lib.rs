//! placeholder

pub mod admin;
pub mod log;
pub mod telemetry;
pub mod http;
