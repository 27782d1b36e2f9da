//! The connections to one target that are not in use, and how many there are in all.

use std::rc::Rc;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Place;
use crate::http_client::connect::{Body, Held, Sender};

/// A connection that has been idle for longer is closed. Shorter than what servers allow (nginx
/// 75 s), so that it is seldom the server that closes first.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Those to one target.
pub(super) struct Connections {
    pub(super) place: Place,
    /// The one that was used last is the last.
    pub(super) idle: Vec<Idle>,
    pub(super) shared: Option<Shared>,
    pub(super) open: usize,
    /// One has been given back or closed.
    pub(super) freed: Rc<Notify>,
}

pub(super) struct Idle {
    pub(super) sender: Held<http1::SendRequest<Body>>,
    pub(super) since: Instant,
}

pub(super) struct Shared {
    pub(super) sender: Held<http2::SendRequest<Body>>,
    pub(super) id: u64,
    pub(super) used: Instant,
}

impl Connections {
    pub(super) fn first(place: Place) -> Connections {
        Connections { place, idle: Vec::new(), shared: None, open: 1, freed: Rc::default() }
    }

    pub(super) fn take(&mut self) -> Option<(Sender, u64)> {
        if let Some(shared) = self.shared.as_mut().filter(|shared| shared.is_usable()) {
            shared.used = Instant::now();
            return Some((Sender::Many(shared.sender.clone()), shared.id));
        }
        while let Some(idle) = self.idle.pop() {
            if idle.is_usable() {
                return Some((Sender::One(idle.sender), 0));
            }
        }
        None
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        let one = self.idle.first().map(|idle| idle.since);
        one.into_iter().chain(self.shared.as_ref().map(|shared| shared.used)).min()
    }

    pub(super) fn close_oldest(&mut self) -> bool {
        match self.idle.is_empty() {
            true => self.shared.take().is_some(),
            false => {
                self.idle.remove(0);
                true
            }
        }
    }
}

impl Idle {
    pub(super) fn is_usable(&self) -> bool {
        self.sender.is_ready() && self.since.elapsed() < IDLE_MAX
    }
}

impl Shared {
    pub(super) fn is_usable(&self) -> bool {
        self.sender.is_ready() && self.used.elapsed() < IDLE_MAX
    }
}
