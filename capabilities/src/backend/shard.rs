//! [`ShardBackend`]: what one shard knows and counts of one back end.

use std::cell::Cell;
use std::iter::Sum;
use std::rc::Rc;
use std::sync::Arc;

use super::{Backend, BackendError, FailureKind};

/// What one shard counts about one back end. The shard's own: nothing here is shared.
#[derive(Debug)]
pub struct ShardBackend {
    backend: Arc<Backend>,
    up: Cell<bool>,
    failures: [Cell<u64>; FailureKind::ALL.len()],
    connections: Cell<u64>,
    reconnects: Cell<u64>,
}

/// The counts of a shard's back end, all since the start but for the connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackendCounts {
    /// At the positions of [`FailureKind`].
    pub failures: [u64; FailureKind::ALL.len()],
    /// Connections that are open now.
    pub connections: u64,
    /// Connections that were made to replace a lost one.
    pub reconnects: u64,
}

/// All shards together.
impl Sum for BackendCounts {
    fn sum<I: Iterator<Item = BackendCounts>>(shards: I) -> BackendCounts {
        shards.fold(BackendCounts::default(), |mut sum, shard| {
            sum.failures.iter_mut().zip(shard.failures).for_each(|(sum, count)| *sum += count);
            sum.connections += shard.connections;
            sum.reconnects += shard.reconnects;
            sum
        })
    }
}

impl ShardBackend {
    pub fn new(backend: &Arc<Backend>) -> Rc<ShardBackend> {
        Rc::new(ShardBackend {
            backend: Arc::clone(backend),
            up: Cell::new(false),
            failures: Default::default(),
            connections: Cell::new(0),
            reconnects: Cell::new(0),
        })
    }

    /// The process's view of the same back end.
    pub fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }

    pub fn counts(&self) -> BackendCounts {
        BackendCounts {
            failures: self.failures.each_ref().map(Cell::get),
            connections: self.connections.get(),
            reconnects: self.reconnects.get(),
        }
    }

    /// A call failed: counts it and gives the error to return.
    pub fn failed(&self, kind: FailureKind, reason: impl Into<Arc<str>>) -> BackendError {
        let count = &self.failures[kind as usize];
        count.set(count.get() + 1);
        self.backend.error(kind, reason)
    }

    /// Connections that are open now, for drivers that hold several.
    pub fn set_connections(&self, connections: u64) {
        self.connections.set(connections);
    }

    /// A lost connection was made again.
    pub fn reconnected(&self) {
        self.reconnects.set(self.reconnects.get() + 1);
    }

    /// This shard can reach the back end (again). Saying so twice is fine.
    pub fn up(&self) {
        if !self.up.replace(true) {
            self.backend.shard_up();
        }
    }

    /// This shard cannot reach the back end, for this reason.
    pub fn down(&self, reason: &str) {
        if self.up.replace(false) {
            self.backend.shard_down(reason);
        } else {
            self.backend.still_down(reason);
        }
    }

    /// The back end was never reached, and this shard tries no more.
    pub fn give_up(&self, reason: impl Into<Arc<str>>) {
        self.backend.give_up(self.backend.error(FailureKind::Unavailable, reason));
    }
}
