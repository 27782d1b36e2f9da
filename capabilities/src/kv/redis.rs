//! Redis: each key a plain string of its own, as Tarmac keeps them.
//!
//! A shard has one connection, on which the commands of all of its guests follow each other. With
//! sentinels it leads to the master of the moment.

mod config;
mod driver;
mod failure;
mod sentinel;
mod session;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use redis::{Cmd, Value};

pub use config::{RedisConfig, RedisEndpoint};
use driver::RedisDriver;
use session::{Session, okay};

use super::KvError;
use crate::backend::link::Link;
use crate::backend::{BackendError, BackendTimes, FailureKind, Network, ShardBackend};

/// Keys that the server looks at for one page of a scan: some tenths of a millisecond in which it
/// serves nobody else.
const KEYS_PER_PAGE: usize = 1000;

/// One shard's handle on the store; clones share its connection.
#[derive(Clone)]
pub struct Redis {
    link: Rc<Link<RedisDriver>>,
}

impl Redis {
    /// Connects, on the shard's own thread; an unreachable server is tried again in the background.
    ///
    /// # Errors
    /// The server refuses us: login, certificate, database number, or with sentinels a master that
    /// none of them knows.
    pub async fn open(
        config: &RedisConfig,
        network: &Network,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Redis, BackendError> {
        let link = Link::open(RedisDriver::new(config, network), backend, times).await?;
        Ok(Redis { link: Rc::new(link) })
    }

    pub(super) async fn get<R>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, KvError> {
        let command = command("GET", &[key]);
        let found = self.call(&command, |answer| match answer {
            Value::BulkString(data) => Some(Some(data)),
            Value::Nil => Some(None),
            _ => None,
        });
        found.await?.map(|data| read(&data)).ok_or(KvError::Missing)
    }

    pub(super) async fn set(&self, key: &[u8], data: &[u8]) -> Result<(), KvError> {
        Ok(self.call(&command("SET", &[key, data]), okay).await?)
    }

    pub(super) async fn delete(&self, key: &[u8]) -> Result<(), KvError> {
        let count = |answer| matches!(answer, Value::Int(_)).then_some(());
        Ok(self.call(&command("DEL", &[key]), count).await?)
    }

    /// Every key that is there from the beginning to the end, whatever it holds, once. A page of
    /// them at a time, each of which has the time of a call.
    pub(super) async fn keys(&self, mut each: impl FnMut(&[u8])) -> Result<(), KvError> {
        // A cursor means something only to the server that gave it.
        let session = self.link.connection()?;
        let mut seen = HashSet::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut scan = command("SCAN", &[&cursor]);
            scan.arg("COUNT").arg(KEYS_PER_PAGE);
            let page = self
                .link
                .call_on(&session, async |session| self.ask(session, &scan, read_page).await);
            let keys;
            (cursor, keys) = page.await?;
            for key in keys {
                if !seen.contains(&key) {
                    each(&key);
                    seen.insert(key);
                }
            }
            if cursor == b"0" {
                return Ok(());
            }
        }
    }

    async fn call<R>(
        &self,
        command: &Cmd,
        read: impl FnOnce(Value) -> Option<R>,
    ) -> Result<R, BackendError> {
        self.link.call(async |session| self.ask(session, command, read).await).await
    }

    async fn ask<R>(
        &self,
        session: &Session,
        command: &Cmd,
        read: impl FnOnce(Value) -> Option<R>,
    ) -> Result<R, (FailureKind, String)> {
        session.ask(command, read).await.map_err(|failure| {
            if failure.casts_doubt() {
                self.link.doubt();
            }
            failure.into()
        })
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("link", &self.link).finish()
    }
}

/// Sized so that it is built without growing.
fn command(name: &str, arguments: &[&[u8]]) -> Cmd {
    let bytes: usize = arguments.iter().map(|argument| argument.len()).sum();
    let mut command = Cmd::with_capacity(1 + arguments.len(), name.len() + bytes);
    command.arg(name);
    for argument in arguments {
        command.arg(argument);
    }
    command
}

/// The next cursor and the keys of one page.
fn read_page(answer: Value) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let Value::Array(parts) = answer else { return None };
    let [cursor, keys] = <[Value; 2]>::try_from(parts).ok()?;
    let Value::Array(keys) = keys else { return None };
    let keys = keys.into_iter().map(bytes).collect::<Option<_>>()?;
    Some((bytes(cursor)?, keys))
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}
