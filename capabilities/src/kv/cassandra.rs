//! Cassandra: a table `hord` of keys and data, as Tarmac keeps them.
//!
//! Each shard has a session of its own: one connection to each node, and one more by which the
//! driver learns of nodes that come and go.

mod config;
mod connection;
mod errors;
mod schema;

use std::ops::ControlFlow;
use std::rc::Rc;

use scylla::response::PagingState;

pub use config::{CassandraConfig, CassandraConsistency};
use connection::{Connection, Nodes};
use errors::{Failure, call_failed, unreadable};

use super::KvError;
use crate::backend::link::Link;
use crate::backend::{BackendError, BackendTimes, FailureKind, Network, ShardBackend};

/// A shard's handle on the table; clones share its session.
#[derive(Debug, Clone)]
pub struct Cassandra {
    link: Rc<Link<Nodes>>,
}

impl Cassandra {
    /// Connects, and makes the keyspace and the table when they are absent.
    ///
    /// # Errors
    /// Cassandra refuses us: the password, its certificate, a missing privilege, a table of another
    /// shape.
    pub async fn open(
        config: &CassandraConfig,
        network: &Network,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Cassandra, BackendError> {
        let nodes = Nodes::new(config, network, times);
        Ok(Cassandra { link: Rc::new(Link::open(nodes, backend, times).await?) })
    }

    /// A row that has no data, which only other clients write, reads as empty.
    pub async fn get<R>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Result<R, KvError> {
        let get = async |connection: &Connection| {
            let Connection { session, get, .. } = connection;
            let rows = session.execute_unpaged(get, (text(key)?,)).await.map_err(call_failed)?;
            let rows = rows.into_rows_result().map_err(unreadable)?;
            let row = rows.maybe_first_row::<(Option<&[u8]>,)>().map_err(unreadable)?;
            Ok(row.map(|(data,)| read(data.unwrap_or_default())))
        };
        self.link.call(get).await?.ok_or(KvError::Missing)
    }

    pub async fn set(&self, key: &[u8], data: &[u8]) -> Result<(), KvError> {
        let set = async |connection: &Connection| {
            let Connection { session, set, .. } = connection;
            session.execute_unpaged(set, (data, text(key)?)).await.map_err(call_failed)
        };
        self.link.call(set).await?;
        Ok(())
    }

    pub async fn delete(&self, key: &[u8]) -> Result<(), KvError> {
        let delete = async |connection: &Connection| {
            let Connection { session, delete, .. } = connection;
            session.execute_unpaged(delete, (text(key)?,)).await.map_err(call_failed)
        };
        self.link.call(delete).await?;
        Ok(())
    }

    /// All pages together must come within the time of one call.
    pub async fn keys(&self, mut each: impl FnMut(&[u8])) -> Result<(), KvError> {
        let keys = async |connection: &Connection| {
            let Connection { session, keys, .. } = connection;
            let mut page = PagingState::start();
            loop {
                let (rows, next) =
                    session.execute_single_page(keys, (), page).await.map_err(call_failed)?;
                let rows = rows.into_rows_result().map_err(unreadable)?;
                for row in rows.rows::<(&str,)>().map_err(unreadable)? {
                    let (key,) = row.map_err(unreadable)?;
                    each(key.as_bytes());
                }
                match next.into_paging_control_flow() {
                    ControlFlow::Break(()) => return Ok(()),
                    ControlFlow::Continue(state) => page = state,
                }
            }
        };
        Ok(self.link.call(keys).await?)
    }
}

/// The column is text, and so is every key that a guest can name.
fn text(key: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(key)
        .map_err(|_| (FailureKind::Refused, String::from("keys must be valid UTF-8")))
}
