//! The open file and what is known about it: its table, how often it changed, and whether it
//! failed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crossbeam::atomic::AtomicCell;
use crossbeam::utils::CachePadded;
use papaya::HashMap;
use redb::{Database, ReadOnlyTable, ReadableDatabase, TableDefinition};

use super::BACKEND;
use super::committer::Change;
use crate::kv::KvError;

pub(super) type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The data as of one commit. While it lives, redb cannot reuse the pages that later commits
/// replace.
pub(super) struct Snapshot {
    pub(super) generation: u64,
    pub(super) table: Table,
}

/// Where a handle keeps its snapshot between reads, and where the committer takes it away after a
/// commit.
pub(super) type SnapshotSlot = CachePadded<AtomicCell<Option<Box<Snapshot>>>>;

pub(super) struct Store {
    database: Database,
    bucket: String,
    generation: AtomicU64,
    /// By number of the handle.
    slots: HashMap<u64, Arc<SnapshotSlot>>,
    slots_made: AtomicU64,
    /// redb refuses all further work after an I/O error, so the first failure is the one that
    /// counts.
    failure: OnceLock<KvError>,
}

impl Store {
    pub(super) fn new(database: Database, bucket: &str) -> Result<Self, redb::Error> {
        let store = Store {
            database,
            bucket: bucket.to_owned(),
            generation: AtomicU64::new(0),
            slots: HashMap::new(),
            slots_made: AtomicU64::new(0),
            failure: OnceLock::new(),
        };
        let transaction = store.database.begin_write()?;
        transaction.open_table(store.table())?;
        transaction.commit()?;
        Ok(store)
    }

    /// Applies the changes in order, all or none, and returns when they are on disk and every
    /// handle will see them.
    pub(super) fn commit<'c>(
        &self,
        changes: impl Iterator<Item = &'c Change>,
    ) -> Result<(), KvError> {
        self.try_commit(changes).map_err(|error| self.fail(error))?;
        self.generation.fetch_add(1, Ordering::Release);
        self.take_snapshots_away();
        Ok(())
    }

    fn try_commit<'c>(&self, changes: impl Iterator<Item = &'c Change>) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        let mut table = transaction.open_table(self.table())?;
        for change in changes {
            match change {
                Change::Set { key, data } => drop(table.insert(&**key, &**data)?),
                Change::Delete { key } => drop(table.remove(&**key)?),
                #[cfg(test)]
                Change::Panic => panic!("asked to by a test"),
            }
        }
        drop(table);
        transaction.commit()?;
        Ok(())
    }

    /// A shard that reads no more would keep its snapshot, and with it every page replaced since,
    /// for ever. One that is reading right now drops the snapshot itself, unless it puts it back in
    /// this very moment: then the next commit takes it, so what is kept is bounded.
    fn take_snapshots_away(&self) {
        self.slots.pin().values().for_each(|slot| drop(slot.take()));
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The generation must have been read before this: the data may then be newer than it says,
    /// never older.
    pub(super) fn snapshot(&self, generation: u64) -> Result<Box<Snapshot>, KvError> {
        let open = || -> Result<Table, redb::Error> {
            Ok(self.database.begin_read()?.open_table(self.table())?)
        };
        let table = open().map_err(|error| self.fail(error))?;
        Ok(Box::new(Snapshot { generation, table }))
    }

    pub(super) fn add_slot(&self) -> (u64, Arc<SnapshotSlot>) {
        let number = self.slots_made.fetch_add(1, Ordering::Relaxed);
        let slot = Arc::new(SnapshotSlot::default());
        self.slots.pin().insert(number, Arc::clone(&slot));
        (number, slot)
    }

    pub(super) fn remove_slot(&self, number: u64) {
        self.slots.pin().remove(&number);
    }

    /// Remembers that the store has failed; what the caller is told names the store.
    pub(super) fn fail(&self, error: impl Into<redb::Error>) -> KvError {
        let failure =
            KvError::Backend { backend: BACKEND, reason: error.into().to_string().into() };
        let _ = self.failure.set(failure.clone());
        failure
    }

    pub(super) fn health(&self) -> Result<(), KvError> {
        self.failure.get().map_or(Ok(()), |failure| Err(failure.clone()))
    }

    pub(super) fn commits(&self) -> u64 {
        self.generation()
    }

    #[cfg(test)]
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    fn table(&self) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
        TableDefinition::new(&self.bucket)
    }
}
