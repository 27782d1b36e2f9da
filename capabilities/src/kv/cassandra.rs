//! Cassandra: a table `hord` of keys and data, as Tarmac keeps them.

mod config;

pub use config::{CassandraConfig, CassandraConsistency};
