//! [`Sessions`]: connections that carry one query at a time. Who wants one waits for a place first;
//! then there is an idle connection to take, or one may be opened.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// A connection that nobody needed for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);

pub(super) struct Sessions<C> {
    places: Semaphore,
    max: usize,
    /// The last given back is the first taken, so that those beyond the need grow old.
    idle: RefCell<Vec<(Instant, C)>>,
}

impl<C> Sessions<C> {
    pub(super) fn new(max: usize) -> Sessions<C> {
        Sessions { places: Semaphore::new(max), max, idle: RefCell::default() }
    }

    /// The right to have a connection, in the order of asking. Who waits is bounded by the time that
    /// a call may take, and by how many guests there can be.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.places.acquire().await.ok()
    }

    /// The same, if nobody need wait for it.
    pub(super) fn try_place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// An idle connection.
    pub(super) fn take(&self) -> Option<C> {
        self.idle.borrow_mut().pop().map(|(_, connection)| connection)
    }

    /// Gives a connection back that is as good as new.
    pub(super) fn put(&self, connection: C) {
        self.idle.borrow_mut().push((Instant::now(), connection));
    }

    /// Takes out what has been idle for long, to be closed.
    pub(super) fn take_old(&self) -> Vec<C> {
        let mut idle = self.idle.borrow_mut();
        let old = idle.iter().take_while(|(since, _)| since.elapsed() > IDLE_MAX).count();
        idle.drain(..old).map(|(_, connection)| connection).collect()
    }

    /// Connections that are open, idle or not.
    pub(super) fn open(&self) -> usize {
        self.busy() + self.idle.borrow().len()
    }

    /// Connections that carry a query, or are being opened for one.
    pub(super) fn busy(&self) -> usize {
        self.max - self.places.available_permits()
    }
}

impl<C> fmt::Debug for Sessions<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("max", &self.max).finish_non_exhaustive()
    }
}
