//! NATS: a JetStream key-value bucket, as Tarmac keeps it.

mod config;

pub use config::{NatsConfig, NatsLogin, NatsServer};
