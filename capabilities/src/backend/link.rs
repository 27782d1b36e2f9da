//! [`Link`]: a shard's connection to a back end, made, watched and made again by a task of its own.
//!
//! Calls never connect and never wait for a connection: while there is none they fail at once, so
//! that an outage costs a guest nothing but the error. The task probes the connection once a second,
//! at once when a call says that it is suspect, and replaces it when the probe fails.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{BackendError, BackendTimes, FailureKind, ShardBackend};
use crate::boxed::pinned;
use crate::timer::Timers;

mod driver;

pub use driver::{ConnectError, Driver};

/// Between two probes of a connection. With [`PROBE_MAX`] it bounds how long a back end that no
/// longer answers stays unnoticed.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A probe that takes longer has failed.
const PROBE_MAX: Duration = Duration::from_secs(2);
/// The first attempt to replace a connection that had lasted is made at once; the next ones are this
/// far apart at first and at most, with a quarter of jitter: a back end that returns is found within
/// a second, and shards do not come all at once.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// A shard's connection to a back end. Dropping it ends its task.
pub struct Link<D: Driver> {
    inner: Rc<Inner<D>>,
}

struct Inner<D: Driver> {
    driver: D,
    backend: Rc<ShardBackend>,
    times: BackendTimes,
    /// For the limits of calls.
    timers: Timers,
    connection: RefCell<Option<Rc<D::Connection>>>,
    /// When the connection was made.
    connected: Cell<Instant>,
    /// Why there is no connection.
    reason: RefCell<Arc<str>>,
    /// A call doubts the connection.
    suspect: Notify,
    /// Calls that were answered, be it with an error.
    answers: Cell<u64>,
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
            timers: Timers::default(),
            connection: RefCell::new(None),
            connected: Cell::new(started),
            reason: RefCell::new("not connected yet".into()),
            suspect: Notify::new(),
            answers: Cell::new(0),
            was_up: Cell::new(false),
        });
        match inner.attempt(times.connect).await {
            Ok(()) => {}
            Err(ConnectError::Refused(reason)) => {
                return Err(inner.backend.backend().error(FailureKind::Refused, reason));
            }
            Err(ConnectError::Unreachable(reason)) => inner.note(&reason),
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
        let reason = Arc::clone(&self.inner.reason.borrow());
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
        self.call_on(&connection, call).await
    }

    /// [`Self::call`] on a connection that was taken before: for calls that only mean something
    /// together. Should that connection be lost, they fail, whether there is another or not.
    pub async fn call_on<R>(
        &self,
        connection: &D::Connection,
        call: impl AsyncFnOnce(&D::Connection) -> Result<R, (FailureKind, String)>,
    ) -> Result<R, BackendError> {
        let limit = self.inner.times.call;
        // What waits is boxed, here and once: a driver's call is kilobytes of state, which would be
        // moved with every future around it.
        let mut answer = pinned(|| call(connection));
        let due = || Instant::now() + limit;
        let (kind, reason) = match self.inner.timers.within(due, answer.as_mut()).await {
            Some(Ok(answer)) => {
                self.inner.answered();
                return Ok(answer);
            }
            Some(Err(failure)) => failure,
            None => {
                let ms = limit.as_millis();
                (FailureKind::Timeout, format!("no answer within {ms} ms"))
            }
        };
        if kind == FailureKind::Connection && !self.holds(connection) {
            // It was ended here, for a reason that says more than that it ended.
            let reason = Arc::clone(&self.inner.reason.borrow());
            return Err(self.inner.backend.failed(kind, reason));
        }
        match kind {
            FailureKind::Timeout | FailureKind::Connection => self.doubt(),
            FailureKind::Refused => self.inner.answered(),
            FailureKind::Unavailable => {}
        }
        Err(self.inner.backend.failed(kind, reason))
    }

    fn holds(&self, connection: &D::Connection) -> bool {
        let current = self.inner.connection.borrow();
        current.as_deref().is_some_and(|current| std::ptr::eq(current, connection))
    }

    /// Has the connection probed now, for an answer that makes one doubt it.
    pub fn doubt(&self) {
        self.inner.suspect.notify_one();
    }
}

impl<D: Driver> fmt::Debug for Link<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = self.inner.connection.borrow().is_some();
        f.debug_struct("Link").field("connected", &connected).finish_non_exhaustive()
    }
}

/// The life of the task. It ends with the link, of which it holds nothing between two steps.
async fn keep<D: Driver>(link: Weak<Inner<D>>, started: Instant) {
    let mut backoff = BACKOFF_MIN;
    while let Some(inner) = link.upgrade() {
        let connection = inner.connection.borrow().clone();
        if let Some(connection) = connection {
            // A call that doubts the connection ends this at once; the second is how long a link
            // that was dropped keeps its connection.
            let _ = timeout(PROBE_EVERY, inner.suspect.notified()).await;
            if let Err(reason) = inner.probe(&connection).await {
                inner.lose(&connection, &reason);
                // Most losses are not the server's end: a restart of something on the way, a limit
                // on idle time. But one that is lost as soon as it is made is not made in a hurry.
                if inner.connected.get().elapsed() >= PROBE_EVERY {
                    backoff = Duration::ZERO;
                }
            } else {
                inner.backend.set_connections(inner.driver.connections(&connection));
            }
            continue;
        }
        if inner.give_up_if_late(started) {
            return;
        }
        drop(inner);
        tokio::time::sleep(jittered(backoff)).await;
        backoff = (backoff * 2).clamp(BACKOFF_MIN, BACKOFF_MAX);
        let Some(inner) = link.upgrade() else { return };
        if let Err(error) = inner.attempt(inner.times.connect.min(D::ATTEMPT_MAX)).await {
            // Refused or not: it was reached once or may be reconfigured, so it is tried again.
            inner.note(&error.to_string());
        }
    }
}

impl<D: Driver> Inner<D> {
    async fn attempt(&self, limit: Duration) -> Result<(), ConnectError> {
        let attempt = timeout(limit, self.driver.connect()).await.unwrap_or_else(|_| {
            let ms = limit.as_millis();
            Err(ConnectError::Unreachable(format!("no connection within {ms} ms")))
        });
        let connection = attempt?;
        self.backend.set_connections(self.driver.connections(&connection));
        *self.connection.borrow_mut() = Some(Rc::new(connection));
        self.connected.set(Instant::now());
        if self.was_up.replace(true) {
            self.backend.reconnected();
        }
        self.backend.up();
        Ok(())
    }

    async fn probe(&self, connection: &D::Connection) -> Result<(), String> {
        let answers = self.answers.get();
        match timeout(PROBE_MAX, self.driver.probe(connection)).await {
            Ok(probed) => probed,
            // It waits behind large answers, which do come.
            Err(_) if self.answers.get() != answers => Ok(()),
            Err(_) => {
                let ms = PROBE_MAX.as_millis();
                Err(format!("no answer to a probe within {ms} ms"))
            }
        }
    }

    fn answered(&self) {
        self.answers.set(self.answers.get() + 1);
    }

    fn lose(&self, connection: &D::Connection, reason: &str) {
        self.connection.borrow_mut().take();
        self.backend.set_connections(0);
        self.note(reason);
        self.driver.close(connection);
    }

    fn note(&self, reason: &str) {
        *self.reason.borrow_mut() = reason.into();
        self.backend.down(reason);
    }

    fn give_up_if_late(&self, started: Instant) -> bool {
        let late = !self.was_up.get() && started.elapsed() >= self.times.start;
        if late {
            let reason = Arc::clone(&self.reason.borrow());
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
