//! placeholder

pub mod admin;
pub mod log;
pub mod telemetry;
