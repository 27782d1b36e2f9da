//! Reads of one handle. It keeps its snapshot between reads, so that a read after no write opens no
//! transaction.

use std::sync::Arc;

use redb::{AccessGuard, Range};

use super::store::{Snapshot, SnapshotSlot, Store};
use crate::kv::KvError;

pub(super) struct Reader {
    slot_number: u64,
    slot: Arc<SnapshotSlot>,
    store: Arc<Store>,
}

impl Reader {
    pub(super) fn new(store: Arc<Store>) -> Self {
        let (slot_number, slot) = store.add_slot();
        Reader { slot_number, slot, store }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn get<R>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, KvError> {
        let snapshot = self.snapshot()?;
        let found = snapshot.table.get(key).map_err(|error| self.store.fail(error))?;
        let result = found.map(|data| read(data.value()));
        self.keep(snapshot);
        Ok(result)
    }

    pub(super) fn keys(&self) -> Result<Keys<'_>, KvError> {
        let snapshot = self.snapshot()?;
        let range = snapshot.table.range::<&[u8]>(..).map_err(|error| self.store.fail(error))?;
        self.keep(snapshot);
        Ok(Keys { range, store: &self.store })
    }

    #[cfg(test)]
    pub(super) fn holds_snapshot(&self) -> bool {
        let snapshot = self.slot.take();
        let held = snapshot.is_some();
        self.slot.store(snapshot);
        held
    }

    fn snapshot(&self) -> Result<Box<Snapshot>, KvError> {
        let generation = self.store.generation();
        match self.slot.take() {
            Some(snapshot) if snapshot.generation == generation => Ok(snapshot),
            _ => self.store.snapshot(generation),
        }
    }

    fn keep(&self, snapshot: Box<Snapshot>) {
        if snapshot.generation == self.store.generation() {
            self.slot.store(Some(snapshot));
        }
    }
}

impl Clone for Reader {
    fn clone(&self) -> Self {
        Reader::new(Arc::clone(&self.store))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.store.remove_slot(self.slot_number);
        // The map may free its end of the slot later; the snapshot must go now.
        drop(self.slot.take());
    }
}

/// All keys as of one commit, in byte order.
pub(super) struct Keys<'s> {
    range: Range<'static, &'static [u8], &'static [u8]>,
    store: &'s Store,
}

impl Keys<'_> {
    pub(super) fn next_key(
        &mut self,
    ) -> Result<Option<AccessGuard<'static, &'static [u8]>>, KvError> {
        match self.range.next() {
            None => Ok(None),
            Some(Ok((key, _))) => Ok(Some(key)),
            Some(Err(error)) => Err(self.store.fail(error)),
        }
    }
}
