//! What all back ends reached over the network share: their names and state as the process sees
//! them ([`Backend`]), what one shard counts about one ([`ShardBackend`]), and the connection that
//! a shard keeps to it ([`link::Link`]).
//!
//! A back end is up when every shard's connection to it is. It goes down with the first that is
//! lost and comes back with the last that is restored; each of the two is one line of the log,
//! however many calls fail in between.

pub mod dial;
pub mod link;
mod shard;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam::sync::ShardedLock;
pub use shard::{BackendCounts, ShardBackend};
use tokio::sync::watch;

use crate::dns::Resolver;
use crate::logger::Level;
use crate::tls::Roots;

/// Why a call to a back end failed, as its metrics tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum FailureKind {
    /// There was no connection, so nothing was sent.
    Unavailable,
    /// No answer within the time that a call may take.
    Timeout,
    /// The connection broke while the call was under way.
    Connection,
    /// The back end answered with an error.
    Refused,
}

impl FailureKind {
    pub const ALL: [FailureKind; 4] = [
        FailureKind::Unavailable,
        FailureKind::Timeout,
        FailureKind::Connection,
        FailureKind::Refused,
    ];

    /// Name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            FailureKind::Unavailable => "unavailable",
            FailureKind::Timeout => "timeout",
            FailureKind::Connection => "connection",
            FailureKind::Refused => "refused",
        }
    }
}

/// A call that a back end did not answer as asked. Displays as the reason that the guest is shown;
/// it names the back end and where it is, never a user or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{backend} at {target}: {reason}")]
pub struct BackendError {
    pub kind: FailureKind,
    pub backend: &'static str,
    pub target: Arc<str>,
    pub reason: Arc<str>,
}

/// Takes the few log lines that back ends write: when one goes down, comes back, is given up.
pub trait BackendLog: Send + Sync {
    /// Must neither block nor wait.
    fn event(&self, level: Level, message: fmt::Arguments<'_>);
}

/// One configured back end, shared by all shards and the control thread.
pub struct Backend {
    name: &'static str,
    target: Arc<str>,
    log: Arc<dyn BackendLog>,
    has_health: bool,
    /// Shards whose connection is not there.
    shards_down: AtomicUsize,
    /// Written when the state changes, read by `/ready`: no request comes by here.
    outage: ShardedLock<Option<Outage>>,
    given_up: watch::Sender<Option<BackendError>>,
}

/// A stretch of time in which at least one shard had no connection.
#[derive(Debug, Clone)]
struct Outage {
    since: Instant,
    reason: Arc<str>,
    /// The back end has not been reached since the start.
    starting: bool,
}

impl Backend {
    /// `target` is where the back end is, for people: hosts and ports, nothing secret. Until
    /// `shards` shards have connected, it counts as down.
    pub fn new(
        name: &'static str,
        target: &str,
        shards: usize,
        log: Arc<dyn BackendLog>,
    ) -> Arc<Backend> {
        let reason = Arc::from("not connected yet");
        let outage = Outage { since: Instant::now(), reason, starting: true };
        Arc::new(Backend {
            name,
            target: Arc::from(target),
            log,
            has_health: true,
            shards_down: AtomicUsize::new(shards),
            outage: ShardedLock::new(Some(outage)),
            given_up: watch::Sender::new(None),
        })
    }

    /// A back end that is any number of servers, each call's own: it is never down as a whole, and
    /// no shard says that it is up or down.
    pub fn without_health(name: &'static str, log: Arc<dyn BackendLog>) -> Arc<Backend> {
        Arc::new(Backend {
            name,
            target: Arc::from("any host"),
            log,
            has_health: false,
            shards_down: AtomicUsize::new(0),
            outage: ShardedLock::new(None),
            given_up: watch::Sender::new(None),
        })
    }

    /// Such as `redis`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it is, for people.
    pub fn target(&self) -> &Arc<str> {
        &self.target
    }

    /// Whether every shard has its connection; none if that cannot be said.
    pub fn is_up(&self) -> Option<bool> {
        self.has_health.then(|| self.health().is_ok())
    }

    /// Whether every shard has its connection; if not, why the last one that was lost was.
    pub fn health(&self) -> Result<(), BackendError> {
        let outage = self.outage.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &*outage {
            None => Ok(()),
            Some(outage) => Err(self.error(FailureKind::Unavailable, Arc::clone(&outage.reason))),
        }
    }

    /// Waits until a shard gives the back end up, which it does only while it has never been
    /// reached: the server is to end then.
    pub async fn given_up(&self) -> BackendError {
        let mut given_up = self.given_up.subscribe();
        loop {
            if let Some(error) = &*given_up.borrow_and_update() {
                return error.clone();
            }
            if given_up.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// An error of this back end.
    pub fn error(&self, kind: FailureKind, reason: impl Into<Arc<str>>) -> BackendError {
        BackendError {
            kind,
            backend: self.name,
            target: Arc::clone(&self.target),
            reason: reason.into(),
        }
    }

    fn give_up(&self, error: BackendError) {
        self.given_up.send_if_modified(|given_up| {
            let first = given_up.is_none();
            given_up.get_or_insert(error);
            first
        });
    }

    /// One shard has its connection (again).
    fn shard_up(&self) {
        if self.shards_down.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let mut outage = self.outage.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Another shard may have lost its connection meanwhile.
        if self.shards_down.load(Ordering::Acquire) > 0 {
            return;
        }
        if let Some(over) = outage.take() {
            let (name, target) = (self.name, &self.target);
            let Outage { since, starting, .. } = over;
            let ms = since.elapsed().as_millis();
            if starting {
                self.log.event(Level::Info, format_args!("{name} at {target} is connected"));
            } else {
                self.log
                    .event(Level::Info, format_args!("{name} at {target} is back after {ms} ms"));
            }
        }
    }

    /// One shard has lost its connection.
    fn shard_down(&self, reason: &str) {
        self.shards_down.fetch_add(1, Ordering::AcqRel);
        let mut outage = self.outage.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if outage.is_some() {
            return;
        }
        let (name, target) = (self.name, &self.target);
        self.log.event(
            Level::Error,
            format_args!("{name} at {target} is down: {reason}; trying to reconnect"),
        );
        *outage =
            Some(Outage { since: Instant::now(), reason: Arc::from(reason), starting: false });
    }

    /// A further attempt to connect failed: `/ready` shows why.
    fn still_down(&self, reason: &str) {
        let mut outage = self.outage.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let Some(outage) = &mut *outage else { return };
        // At the start nothing has been said yet; afterwards the loss was.
        if outage.starting && &*outage.reason == "not connected yet" {
            let (name, target) = (self.name, &self.target);
            self.log.event(
                Level::Warn,
                format_args!("{name} at {target} cannot be reached: {reason}; trying again"),
            );
        }
        outage.reason = Arc::from(reason);
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("name", &self.name)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// What a shard's drivers reach the network with.
#[derive(Debug, Clone)]
pub struct Network {
    pub resolver: Resolver,
    pub roots: Roots,
}

/// The times that a back end is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendTimes {
    /// To connect and log in.
    pub connect: Duration,
    /// For one call to be answered.
    pub call: Duration,
    /// From the server's start until the back end must have been reached.
    pub start: Duration,
}

#[cfg(test)]
pub(crate) mod tests;
