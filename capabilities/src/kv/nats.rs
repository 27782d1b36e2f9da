//! NATS: a JetStream key-value bucket, as Tarmac keeps it.
//!
//! A bucket is a stream, a key's data the last message of one subject. Getting asks the stream's
//! direct interface, which any replica answers; setting publishes and waits until the stream has
//! stored it; a deleted key is a message that says so.

mod bucket;
mod config;
mod connection;
mod errors;
mod fate;
mod key;
mod keys;

use std::rc::Rc;

use bytes::Bytes;

pub use config::{NatsConfig, NatsLogin, NatsServer};
use connection::{Connection, Servers};

use super::KvError;
use crate::backend::link::Link;
use crate::backend::{BackendError, BackendTimes, Network, ShardBackend};

/// A shard's handle on the bucket; clones share its connection.
#[derive(Debug, Clone)]
pub struct Nats {
    link: Rc<Link<Servers>>,
}

impl Nats {
    /// Connects to one of the servers, and makes the bucket when it is absent.
    ///
    /// # Errors
    /// The server refuses us: the login, its certificate, a missing permission, a stream of another
    /// kind under the bucket's name.
    pub async fn open(
        config: &NatsConfig,
        network: &Network,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Nats, BackendError> {
        let servers = Servers::new(config, network, times);
        Ok(Nats { link: Rc::new(Link::open(servers, backend, times).await?) })
    }

    /// Keys that NATS cannot have are refused here and by the other three, with the reason.
    pub async fn get<R>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Result<R, KvError> {
        let get = async |connection: &Connection| {
            let found = connection.get(key::check(key)?).await?;
            Ok(found.map(|data| read(&data)))
        };
        self.link.call(get).await?.ok_or(KvError::Missing)
    }

    pub async fn set(&self, key: &[u8], data: &[u8]) -> Result<(), KvError> {
        let set = async |connection: &Connection| {
            connection.set(key::check(key)?, Bytes::copy_from_slice(data)).await
        };
        Ok(self.link.call(set).await?)
    }

    pub async fn delete(&self, key: &[u8]) -> Result<(), KvError> {
        let delete = async |connection: &Connection| connection.delete(key::check(key)?).await;
        Ok(self.link.call(delete).await?)
    }

    /// All keys together must come within the time of one call.
    pub async fn keys(&self, mut each: impl FnMut(&[u8])) -> Result<(), KvError> {
        let keys = async |connection: &Connection| keys::list(connection, &mut each).await;
        Ok(self.link.call(keys).await?)
    }
}
