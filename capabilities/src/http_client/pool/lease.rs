//! What a pool hands out: a connection for one exchange, or the place of one to be made.

use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use hyper::Response;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{Place, Pool};
use crate::http_client::connect::{Body, Sender};
use crate::http_client::failure::Broken;

/// How long a connection whose answer was read may take until it can carry the next request: it may
/// still be sending a body that the server did not wait for.
const READY_MAX: Duration = Duration::from_secs(1);

/// The place of one open connection, held until that is closed.
pub(in crate::http_client) struct Slot {
    pool: Weak<Pool>,
    place: Place,
}

/// A connection in use. Dropped before [`Lease::give_back`], it is not used again.
pub(in crate::http_client) struct Lease {
    pool: Weak<Pool>,
    place: Place,
    sender: Option<Sender>,
    /// Of an HTTP/2 connection.
    id: u64,
    /// It has carried an exchange before, so the other side may have closed it meanwhile.
    pub(in crate::http_client) is_reused: bool,
}

/// A request that was not answered.
#[derive(Debug)]
pub(in crate::http_client) struct Unanswered {
    pub(in crate::http_client) broken: Broken,
    /// Nothing of it was sent.
    pub(in crate::http_client) is_unsent: bool,
}

impl Slot {
    pub(super) fn new(pool: &Rc<Pool>, place: Place) -> Slot {
        Slot { pool: Rc::downgrade(pool), place }
    }

    /// Where it is, for when the slot itself has gone with its connection.
    pub(in crate::http_client) fn place(&self) -> Place {
        self.place.clone()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.closed(&self.place);
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Lease {
    pub(super) fn new(
        pool: &Rc<Pool>,
        place: Place,
        sender: Sender,
        id: u64,
        is_reused: bool,
    ) -> Lease {
        Lease { pool: Rc::downgrade(pool), place, sender: Some(sender), id, is_reused }
    }

    pub(in crate::http_client) fn is_http2(&self) -> bool {
        matches!(self.sender, Some(Sender::Many(_)))
    }

    pub(in crate::http_client) async fn send(
        &mut self,
        request: hyper::Request<Body>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let answer = match &mut self.sender {
            Some(Sender::One(sender)) => sender.try_send_request(request).await,
            Some(Sender::Many(sender)) => sender.try_send_request(request).await,
            None => unreachable!("the sender stays until the lease is given back"),
        };
        answer.map_err(|mut error| Unanswered {
            is_unsent: error.take_message().is_some(),
            broken: Broken::of(error.error()),
        })
    }

    /// The answer was read to its end: the connection can carry the next exchange.
    pub(in crate::http_client) fn give_back(mut self) {
        let Some(Sender::One(mut sender)) = self.sender.take() else { return };
        let (pool, place) = (self.pool.clone(), self.place.clone());
        if sender.is_ready() {
            if let Some(pool) = pool.upgrade() {
                pool.put_idle(&place, sender);
            }
            return;
        }
        tokio::task::spawn_local(async move {
            let ready = timeout(READY_MAX, sender.ready()).await;
            if let (Ok(Ok(())), Some(pool)) = (ready, pool.upgrade()) {
                pool.put_idle(&place, sender);
            }
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(Sender::Many(_)), Some(pool)) = (&self.sender, self.pool.upgrade()) {
            pool.retire(&self.place, self.id);
        }
    }
}

impl Pool {
    /// The first lease of a connection that was made for `place`.
    pub(in crate::http_client) fn opened(self: &Rc<Self>, place: Place, sender: Sender) -> Lease {
        let id = match &sender {
            Sender::Many(many) => self.share(&place, many.clone()),
            Sender::One(_) => 0,
        };
        Lease::new(self, place, sender, id, false)
    }
}
