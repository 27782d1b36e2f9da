//! What becomes, off the way of requests, of instances that may not be called as they are. Where each call has a fresh
//! instance, those that served one are made what they were; if that cannot be done, and if their call failed, they are
//! dropped and others take their place. Each pool has one task at most that does it, and one instance at a time: the
//! allocator has a slot for that beyond those of the calls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{FunctionPool, Place};
use crate::config::Isolation;
use crate::guest::Guests;
use crate::guest::instance::Instance;
use crate::guest::retire;

/// Fresh instances that are made ahead of calls. So many calls may come at once and find one; a call that finds none makes
/// its own.
/// Each holds what its start code wrote, which is megabytes with Go, and one that was made long ago is cold in the cache.
const READY_MAX: usize = 8;

#[derive(Default)]
pub(super) struct Turnover {
    /// Instances whose call came to its end, to be reset before the next one. The last one to come is the first one taken.
    #[expect(clippy::vec_box, reason = "as those of the pool, from where they come")]
    used: RefCell<Vec<Box<Instance>>>,
    /// Instances that nobody may call again. They hold their memory until they are dropped.
    #[expect(clippy::vec_box, reason = "as those of the pool, from where they come")]
    spent: RefCell<Vec<Box<Instance>>>,
    /// Instances that are gone and have no successor yet.
    missing: Cell<usize>,
    /// The task runs, or is about to.
    under_way: Cell<bool>,
}

impl FunctionPool {
    /// Whether it is worth trying to make this instance what it was before its first call.
    pub(super) fn can_reset(&self, instance: &Instance) -> bool {
        self.template.snapshot().is_some_and(|snapshot| instance.fits(snapshot))
    }

    /// Takes an instance whose call came to its end. It is reset when the task that runs now has come to its next wait,
    /// after the response was written, or by the next call if that comes before.
    pub(super) fn use_up(&self, instance: Box<Instance>, guests: &Rc<Guests>) {
        self.turnover.used.borrow_mut().push(instance);
        self.turn_over_soon(guests);
    }

    /// Makes an instance that served a call what it was before, if there is one. One with which that cannot be done may
    /// not be called again.
    pub(super) fn reset_used(&self) -> Option<Box<Instance>> {
        let snapshot = self.template.snapshot()?;
        loop {
            let mut instance = self.turnover.used.borrow_mut().pop()?;
            if instance.reset(snapshot) {
                return Some(instance);
            }
            self.turnover.spent.borrow_mut().push(instance);
        }
    }

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
    pub(super) async fn drop_spent(&self) -> bool {
        // The borrow ends with this statement: dropping an instance drops what its host calls hold.
        let spent = self.turnover.spent.borrow_mut().pop();
        let Some(mut instance) = spent else { return false };
        // It counts until it is gone, also when this is given up half-way.
        let _live = Place(&self.live);
        if retire::takes_long(&mut instance.store) {
            retire::give_back(&mut instance.store).await;
        }
        drop(instance);
        true
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
            // The borrow ends with this statement: a reset borrows too.
            let reset = self.reset_used();
            self.idle.borrow_mut().extend(reset);
            if self.drop_spent().await {
                self.turnover.missing.set(self.turnover.missing.get() + 1);
            }
            let missing = self.turnover.missing.get();
            if missing > 0 {
                self.turnover.missing.set(missing - 1);
                self.make_ready(guests).await;
            }
            if self.turnover.is_done() {
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

impl Turnover {
    fn is_done(&self) -> bool {
        self.missing.get() == 0 && self.used.borrow().is_empty() && self.spent.borrow().is_empty()
    }
}

/// The task is at work while this lives, whichever way it ends.
struct UnderWay<'a>(&'a Cell<bool>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
