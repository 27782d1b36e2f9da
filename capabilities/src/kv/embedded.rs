//! The store in a file of this host (redb): reads run on the shard that asks, writes are grouped by
//! one committer thread into transactions that are on disk before they are answered, so an answered
//! write survives a crash of the process.

mod committer;
mod import;
mod open;
mod reader;
mod store;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use committer::{Change, Committer};
pub use import::{BoltImport, DEFAULT_BUCKET, ImportError, Imported, import_bolt};
pub use open::OpenError;
use reader::Reader;
use store::Store;

use super::KvError;

/// What error texts and health call this store.
const BACKEND: &str = "embedded";

/// Keys read before a scan lets other work of the shard run.
const KEYS_PER_TURN: usize = 1024;

/// Where the file is and how it is opened.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Created when absent, with the directories above it (mode 0700).
    pub path: PathBuf,
    /// The table inside of the file; created when absent.
    pub bucket: String,
    /// Mode of the file when it is created, such as 0o600.
    pub permissions: u32,
    /// How long to wait for another process to let go of the file; zero tries once.
    pub open_timeout: Duration,
}

/// One shard's handle on the store. Clones share the file; the last one to go ends the committer
/// and closes the file, which blocks until what is queued is on disk.
#[derive(Clone)]
pub struct Embedded {
    // Before the committer, so that no snapshot is left when that closes the file.
    reader: Reader,
    committer: Arc<Committer>,
}

impl Embedded {
    /// Opens the file and starts the committer thread. Blocks, also to repair a file after a crash:
    /// not for a shard.
    pub fn open(config: &EmbeddedConfig) -> Result<Self, OpenError> {
        let database = open::open(config)?;
        let store = Store::new(database, &config.bucket)
            .map_err(|reason| OpenError::Database { path: config.path.clone(), reason })?;
        Self::start(store)
    }

    fn start(store: Store) -> Result<Self, OpenError> {
        let store = Arc::new(store);
        let committer = Committer::start(Arc::clone(&store)).map_err(OpenError::Thread)?;
        Ok(Embedded { reader: Reader::new(store), committer: Arc::new(committer) })
    }

    pub(super) fn get<R>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, KvError> {
        self.reader.get(key, read)
    }

    pub(super) async fn set(&self, key: &[u8], data: &[u8]) -> Result<(), KvError> {
        self.committer.write(Change::Set { key: key.into(), data: data.into() }).await
    }

    pub(super) async fn delete(&self, key: &[u8]) -> Result<(), KvError> {
        self.committer.write(Change::Delete { key: key.into() }).await
    }

    pub(super) async fn keys(&self, mut each: impl FnMut(&[u8])) -> Result<(), KvError> {
        let mut keys = self.reader.keys()?;
        loop {
            for _ in 0..KEYS_PER_TURN {
                match keys.next_key()? {
                    Some(key) => each(key.value()),
                    None => return Ok(()),
                }
            }
            take_turns().await;
        }
    }

    pub fn health(&self) -> Result<(), KvError> {
        self.reader.store().health()?;
        self.committer.health()
    }

    /// Transactions committed since the file was opened. Writes per commit is how well grouping
    /// works.
    pub fn commits(&self) -> u64 {
        self.reader.store().commits()
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("commits", &self.commits()).finish_non_exhaustive()
    }
}

/// Lets the executor run other tasks once.
async fn take_turns() {
    let mut yielded = false;
    std::future::poll_fn(|task| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        task.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[cfg(test)]
pub(super) mod tests;
