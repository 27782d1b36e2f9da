//! [`Timers`]: limits of time for calls that nearly always end long before them.
//!
//! A timer of tokio's costs two locks and two changes of its wheel for each call. Those here stay
//! armed from one call to the next, at a moment no later than the call's limit, and are moved only
//! when they fire: once in the length of the limit, and not once in a call.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// Armed timers that are kept for later calls: as many as calls wait at once on a busy shard.
const SPARE_MAX: usize = 256;

/// The timers of calls on one shard that have the same limit, or nearly.
#[derive(Debug, Default)]
pub struct Timers {
    spare: RefCell<Vec<Timer>>,
}

#[derive(Debug)]
struct Timer {
    sleep: Pin<Box<Sleep>>,
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
        let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        if let Poll::Ready(output) = first {
            return Some(output);
        }
        let due = due();
        let mut timer = self.take(due);
        let ended = poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => timer.poll(context, due).map(|()| None),
        })
        .await;
        self.give_back(timer);
        ended
    }

    fn take(&self, due: Instant) -> Timer {
        let spare = self.spare.borrow_mut().pop();
        spare.unwrap_or_else(|| Timer { sleep: Box::pin(sleep_until(due)) })
    }

    fn give_back(&self, timer: Timer) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE_MAX {
            spare.push(timer);
        }
    }
}

impl Timer {
    /// Ready when `due` has passed. Wakes the task of this poll, whichever it was before.
    fn poll(&mut self, context: &mut Context<'_>, due: Instant) -> Poll<()> {
        if self.sleep.deadline() > due {
            self.sleep.as_mut().reset(due);
        }
        loop {
            ready!(self.sleep.as_mut().poll(context));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::task::LocalSet;
    use tokio::time::sleep;

    use super::*;

    const UNIT: Duration = Duration::from_millis(10);

    fn run(test: impl AsyncFnOnce(&Timers)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(test(&Timers::default()));
    }

    /// A call that would never end does so at its limit, not before, and leaves its timer.
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
            assert!(timers.spare.borrow().is_empty());
        });
    }

    #[test]
    fn a_timer_serves_call_after_call() {
        run(async |timers| {
            for _ in 0..5 {
                let call = pin!(sleep(UNIT));
                assert_eq!(timers.within(|| Instant::now() + 3 * UNIT, call).await, Some(()));
            }
            assert_eq!(timers.spare.borrow().len(), 1);
            // Armed for a moment that is over, and for one later than asked.
            check_limit(timers, 8).await;
            let call = pin!(sleep(UNIT));
            assert_eq!(timers.within(|| Instant::now() + 60_000 * UNIT, call).await, Some(()));
            check_limit(timers, 2).await;
            assert_eq!(timers.spare.borrow().len(), 1);
        });
    }

    #[test]
    fn calls_at_once_have_a_timer_each() {
        run(async |timers| {
            let calls = [3, 1, 2].map(|units| check_limit(timers, units));
            futures_util::future::join_all(calls).await;
            assert_eq!(timers.spare.borrow().len(), 3);
        });
    }

    #[test]
    fn the_task_of_the_moment_is_woken() {
        run(async |_| {
            let timers = std::rc::Rc::new(Timers::default());
            let tasks = async {
                for units in [4, 2, 4] {
                    let timers = std::rc::Rc::clone(&timers);
                    let task = async move { check_limit(&timers, units).await };
                    tokio::task::spawn_local(task).await.unwrap();
                }
            };
            LocalSet::new().run_until(tasks).await;
            assert_eq!(timers.spare.borrow().len(), 1);
        });
    }
}
