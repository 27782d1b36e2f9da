//! How instances leave a pool and others take their place, off the way of requests: those whose call failed and, where
//! each call has a fresh instance, all that served one. Each pool has one task at most that does it, which therefore
//! makes one instance at a time: the allocator has a slot for that beyond those of the calls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::FunctionPool;
use crate::config::Isolation;
use crate::guest::Guests;
use crate::guest::instance::Instance;

/// Fresh instances that are kept ready. So many calls may come at once and find one; a call that finds none makes its own.
/// Each holds what its start code wrote, which is megabytes with Go, and one that was made long ago is cold in the cache.
const READY_MAX: usize = 8;

#[derive(Default)]
pub(super) struct Turnover {
    /// Instances that nobody may call again. They hold their memory until they are dropped.
    #[expect(clippy::vec_box, reason = "as those of the pool, from where they come")]
    spent: RefCell<Vec<Box<Instance>>>,
    /// Instances that are gone and have no successor yet.
    missing: Cell<usize>,
    /// The task runs, or is about to.
    under_way: Cell<bool>,
}

impl FunctionPool {
    /// Takes an instance that is not to be called again. It is dropped, and its successor made, when the task that runs
    /// now has come to its next wait: after the response was written.
    pub(super) fn spend(&self, instance: Box<Instance>, guests: &Rc<Guests>) {
        self.turnover.spent.borrow_mut().push(instance);
        self.turn_over_soon(guests);
    }

    /// Makes an instance in the place of one that was dropped.
    pub(super) fn replace_dropped(&self, guests: &Rc<Guests>) {
        self.live.set(self.live.get() - 1);
        self.turnover.missing.set(self.turnover.missing.get() + 1);
        self.turn_over_soon(guests);
    }

    /// Drops an instance that is not to be called again, if there is one. The next one that is made gets its slot, whose
    /// memory is still in the cache.
    pub(super) fn drop_spent(&self) -> bool {
        // The borrow ends with this statement: dropping an instance drops what its host calls hold.
        let spent = self.turnover.spent.borrow_mut().pop();
        if spent.is_some() {
            drop(spent);
            self.live.set(self.live.get() - 1);
            return true;
        }
        false
    }

    fn turn_over_soon(&self, guests: &Rc<Guests>) {
        if self.turnover.under_way.replace(true) {
            return;
        }
        let (guests, index) = (Rc::downgrade(guests), self.index);
        tokio::task::spawn_local(async move {
            let Some(guests) = guests.upgrade() else { return };
            let pool = &guests.functions[index];
            let _under_way = UnderWay(&pool.turnover.under_way);
            pool.turn_over(&guests).await;
        });
    }

    async fn turn_over(&self, guests: &Guests) {
        loop {
            if self.drop_spent() {
                self.turnover.missing.set(self.turnover.missing.get() + 1);
            }
            let missing = self.turnover.missing.get();
            if missing > 0 {
                self.turnover.missing.set(missing - 1);
                self.make_ready(guests).await;
            }
            if self.turnover.missing.get() == 0 && self.turnover.spent.borrow().is_empty() {
                return;
            }
            // An instance takes a few microseconds to drop and to make, or as long as its memory and its start code are.
            tokio::task::yield_now().await;
        }
    }

    /// Makes one instance ready, if there is a place for it.
    async fn make_ready(&self, guests: &Guests) {
        let enough = match self.isolation {
            Isolation::Reuse => false,
            Isolation::Fresh => self.idle.borrow().len() >= READY_MAX,
        };
        if enough || self.live.get() >= self.limits.instances {
            return;
        }
        if let Err(error) = self.warm(guests).await {
            // The next request tries again, and answers with the reason.
            guests.log_start_failure(self.index, &error);
        }
    }
}

/// The task is at work while this lives, whichever way it ends.
struct UnderWay<'a>(&'a Cell<bool>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
