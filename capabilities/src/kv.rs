//! Key-value stores. `Kv` is one handle on one of them: each shard has its own clone, and all
//! clones see the same data. Keys and data are bytes and never empty here: what a guest is told
//! about empty ones is the dispatcher's part.

mod bolt;
pub mod cassandra;
mod embedded;
mod memory;
pub mod nats;
pub mod redis;

use std::sync::Arc;

pub use bolt::BoltError;
pub use embedded::{
    BoltImport, DEFAULT_BUCKET, Embedded, EmbeddedConfig, ImportError, Imported, OpenError,
    import_bolt,
};
pub use memory::Memory;

use crate::backend::BackendError;
use crate::boxed::pinned;

/// Why a store did not do what was asked. Displays as the reason part of the text that the guest is
/// shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KvError {
    #[error("key cannot be nil")]
    EmptyKey,
    #[error("data cannot be empty")]
    EmptyData,
    /// The key is not in the store.
    #[error("nil value returned from database")]
    Missing,
    /// The memory store has a limit, and this set would pass it.
    #[error("memory store is full: its limit is {bytes_max} bytes")]
    Full { bytes_max: u64 },
    /// More writes are waiting to be committed than may wait.
    #[error("embedded store is overloaded: {limit} {unit} are waiting to be committed")]
    Overloaded { limit: u64, unit: &'static str },
    /// One write is larger than may ever wait.
    #[error("embedded store takes at most {bytes_max} bytes of key and data")]
    TooLarge { bytes_max: u64 },
    /// The store itself failed.
    #[error("{backend} store failed: {reason}")]
    Backend { backend: &'static str, reason: Arc<str> },
    /// The store is a server, and it did not do it.
    #[error(transparent)]
    Server(#[from] BackendError),
}

/// One of the stores, chosen by configuration.
#[derive(Debug, Clone)]
pub enum Kv {
    Memory(Memory),
    Embedded(Embedded),
    Redis(redis::Redis),
    Cassandra(cassandra::Cassandra),
    Nats(nats::Nats),
}

/// What waits is boxed, each by itself (servers' calls by their link): the future of a host call is
/// as large as the largest of what it may become, and would be moved at every call of a store that
/// never waits.
impl Kv {
    /// Gives the data of `key` to `read`, in place, and returns what that returns.
    pub async fn get<R>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Result<R, KvError> {
        match self {
            Kv::Memory(memory) => memory.get(key, read).ok_or(KvError::Missing),
            Kv::Embedded(embedded) => embedded.get(key, read)?.ok_or(KvError::Missing),
            Kv::Redis(redis) => redis.get(key, read).await,
            Kv::Cassandra(cassandra) => cassandra.get(key, read).await,
            Kv::Nats(nats) => nats.get(key, read).await,
        }
    }

    /// Stores `data`. When this has returned, every handle sees it, and a store that keeps data on
    /// disk has it there.
    pub async fn set(&self, key: &[u8], data: &[u8]) -> Result<(), KvError> {
        match self {
            Kv::Memory(memory) => memory.set(key, data),
            Kv::Embedded(embedded) => pinned(|| embedded.set(key, data)).await,
            Kv::Redis(redis) => redis.set(key, data).await,
            Kv::Cassandra(cassandra) => cassandra.set(key, data).await,
            Kv::Nats(nats) => nats.set(key, data).await,
        }
    }

    /// Removes `key`. That it was not there is no error.
    pub async fn delete(&self, key: &[u8]) -> Result<(), KvError> {
        match self {
            Kv::Memory(memory) => {
                memory.delete(key);
                Ok(())
            }
            Kv::Embedded(embedded) => pinned(|| embedded.delete(key)).await,
            Kv::Redis(redis) => redis.delete(key).await,
            Kv::Cassandra(cassandra) => cassandra.delete(key).await,
            Kv::Nats(nats) => nats.delete(key).await,
        }
    }

    /// Gives every key to `each`, in no particular order. On an error, some keys may have been
    /// given already.
    pub async fn keys(&self, each: impl FnMut(&[u8])) -> Result<(), KvError> {
        match self {
            Kv::Memory(memory) => {
                memory.keys(each);
                Ok(())
            }
            Kv::Embedded(embedded) => pinned(|| embedded.keys(each)).await,
            Kv::Redis(redis) => redis.keys(each).await,
            Kv::Cassandra(cassandra) => cassandra.keys(each).await,
            Kv::Nats(nats) => nats.keys(each).await,
        }
    }

    /// Whether the store can do its work, without asking it to. Of a store that is a server, its
    /// [`crate::backend::Backend`] knows.
    pub fn health(&self) -> Result<(), KvError> {
        match self {
            Kv::Memory(_) | Kv::Redis(_) | Kv::Cassandra(_) | Kv::Nats(_) => Ok(()),
            Kv::Embedded(embedded) => embedded.health(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
