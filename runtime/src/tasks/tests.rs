//! Turns in their order, wake-ups from other threads, panics, and the end of it all.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{mpsc, oneshot};

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

fn reactor() -> LocalRuntime {
    Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).unwrap()
}

fn run(test: impl AsyncFnOnce(Rc<Tasks>)) {
    reactor().block_on(async {
        tokio::time::timeout(DEADLINE, test(Tasks::new(200))).await.expect("it ends in time");
    });
}

/// Waits for `count` messages.
async fn ends(ended: &mut mpsc::UnboundedReceiver<usize>, count: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(ended.recv().await.expect("a task that has not ended holds the other end"));
    }
    numbers
}

/// Wants another turn at once.
async fn again() {
    let mut asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn turns_are_given_in_the_order_in_which_they_were_asked_for() {
    run(async |tasks| {
        let steps = Rc::new(RefCell::new(Vec::new()));
        let (sender, mut ended) = mpsc::unbounded_channel();
        for number in 0..3 {
            let (steps, sender) = (Rc::clone(&steps), sender.clone());
            tasks.spawn(async move {
                for step in 0..3 {
                    steps.borrow_mut().push((step, number));
                    again().await;
                }
                sender.send(number).unwrap();
            });
        }
        assert_eq!(ends(&mut ended, 3).await, [0, 1, 2]);
        let expected: Vec<_> = (0..3).flat_map(|step| (0..3).map(move |n| (step, n))).collect();
        assert_eq!(*steps.borrow(), expected);
    });
}

#[test]
fn more_tasks_than_turns_in_a_row_let_the_reactor_look_for_news() {
    run(async |tasks| {
        let (sender, mut ended) = mpsc::unbounded_channel();
        let stop = Rc::new(Cell::new(false));
        for number in 0..2 * TURNS_MAX as usize {
            let (stop, sender) = (Rc::clone(&stop), sender.clone());
            tasks.spawn(async move {
                while !stop.get() {
                    again().await;
                }
                sender.send(number).unwrap();
            });
        }
        // A timer and a task of tokio's own, though the queue is never empty.
        let other = tokio::task::spawn_local(tokio::task::yield_now());
        tokio::time::sleep(Duration::from_millis(5)).await;
        other.await.unwrap();
        stop.set(true);
        ends(&mut ended, 2 * TURNS_MAX as usize).await;
    });
}

#[test]
fn tasks_wait_for_timers_channels_and_each_other() {
    run(async |tasks| {
        let (sender, mut ended) = mpsc::unbounded_channel();
        let (tell, told) = oneshot::channel();
        let (first, second, third) = (sender.clone(), sender.clone(), sender);
        tasks.spawn(async move { first.send(told.await.unwrap()).unwrap() });
        tasks.spawn(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            tell.send(7).unwrap();
            second.send(1).unwrap();
        });
        let inner = Rc::clone(&tasks);
        tasks.spawn(async move { inner.spawn(async move { third.send(2).unwrap() }) });
        assert_eq!(ends(&mut ended, 3).await, [2, 1, 7]);
        assert_eq!(tasks.slots.borrow().len(), 0);
    });
}

#[test]
fn a_task_that_another_thread_wakes_runs_on_its_own() {
    run(async |tasks| {
        let home = std::thread::current().id();
        for _ in 0..200 {
            let (sender, mut ended) = mpsc::unbounded_channel();
            let (tell, told) = oneshot::channel();
            tasks.spawn(async move {
                let number = told.await.unwrap();
                assert_eq!(std::thread::current().id(), home);
                sender.send(number).unwrap();
            });
            let thread = std::thread::spawn(move || tell.send(3).unwrap());
            assert_eq!(ends(&mut ended, 1).await, [3]);
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_waker_that_outlives_its_task_wakes_nobody() {
    run(async |tasks| {
        let (sender, mut ended) = mpsc::unbounded_channel();
        let kept = Rc::new(RefCell::new(Vec::new()));
        let turns = Rc::new(Cell::new(0));
        for number in 0..3 {
            let (kept, sender) = (Rc::clone(&kept), sender.clone());
            tasks.spawn(async move {
                poll_fn(|context| {
                    kept.borrow_mut().push(context.waker().clone());
                    Poll::Ready(())
                })
                .await;
                sender.send(number).unwrap();
            });
            ends(&mut ended, 1).await;
        }
        // It has the number of those before it.
        let (counted, last) = (Rc::clone(&turns), sender.clone());
        let (stop, mut stopped) = oneshot::channel::<()>();
        tasks.spawn(async move {
            poll_fn(|context| {
                counted.set(counted.get() + 1);
                Pin::new(&mut stopped).poll(context)
            })
            .await
            .unwrap();
            last.send(9).unwrap();
        });
        tokio::task::yield_now().await;
        for waker in kept.borrow().iter().cycle().take(1000) {
            waker.wake_by_ref();
        }
        tokio::task::yield_now().await;
        assert_eq!(turns.get(), 1);
        stop.send(()).unwrap();
        assert_eq!(ends(&mut ended, 1).await, [9]);
        assert_eq!(turns.get(), 2);
    });
}

/// Says whether it was dropped by a panic.
struct Witness(Rc<Cell<Option<bool>>>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.set(Some(std::thread::panicking()));
    }
}

#[test]
fn a_panic_ends_its_task_and_no_other() {
    run(async |tasks| {
        let (sender, mut ended) = mpsc::unbounded_channel();
        let seen = Rc::new(Cell::new(None));
        let witness = Witness(Rc::clone(&seen));
        tasks.spawn(async move {
            let _witness = witness;
            again().await;
            panic!("on purpose");
        });
        tasks.spawn(async move {
            for _ in 0..3 {
                again().await;
            }
            sender.send(1).unwrap();
        });
        assert_eq!(ends(&mut ended, 1).await, [1]);
        assert_eq!(seen.get(), Some(true));
        assert_eq!(tasks.slots.borrow().len(), 0);
    });
}

#[test]
fn tasks_end_with_their_reactor() {
    let seen = Rc::new(Cell::new(None));
    let witness = Witness(Rc::clone(&seen));
    let kept = Rc::new(RefCell::new(None));
    let reactor = reactor();
    let tasks = Tasks::new(1);
    reactor.block_on(async {
        // What the shard is to its connections.
        let (holds, waker) = (Rc::clone(&tasks), Rc::clone(&kept));
        tasks.spawn(async move {
            let _both = (holds, witness);
            poll_fn(|context| {
                *waker.borrow_mut() = Some(context.waker().clone());
                Poll::<()>::Pending
            })
            .await;
        });
        let began = Instant::now();
        while kept.borrow().is_none() && began.elapsed() < DEADLINE {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(seen.get(), None);
    drop(reactor);
    assert_eq!(seen.get(), Some(false));
    kept.take().unwrap().wake();
    assert_eq!(Rc::strong_count(&tasks), 1);
}
