//! [`Timers`]: limits of time for calls that nearly always end long before them.
//!
//! A timer of tokio's costs two locks and two changes of its wheel for each call. Here a call that
//! waits leaves its waker on a list, and one task of the shard looks through that list when the
//! first limit on it may be over: once in the length of the limit, and not once in a call.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use slab::Slab;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// The limits of calls on one shard. Cheapest when they are all of one length.
#[derive(Debug, Default)]
pub struct Timers {
    list: Rc<List>,
    /// The task that looks through the list, begun with the first call that waits.
    watch: OnceCell<JoinHandle<()>>,
}

/// The calls that wait: no more than there are callers, and those are guests, of which a shard has a
/// bounded number.
#[derive(Debug, Default)]
struct List {
    waiting: RefCell<Slab<Waiting>>,
    /// When it is looked through next; none while nothing waits.
    look: Cell<Option<Instant>>,
    /// That moment has become earlier.
    earlier: Notify,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    over: bool,
    /// Of the task that polled the call last.
    task: Waker,
}

/// A call's entry on the list, for as long as it waits.
struct Entry<'a> {
    list: &'a List,
    key: usize,
}

impl Timers {
    /// The call's end, or `None` when it had none until `due`, which is asked for once it is known
    /// that the call waits at all. Pinned where the caller is: taken by value, it would have
    /// two places in this future, one to come in and one to stay.
    pub async fn within<F: Future>(
        &self,
        due: impl FnOnce() -> Instant,
        mut call: Pin<&mut F>,
    ) -> Option<F::Output> {
        let mut due = Some(due);
        let mut entry = None;
        poll_fn(|context| {
            if let Poll::Ready(output) = call.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            if let Some(due) = due.take() {
                entry = Some(self.enter(due(), context.waker()));
            }
            match &entry {
                Some(entry) if entry.is_over(context.waker()) => Poll::Ready(None),
                _ => Poll::Pending,
            }
        })
        .await
    }

    fn enter(&self, due: Instant, task: &Waker) -> Entry<'_> {
        let list = &*self.list;
        let waiting = Waiting { due, over: false, task: task.clone() };
        let key = list.waiting.borrow_mut().insert(waiting);
        if list.look.get().is_none_or(|look| due < look) {
            list.look.set(Some(due));
            self.watch.get_or_init(|| tokio::task::spawn_local(watch(Rc::clone(&self.list))));
            list.earlier.notify_one();
        }
        Entry { list, key }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.get() {
            watch.abort();
        }
    }
}

impl Entry<'_> {
    /// Otherwise `task` is woken when it is.
    fn is_over(&self, task: &Waker) -> bool {
        let waiting = &mut self.list.waiting.borrow_mut()[self.key];
        waiting.task.clone_from(task);
        waiting.over
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // Its waker is dropped when the list is no longer borrowed.
        let _waiting = self.list.waiting.borrow_mut().remove(self.key);
    }
}

/// The life of the task.
async fn watch(list: Rc<List>) {
    loop {
        let earlier = list.earlier.notified();
        match list.look.get() {
            None => earlier.await,
            Some(look) => {
                if timeout_at(look, earlier).await.is_err() {
                    list.look_through(Instant::now());
                }
            }
        }
    }
}

impl List {
    /// Wakes whoever waits too long, and finds out when to look again.
    fn look_through(&self, now: Instant) {
        let mut next: Option<Instant> = None;
        for (_, waiting) in &mut *self.waiting.borrow_mut() {
            if waiting.due > now {
                next = Some(next.map_or(waiting.due, |next| next.min(waiting.due)));
            } else if !waiting.over {
                waiting.over = true;
                waiting.task.wake_by_ref();
            }
        }
        self.look.set(next);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::task::{LocalSet, spawn_local};
    use tokio::time::sleep;

    use super::*;

    const UNIT: Duration = Duration::from_millis(10);

    fn run(test: impl AsyncFnOnce(&Timers)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        LocalSet::new().block_on(&runtime, test(&Timers::default()));
    }

    /// Calls that wait.
    fn count(timers: &Timers) -> usize {
        timers.list.waiting.borrow().len()
    }

    /// A call that would never end does so at its limit, not before.
    async fn check_limit(timers: &Timers, units: u32) {
        let began = Instant::now();
        assert_eq!(
            timers.within(|| Instant::now() + units * UNIT, pin!(pending::<()>())).await,
            None
        );
        assert!(began.elapsed() >= units * UNIT, "{units}: {:?}", began.elapsed());
    }

    #[test]
    fn a_call_that_does_not_wait_has_no_limit() {
        run(async |timers| {
            let due = || unreachable!("nothing waited");
            assert_eq!(timers.within(due, pin!(async { 7 })).await, Some(7));
            assert!(timers.watch.get().is_none());
        });
    }

    #[test]
    fn a_limit_is_kept_whatever_the_one_before_was() {
        run(async |timers| {
            for _ in 0..5 {
                let call = pin!(sleep(UNIT));
                assert_eq!(timers.within(|| Instant::now() + 3 * UNIT, call).await, Some(()));
            }
            // The look that the last of them left is early for this one, and what this leaves late for the next.
            check_limit(timers, 8).await;
            let call = pin!(sleep(UNIT));
            assert_eq!(timers.within(|| Instant::now() + 60_000 * UNIT, call).await, Some(()));
            check_limit(timers, 2).await;
            assert_eq!(count(timers), 0);
            // Nothing has waited for so long that the task rests.
            sleep(10 * UNIT).await;
            check_limit(timers, 2).await;
        });
    }

    #[test]
    fn calls_at_once_have_a_limit_each() {
        run(async |timers| {
            let calls = [3, 1, 2].map(|units| check_limit(timers, units));
            let mut calls = pin!(futures_util::future::join_all(calls));
            assert!(futures_util::poll!(&mut calls).is_pending());
            assert_eq!(count(timers), 3);
            calls.await;
            assert_eq!(count(timers), 0);
        });
    }

    #[test]
    fn the_task_of_the_moment_is_woken() {
        run(async |_| {
            let timers = Rc::new(Timers::default());
            let mut call = Box::pin(async move { check_limit(&timers, 4).await });
            assert!(futures_util::poll!(&mut call).is_pending());
            spawn_local(call).await.unwrap();
        });
    }

    #[test]
    fn a_call_that_is_dropped_leaves_nothing() {
        run(async |timers| {
            for _ in 0..3 {
                let mut call = Box::pin(check_limit(timers, 1));
                assert!(futures_util::poll!(&mut call).is_pending());
            }
            assert_eq!(count(timers), 0);
            check_limit(timers, 2).await;
        });
    }

    #[test]
    fn the_task_ends_with_its_timers() {
        run(async |timers| {
            let others = Timers::default();
            check_limit(&others, 1).await;
            check_limit(timers, 1).await;
            let list = Rc::downgrade(&others.list);
            drop(others);
            tokio::task::yield_now().await;
            assert!(list.upgrade().is_none());
        });
    }
}
