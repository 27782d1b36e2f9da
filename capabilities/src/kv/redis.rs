//! Redis: each key a plain string of its own, as Tarmac keeps them.

mod config;

pub use config::{RedisConfig, RedisEndpoint};
