//! [`Permits`]: so many calls may have an instance at once; the others wait in the order in which they came.
//!
//! A shard's own: a semaphore between threads would cost each call its atomic exchanges and a lock.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Permits that are free while nobody waits, or else a queue of those who do.
#[derive(Debug)]
pub(super) struct Permits {
    free: Cell<usize>,
    queue: RefCell<VecDeque<Rc<Waiter>>>,
}

/// Leave to have one instance, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Permits);

#[derive(Debug)]
struct Waiter {
    granted: Cell<bool>,
    waker: RefCell<Waker>,
}

/// A place in the queue, given up whichever way the wait ends.
struct Place<'a> {
    permits: &'a Permits,
    waiter: Rc<Waiter>,
}

impl Permits {
    pub(super) fn new(count: usize) -> Permits {
        Permits { free: Cell::new(count), queue: RefCell::default() }
    }

    pub(super) fn free(&self) -> usize {
        self.free.get()
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.borrow().len()
    }

    #[inline]
    pub(super) fn try_acquire(&self) -> Option<Permit<'_>> {
        let left = self.free.get().checked_sub(1)?;
        self.free.set(left);
        Some(Permit(self))
    }

    /// Waits for its turn. Dropped before that, it leaves the queue.
    pub(super) async fn acquire(&self) -> Permit<'_> {
        if let Some(permit) = self.try_acquire() {
            return permit;
        }
        let waiter =
            Waiter { granted: Cell::new(false), waker: RefCell::new(Waker::noop().clone()) };
        let place = Place { permits: self, waiter: Rc::new(waiter) };
        self.queue.borrow_mut().push_back(Rc::clone(&place.waiter));
        poll_fn(|context| match place.waiter.granted.take() {
            true => Poll::Ready(Permit(self)),
            false => {
                place.waiter.waker.borrow_mut().clone_from(context.waker());
                Poll::Pending
            }
        })
        .await
    }

    /// Gives one to the first in the queue, or back to all.
    pub(super) fn add(&self) {
        let next = self.queue.borrow_mut().pop_front();
        match next {
            Some(waiter) => {
                waiter.granted.set(true);
                waiter.waker.borrow().wake_by_ref();
            }
            None => self.free.set(self.free.get() + 1),
        }
    }
}

impl Permit<'_> {
    /// Ends it without giving it back; [`Permits::add`] does that later.
    pub(super) fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.add();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.waiter.granted.take() {
            // It came too late: the wait had been given up in the same turn.
            self.permits.add();
        } else {
            self.permits.queue.borrow_mut().retain(|other| !Rc::ptr_eq(other, &self.waiter));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::Context;

    use super::*;

    fn poll<F: Future>(future: &mut Pin<&mut F>) -> Option<F::Output> {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[test]
    fn there_are_as_many_as_were_made() {
        let permits = Permits::new(2);
        let first = permits.try_acquire().unwrap();
        let second = permits.try_acquire().unwrap();
        assert!(permits.try_acquire().is_none());
        drop(first);
        assert_eq!(permits.free(), 1);
        second.forget();
        assert_eq!(permits.free(), 1);
        permits.add();
        assert_eq!(permits.free(), 2);
    }

    #[test]
    fn those_who_wait_are_served_in_their_order() {
        let permits = Permits::new(1);
        let held = permits.try_acquire().unwrap();
        let (mut first, mut second) = (pin!(permits.acquire()), pin!(permits.acquire()));
        assert!(poll(&mut first).is_none() && poll(&mut second).is_none());
        assert_eq!(permits.waiting(), 2);
        drop(held);
        // Nobody overtakes the one whose turn it is, even before that one has run.
        assert!(permits.try_acquire().is_none());
        assert!(poll(&mut second).is_none());
        let held = poll(&mut first).unwrap();
        assert_eq!((permits.waiting(), permits.free()), (1, 0));
        drop(held);
        drop(poll(&mut second).unwrap());
        assert_eq!((permits.waiting(), permits.free()), (0, 1));
    }

    #[test]
    fn a_wait_that_is_given_up_leaves_nothing() {
        for granted in [false, true] {
            let permits = Permits::new(1);
            let held = permits.try_acquire().unwrap();
            {
                let (mut first, mut second) = (pin!(permits.acquire()), pin!(permits.acquire()));
                assert!(poll(&mut first).is_none() && poll(&mut second).is_none());
                if granted {
                    permits.add();
                }
            }
            assert_eq!((permits.waiting(), permits.free()), (0, usize::from(granted)), "{granted}");
            drop(held);
            assert_eq!(permits.free(), 1 + usize::from(granted));
        }
    }
}
