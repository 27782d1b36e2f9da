//! [`Link`]: a shard's connection to a back end, made, watched and made again by a task of its own.
//!
//! Calls never connect and never wait for a connection: while there is none they fail at once, so
//! that an outage costs a guest nothing but the error. The task probes the connection once a second,
//! at once when a call says that it is suspect, and replaces it when the probe fails.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{BackendError, BackendTimes, FailureKind, ShardBackend};

/// Between two probes of a connection. With [`PROBE_MAX`] it bounds how long a back end that no
/// longer answers stays unnoticed.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A probe that takes longer has failed.
const PROBE_MAX: Duration = Duration::from_secs(2);
/// Attempts to reconnect are this far apart at first and at most, with a quarter of jitter: a
/// back end that returns is found within a second, and shards do not come all at once.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// One attempt to reconnect. A server that is frozen takes connections and never answers: such an
/// attempt must end soon after the server has come back to life.
const ATTEMPT_MAX: Duration = Duration::from_secs(2);

/// How a kind of back end is reached.
pub trait Driver: 'static {
    type Connection: 'static;

    /// Connects and logs in, and readies what calls need (prepared statements, tables). It is
    /// given up after [`BackendTimes::connect`].
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, ConnectError>>;

    /// The cheapest round trip; an error says why the connection is of no use.
    fn probe(&self, connection: &Self::Connection) -> impl Future<Output = Result<(), String>>;

    /// How many connections to the back end this is, for the metrics.
    fn connections(&self, _connection: &Self::Connection) -> u64 {
        1
    }
}

/// Why a connection could not be made. The texts name no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Trying again will not help: credentials, certificates, settings. At the server's start this
    /// ends it.
    #[error("{0}")]
    Refused(String),
    /// It may be there later.
    #[error("{0}")]
    Unreachable(String),
}

/// A shard's connection to a back end. Dropping it ends its task.
pub struct Link<D: Driver> {
    inner: Rc<Inner<D>>,
}

struct Inner<D: Driver> {
    driver: D,
    backend: Rc<ShardBackend>,
    times: BackendTimes,
    connection: RefCell<Option<Rc<D::Connection>>>,
    /// Why there is no connection.
    reason: RefCell<std::sync::Arc<str>>,
    /// A call doubts the connection.
    suspect: Notify,
    was_up: Cell<bool>,
}

impl<D: Driver> Link<D> {
    /// Makes the first attempt to connect, then keeps the connection in a task of the shard. An
    /// unreachable back end is no error here: it is tried again for [`BackendTimes::start`], after
    /// which [`super::Backend::given_up`] says so.
    ///
    /// # Errors
    /// The back end refuses us.
    pub async fn open(
        driver: D,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Link<D>, BackendError> {
        let started = Instant::now();
        let inner = Rc::new(Inner {
            driver,
            backend,
            times,
            connection: RefCell::new(None),
            reason: RefCell::new("not connected yet".into()),
            suspect: Notify::new(),
            was_up: Cell::new(false),
        });
        let first = inner.attempt(times.connect).await;
        if let Err(ConnectError::Refused(reason)) = first {
            return Err(inner.backend.backend().error(FailureKind::Refused, reason));
        }
        tokio::task::spawn_local(keep(Rc::downgrade(&inner), started));
        Ok(Link { inner })
    }

    /// The counters of this back end on this shard.
    pub fn backend(&self) -> &Rc<ShardBackend> {
        &self.inner.backend
    }

    /// The connection, if there is one now.
    ///
    /// # Errors
    /// [`FailureKind::Unavailable`], counted.
    pub fn connection(&self) -> Result<Rc<D::Connection>, BackendError> {
        if let Some(connection) = &*self.inner.connection.borrow() {
            return Ok(Rc::clone(connection));
        }
        let reason = std::sync::Arc::clone(&self.inner.reason.borrow());
        Err(self.inner.backend.failed(FailureKind::Unavailable, reason))
    }

    /// Runs one call on the connection, bounded by [`BackendTimes::call`]. `call` says of each of
    /// its errors what kind it is; a broken connection or an answer that does not come in time has
    /// the connection probed.
    pub async fn call<R>(
        &self,
        call: impl AsyncFnOnce(&D::Connection) -> Result<R, (FailureKind, String)>,
    ) -> Result<R, BackendError> {
        let connection = self.connection()?;
        let (kind, reason) = match timeout(self.inner.times.call, call(&connection)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failure)) => failure,
            Err(_) => {
                let ms = self.inner.times.call.as_millis();
                (FailureKind::Timeout, format!("no answer within {ms} ms"))
            }
        };
        if matches!(kind, FailureKind::Timeout | FailureKind::Connection) {
            self.inner.suspect.notify_one();
        }
        Err(self.inner.backend.failed(kind, reason))
    }
}

impl<D: Driver> fmt::Debug for Link<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = self.inner.connection.borrow().is_some();
        f.debug_struct("Link").field("connected", &connected).finish_non_exhaustive()
    }
}

/// The life of the task. It ends with the link: between two steps it holds nothing of it.
async fn keep<D: Driver>(link: Weak<Inner<D>>, started: Instant) {
    let mut backoff = BACKOFF_MIN;
    while let Some(inner) = link.upgrade() {
        let connection = inner.connection.borrow().clone();
        if let Some(connection) = connection {
            backoff = BACKOFF_MIN;
            if let Err(reason) = inner.probe(&connection).await {
                inner.lose(&reason);
            } else {
                inner.backend.set_connections(inner.driver.connections(&connection));
                let waiting = Rc::downgrade(&inner);
                drop((inner, connection));
                wait_for_probe(waiting).await;
            }
            continue;
        }
        if inner.give_up_if_late(started) {
            return;
        }
        drop(inner);
        tokio::time::sleep(jittered(backoff)).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
        let Some(inner) = link.upgrade() else { return };
        // Refused or not: it was reached once or may be reconfigured, so it is tried again.
        let _ = inner.attempt(inner.times.connect.min(ATTEMPT_MAX)).await;
    }
}

/// Until the next probe is due or a call asks for one.
async fn wait_for_probe<D: Driver>(link: Weak<Inner<D>>) {
    let Some(inner) = link.upgrade() else { return };
    // A call that doubts the connection wakes this at once; the second is how long a link that was
    // dropped keeps its memory.
    let _ = timeout(PROBE_EVERY, inner.suspect.notified()).await;
}

impl<D: Driver> Inner<D> {
    async fn attempt(&self, limit: Duration) -> Result<(), ConnectError> {
        let attempt = timeout(limit, self.driver.connect()).await.unwrap_or_else(|_| {
            let ms = limit.as_millis();
            Err(ConnectError::Unreachable(format!("no connection within {ms} ms")))
        });
        match attempt {
            Ok(connection) => {
                self.backend.set_connections(self.driver.connections(&connection));
                *self.connection.borrow_mut() = Some(Rc::new(connection));
                if self.was_up.replace(true) {
                    self.backend.reconnected();
                }
                self.backend.up();
                Ok(())
            }
            Err(error) => {
                self.note(&error.to_string());
                Err(error)
            }
        }
    }

    async fn probe(&self, connection: &D::Connection) -> Result<(), String> {
        timeout(PROBE_MAX, self.driver.probe(connection)).await.unwrap_or_else(|_| {
            let ms = PROBE_MAX.as_millis();
            Err(format!("no answer to a probe within {ms} ms"))
        })
    }

    /// Calls under way fail with the connection that they hold once it is gone.
    fn lose(&self, reason: &str) {
        self.connection.borrow_mut().take();
        self.backend.set_connections(0);
        self.note(reason);
    }

    fn note(&self, reason: &str) {
        *self.reason.borrow_mut() = reason.into();
        self.backend.down(reason);
    }

    fn give_up_if_late(&self, started: Instant) -> bool {
        let late = !self.was_up.get() && started.elapsed() >= self.times.start;
        if late {
            let reason = std::sync::Arc::clone(&self.reason.borrow());
            self.backend.give_up(reason);
        }
        late
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.75 + 0.5 * fastrand::f64())
}

#[cfg(test)]
mod tests;
