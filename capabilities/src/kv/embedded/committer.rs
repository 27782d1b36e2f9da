//! The one thread that writes. While a transaction is being synced to disk, further writes queue
//! up; the next transaction takes all of them, so a sync is paid once for many writes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam::channel::{Receiver, Sender, unbounded};
use tokio::sync::oneshot;

use super::BACKEND;
use super::store::Store;
use crate::kv::KvError;

/// Writes that may wait: beyond these the disk is too slow for the load, and waiting longer would
/// not help.
const QUEUE_CHANGES_MAX: u64 = 4096;
/// Keys and data that may wait, over all waiting writes; so also the limit of one write.
const QUEUE_BYTES_MAX: u64 = 128 << 20;
/// One transaction takes no more than this, so that its first write is not kept waiting by its
/// last.
const BATCH_CHANGES_MAX: usize = 1024;
const BATCH_BYTES_MAX: u64 = 8 << 20;

const _: () =
    assert!(BATCH_CHANGES_MAX as u64 <= QUEUE_CHANGES_MAX && BATCH_BYTES_MAX <= QUEUE_BYTES_MAX);

pub(super) enum Change {
    Set {
        key: Box<[u8]>,
        data: Box<[u8]>,
    },
    Delete {
        key: Box<[u8]>,
    },
    #[cfg(test)]
    Panic,
}

impl Change {
    fn bytes(&self) -> u64 {
        match self {
            Change::Set { key, data } => (key.len() + data.len()) as u64,
            Change::Delete { key } => key.len() as u64,
            #[cfg(test)]
            Change::Panic => 0,
        }
    }
}

struct Command {
    change: Change,
    answer: oneshot::Sender<Result<(), KvError>>,
    waiting: Waiting,
}

/// Writes that have not been answered yet.
#[derive(Default)]
struct Load {
    changes: AtomicU64,
    bytes: AtomicU64,
}

/// One write's share of the load, given back when dropped.
struct Waiting {
    load: Arc<Load>,
    bytes: u64,
}

impl Waiting {
    /// `bytes` of one write, which is within the limit by itself.
    fn begin(load: &Arc<Load>, bytes: u64) -> Result<Self, KvError> {
        let changes_before = load.changes.fetch_add(1, Ordering::Relaxed);
        let bytes_before = load.bytes.fetch_add(bytes, Ordering::Relaxed);
        let waiting = Waiting { load: Arc::clone(load), bytes };
        if changes_before >= QUEUE_CHANGES_MAX {
            return Err(KvError::Overloaded { limit: QUEUE_CHANGES_MAX, unit: "writes" });
        }
        if bytes_before + bytes > QUEUE_BYTES_MAX {
            return Err(KvError::Overloaded { limit: QUEUE_BYTES_MAX, unit: "bytes of writes" });
        }
        Ok(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.load.changes.fetch_sub(1, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The handles' end of the queue. Dropping it waits until the thread has written what is queued and
/// closed the file.
pub(super) struct Committer {
    commands: Option<Sender<Command>>,
    load: Arc<Load>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(store: Arc<Store>) -> io::Result<Self> {
        // Bounded by `Load`. crossbeam's bounded channel would keep what is queued when its
        // receiver is dropped in a panic, and the callers would wait for ever; this one drops it,
        // which tells them.
        let (commands, received) = unbounded();
        let thread = thread::Builder::new()
            .name("airside-kv".to_owned())
            .spawn(move || commit_until_closed(&store, &received))?;
        Ok(Committer { commands: Some(commands), load: Arc::default(), thread: Some(thread) })
    }

    /// Returns when the change is on disk, or at once when it cannot be queued.
    /// The change may still be made when the caller stops waiting.
    pub(super) async fn write(&self, change: Change) -> Result<(), KvError> {
        let bytes = change.bytes();
        if bytes > QUEUE_BYTES_MAX {
            return Err(KvError::TooLarge { bytes_max: QUEUE_BYTES_MAX });
        }
        let waiting = Waiting::begin(&self.load, bytes)?;
        let (answer, answered) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or_else(ended)?;
        commands.send(Command { change, answer, waiting }).map_err(|_| ended())?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    pub(super) fn health(&self) -> Result<(), KvError> {
        match &self.thread {
            Some(thread) if !thread.is_finished() => Ok(()),
            _ => Err(ended()),
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported where it happened, and to its callers.
            let _ = thread.join();
        }
    }
}

fn ended() -> KvError {
    KvError::Backend { backend: BACKEND, reason: "its committer thread has ended".into() }
}

fn commit_until_closed(store: &Store, commands: &Receiver<Command>) {
    let mut batch = Vec::with_capacity(BATCH_CHANGES_MAX);
    while let Ok(first) = commands.recv() {
        fill(&mut batch, first, commands);
        let outcome = store.commit(batch.iter().map(|command| &command.change));
        for Command { answer, waiting, .. } in batch.drain(..) {
            // Before the answer, so that a caller who is answered may write again.
            drop(waiting);
            // The caller may have given up; the change is made all the same.
            let _ = answer.send(outcome.clone());
        }
    }
}

/// Takes what is queued already, up to the limits of one transaction.
fn fill(batch: &mut Vec<Command>, first: Command, commands: &Receiver<Command>) {
    let mut bytes = first.waiting.bytes;
    batch.push(first);
    while batch.len() < BATCH_CHANGES_MAX && bytes < BATCH_BYTES_MAX {
        let Ok(command) = commands.try_recv() else { break };
        bytes += command.waiting.bytes;
        batch.push(command);
    }
}
