//! Whose turn it is among the tasks of a shard.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::Poll;

/// Lets the tasks that are ready run before this one goes on.
pub(super) async fn behind_others() {
    let mut asked = false;
    poll_fn(|context| {
        if mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// The future's output when it is ready at once.
pub(super) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::pin::pin;
    use std::rc::Rc;

    use tokio::runtime::{Builder, LocalOptions};
    use tokio::task::spawn_local;

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        Builder::new_current_thread().build_local(LocalOptions::default()).unwrap().block_on(test);
    }

    #[test]
    fn tasks_that_are_ready_go_first_and_keep_their_order() {
        run(async {
            let steps = Rc::new(RefCell::new(Vec::new()));
            let tasks = ["a", "b", "c"].map(|name| {
                let steps = Rc::clone(&steps);
                spawn_local(async move {
                    steps.borrow_mut().push((name, "works"));
                    behind_others().await;
                    steps.borrow_mut().push((name, "writes"));
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            let expected = ["works", "writes"].map(|step| ["a", "b", "c"].map(|name| (name, step)));
            assert_eq!(*steps.borrow(), expected.concat());
        });
    }

    #[test]
    fn one_who_is_alone_goes_on() {
        run(behind_others());
    }

    #[test]
    fn what_waits_is_polled_once() {
        run(async {
            assert_eq!(poll_once(pin!(async { 7 })).await, Some(7));
            let mut waits = pin!(behind_others());
            assert_eq!(poll_once(waits.as_mut()).await, None);
            assert_eq!(poll_once(waits).await, Some(()));
        });
    }
}
