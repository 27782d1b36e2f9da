//! The connections of a shard, open and idle, by where they lead and how far that end is trusted.
//!
//! An HTTP/1.1 connection carries one exchange and comes back when the answer was read to its end;
//! one of HTTP/2 stays here and is shared. There are bounds per target and in all: who finds the
//! first reached waits for a connection to be given back, who finds the second reached takes the
//! place of the one that has been idle longest.

mod connections;
mod lease;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::connect::{Body, Held};
use crate::backend::ShardBackend;
use connections::{Connections, Idle, Shared};
pub(super) use lease::{Lease, Slot};

/// How often idle connections are looked through, while there are any.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// How many connections a shard may have open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// To one target. More guests than that at once means that the target does not keep up, which
    /// more connections do not change.
    pub(super) per_target: usize,
    /// In all: a bound on the shard's part of the process's file descriptors.
    pub(super) in_all: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { per_target: 256, in_all: 1024 }
    }
}

/// How far the other end is trusted. Connections of one kind are never used for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    Plain,
    Verified,
    /// TLS with whoever answers.
    Unverified,
}

/// Every connection is in use, and there may be no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AllInUse;

/// What a caller is given.
pub(super) enum Checkout {
    Connected(Lease),
    /// The right to make one more connection.
    Vacant(Slot),
}

pub(super) struct Pool {
    bounds: Bounds,
    /// At the positions of [`Security`].
    targets: RefCell<[HashMap<Rc<str>, Connections>; 3]>,
    open: Cell<usize>,
    /// Whether the task that closes idle connections runs.
    is_sweeping: Cell<bool>,
    /// Tells HTTP/2 connections apart.
    next_id: Cell<u64>,
    backend: Rc<ShardBackend>,
}

/// Which connections one is of.
#[derive(Debug, Clone)]
pub(super) struct Place {
    security: Security,
    address: Rc<str>,
}

impl Pool {
    pub(super) fn new(bounds: Bounds, backend: Rc<ShardBackend>) -> Rc<Pool> {
        Rc::new(Pool {
            bounds,
            targets: RefCell::default(),
            open: Cell::new(0),
            is_sweeping: Cell::new(false),
            next_id: Cell::new(0),
            backend,
        })
    }

    /// A connection to `address`, or the right to make one; with `fresh`, the latter. Waits while
    /// the target has as many as it may have.
    pub(super) async fn checkout(
        self: &Rc<Self>,
        security: Security,
        address: &str,
        fresh: bool,
    ) -> Result<Checkout, AllInUse> {
        loop {
            if !fresh && let Some(lease) = self.take(security, address) {
                return Ok(Checkout::Connected(lease));
            }
            let Some(freed) = self.if_full(security, address) else {
                return self.vacancy(security, address).map(Checkout::Vacant);
            };
            freed.notified().await;
        }
    }

    /// An open connection that is not in use.
    fn take(self: &Rc<Self>, security: Security, address: &str) -> Option<Lease> {
        let mut targets = self.targets.borrow_mut();
        let connections = targets[security as usize].get_mut(address)?;
        let (sender, id) = connections.take()?;
        Some(Lease::new(self, connections.place.clone(), sender, id, true))
    }

    /// What to wait for, if the target can have no more connections.
    fn if_full(&self, security: Security, address: &str) -> Option<Rc<Notify>> {
        let targets = self.targets.borrow();
        let connections = targets[security as usize].get(address)?;
        (connections.open >= self.bounds.per_target).then(|| Rc::clone(&connections.freed))
    }

    /// The place of one more connection.
    fn vacancy(self: &Rc<Self>, security: Security, address: &str) -> Result<Slot, AllInUse> {
        if self.open.get() >= self.bounds.in_all {
            self.close_expired();
            if !self.evict() {
                return Err(AllInUse);
            }
        }
        let mut targets = self.targets.borrow_mut();
        let target = &mut targets[security as usize];
        let place = match target.get_mut(address) {
            Some(connections) => {
                connections.open += 1;
                connections.place.clone()
            }
            None => {
                let place = Place { security, address: Rc::from(address) };
                target.insert(Rc::clone(&place.address), Connections::first(place.clone()));
                place
            }
        };
        self.count(self.open.get() + 1);
        Ok(Slot::new(self, place))
    }

    /// Closes the connection that has been idle longest. It stays counted until its task has ended,
    /// which is before anybody else runs for long.
    fn evict(&self) -> bool {
        let mut targets = self.targets.borrow_mut();
        let all = targets.iter_mut().flat_map(HashMap::values_mut);
        let oldest =
            all.filter(|one| one.idle_since().is_some()).min_by_key(|one| one.idle_since());
        oldest.is_some_and(Connections::close_oldest)
    }

    fn closed(&self, place: &Place) {
        self.count(self.open.get() - 1);
        let mut targets = self.targets.borrow_mut();
        let target = &mut targets[place.security as usize];
        let Some(connections) = target.get_mut(&place.address) else { return };
        connections.open -= 1;
        connections.freed.notify_one();
        if connections.open == 0 {
            target.remove(&place.address);
        }
    }

    fn count(&self, open: usize) {
        self.open.set(open);
        self.backend.set_connections(open as u64);
    }

    fn put_idle(self: &Rc<Self>, place: &Place, sender: Held<http1::SendRequest<Body>>) {
        let mut targets = self.targets.borrow_mut();
        // Without an entry, the connection has been closed meanwhile.
        if let Some(connections) = targets[place.security as usize].get_mut(&place.address) {
            connections.idle.push(Idle { sender, since: Instant::now() });
            connections.freed.notify_one();
            self.sweep();
        }
    }

    /// A new HTTP/2 connection, for all to use from now on unless there is one. Gives its number.
    fn share(self: &Rc<Self>, place: &Place, sender: Held<http2::SendRequest<Body>>) -> u64 {
        let id = self.next_id.replace(self.next_id.get() + 1);
        let mut targets = self.targets.borrow_mut();
        if let Some(connections) = targets[place.security as usize].get_mut(&place.address) {
            if !connections.shared.as_ref().is_some_and(Shared::is_usable) {
                connections.shared = Some(Shared { sender, id, used: Instant::now() });
            }
            connections.freed.notify_waiters();
            self.sweep();
        }
        id
    }

    /// An exchange on this HTTP/2 connection was broken off, so that the next ones better use
    /// another: it may be dead. Those under way go on.
    fn retire(&self, place: &Place, id: u64) {
        let mut targets = self.targets.borrow_mut();
        if let Some(connections) = targets[place.security as usize].get_mut(&place.address) {
            connections.shared.take_if(|shared| shared.id == id);
        }
    }

    /// Closes what is idle for too long, in a task that lives while anything is idle.
    fn sweep(self: &Rc<Self>) {
        if self.is_sweeping.replace(true) {
            return;
        }
        let pool = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            loop {
                sleep(SWEEP_EVERY).await;
                let Some(pool) = Weak::upgrade(&pool) else { return };
                if !pool.close_expired() {
                    pool.is_sweeping.set(false);
                    return;
                }
            }
        });
    }

    /// Whether anything idle is left.
    fn close_expired(&self) -> bool {
        let mut targets = self.targets.borrow_mut();
        let mut any = false;
        for connections in targets.iter_mut().flat_map(HashMap::values_mut) {
            connections.idle.retain(|idle| idle.is_usable());
            connections.shared.take_if(|shared| !shared.is_usable());
            any |= connections.idle_since().is_some();
        }
        any
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("open", &self.open).finish_non_exhaustive()
    }
}
