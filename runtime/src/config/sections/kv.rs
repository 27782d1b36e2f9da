//! The key-value store: which one, and the settings of that one.

mod cassandra;
mod nats;
mod redis;

use std::path::PathBuf;

use airside_capabilities::backend::BackendTimes;
use airside_capabilities::kv::cassandra::CassandraConfig;
use airside_capabilities::kv::nats::NatsConfig;
use airside_capabilities::kv::redis::RedisConfig;

use crate::config::keys::Settings;
use crate::config::problem::Problems;

/// The key-value store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvConfig {
    Memory,
    Embedded {
        path: PathBuf,
        /// The table.
        bucket: String,
        /// Of a new file.
        permissions: u32,
        /// For another process to let go of the file.
        timeout: std::time::Duration,
    },
    /// With times of its own.
    Redis(RedisConfig, BackendTimes),
    Cassandra(CassandraConfig),
    Nats(NatsConfig),
}

/// None without a store, or when what was written makes none.
pub(in crate::config) fn kv(
    settings: &Settings,
    times: BackendTimes,
    problems: &mut Problems,
) -> Option<KvConfig> {
    if !settings.enable_kvstore.value {
        return None;
    }
    match settings.kvstore_type.value.as_str() {
        "memory" | "in-memory" => Some(KvConfig::Memory),
        // Tarmac's own meaning: `internal`, its default, is the Bolt file.
        "internal" | "boltdb" | "embedded" => Some(embedded(settings, problems)),
        "redis" => {
            let config = redis::read(settings, problems)?;
            Some(KvConfig::Redis(config, redis::times(settings, times)))
        }
        "cassandra" => cassandra::read(settings, problems).map(KvConfig::Cassandra),
        "nats" => nats::read(settings, problems).map(KvConfig::Nats),
        _ => {
            let known =
                "write internal, memory, in-memory, boltdb, embedded, redis, cassandra or nats";
            settings.kvstore_type.refuse(known, problems);
            None
        }
    }
}

fn embedded(settings: &Settings, problems: &mut Problems) -> KvConfig {
    if settings.boltdb_bucket.value.is_empty() {
        settings.boltdb_bucket.refuse("must not be empty", problems);
    }
    if settings.boltdb_filename.value.as_os_str().is_empty() {
        settings.boltdb_filename.refuse("must not be empty", problems);
    }
    KvConfig::Embedded {
        path: settings.boltdb_filename.value.clone(),
        bucket: settings.boltdb_bucket.value.clone(),
        permissions: settings.boltdb_permissions.value,
        timeout: settings.boltdb_timeout.value,
    }
}
