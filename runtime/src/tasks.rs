//! The tasks of a shard's connections: a queue that the shard's thread works through, inside one task of the reactor.
//!
//! tokio's tasks may be woken and dropped by any thread, and each turn of one costs half a dozen atomic exchanges; a request
//! takes two turns. These are woken by their own thread, but for a rare wake-up that comes from another one and takes a
//! detour. So a turn costs loads and stores. A panic ends the task that panicked and no other.

use std::cell::{OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use crossbeam::queue::SegQueue;
use slab::Slab;

/// Turns in a row before the reactor looks for news and its own tasks get theirs, as many as tokio gives its own.
const TURNS_MAX: u32 = 61;

thread_local! {
    /// Its address tells threads apart.
    static HERE: u8 = const { 0 };
}

/// The tasks of one shard. They end with the reactor that the first one was spawned on.
#[derive(Debug)]
pub struct Tasks {
    queue: Arc<Queue>,
    slots: RefCell<Slab<Slot>>,
    /// Tasks at most.
    max: usize,
    /// The reactor's task that gives turns has begun.
    begun: OnceCell<()>,
}

#[derive(Debug)]
struct Slot {
    place: Arc<Place>,
    /// Not there while it has its turn.
    task: Option<Task>,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

/// Who wants a turn. The ring and its ends are atomics so that wakers can be sent, as wakers must; only the tasks' own
/// thread touches them, so none of them is ever exchanged.
#[derive(Debug)]
struct Queue {
    home: usize,
    /// Numbers of tasks. Each is there once at most, so that it never overflows.
    ring: Box<[AtomicU32]>,
    head: AtomicU32,
    tail: AtomicU32,
    /// Numbers of tasks that other threads have woken since the last look: as many as answers of theirs that tasks waited
    /// for, of which each is given once.
    remote: SegQueue<u32>,
    /// The reactor's task knows that somebody wants a turn.
    awake: AtomicBool,
    reactor: OnceLock<Waker>,
}

/// A task as its wakers see it.
#[derive(Debug)]
struct Place {
    number: u32,
    /// It is in the ring, or it has ended.
    queued: AtomicBool,
    queue: Arc<Queue>,
}

impl Tasks {
    /// None yet, and `max` at most. They live on the thread that calls this.
    pub fn new(max: usize) -> Rc<Tasks> {
        // One more than there may be, so that a full ring is not taken for an empty one.
        let ring = (0..(max + 1).next_power_of_two()).map(|_| AtomicU32::new(0)).collect();
        let queue = Queue {
            home: here(),
            ring,
            head: AtomicU32::new(0),
            tail: AtomicU32::new(0),
            remote: SegQueue::new(),
            awake: AtomicBool::new(true),
            reactor: OnceLock::new(),
        };
        let (slots, begun) = (RefCell::default(), OnceCell::new());
        Rc::new(Tasks { queue: Arc::new(queue), slots, max, begun })
    }

    /// Begins a task. On the thread of a reactor only.
    ///
    /// # Panics
    /// When there are `max` already.
    pub fn spawn(self: &Rc<Self>, future: impl Future<Output = ()> + 'static) {
        self.begun.get_or_init(|| {
            let turns = give_turns(Ending(Rc::clone(self)));
            // A budget of tokio's would be one for all of the tasks together.
            tokio::task::spawn_local(tokio::task::unconstrained(turns));
        });
        let mut slots = self.slots.borrow_mut();
        assert!(slots.len() < self.max, "more tasks than there may be");
        let slot = slots.vacant_entry();
        let queue = Arc::clone(&self.queue);
        let number = u32::try_from(slot.key()).expect("fewer than the ring has places");
        let place = Arc::new(Place { number, queued: AtomicBool::new(false), queue });
        place.wake_by_ref();
        let waker = Waker::from(Arc::clone(&place));
        slot.insert(Slot { place, task: Some(Task { future: Box::pin(future), waker }) });
    }

    /// Gives turns. Whether somebody still wants one.
    fn turns(&self) -> bool {
        self.take_remote();
        for _ in 0..TURNS_MAX {
            let Some(number) = self.queue.pop() else { return false };
            self.turn(number as usize);
        }
        true
    }

    fn turn(&self, number: usize) {
        let Some(task) = self.take(number) else { return };
        let left = catch_unwind(AssertUnwindSafe(move || {
            // A task that panics is dropped while it does, as it would be by tokio.
            let mut task = task;
            let poll = task.future.as_mut().poll(&mut Context::from_waker(&task.waker));
            poll.is_pending().then_some(task)
        }));
        let mut slots = self.slots.borrow_mut();
        if let Ok(Some(task)) = left {
            slots[number].task = Some(task);
        } else {
            slots.remove(number).place.end();
        }
    }

    /// Takes a task out of its slot, so that it may begin other ones in its turn.
    fn take(&self, number: usize) -> Option<Task> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(number)?;
        slot.place.queued.store(false, Ordering::Relaxed);
        slot.task.take()
    }

    fn take_remote(&self) {
        while let Some(number) = self.queue.remote.pop() {
            // It may have ended meanwhile, and another one have its number: that one looks once for nothing.
            if let Some(slot) = self.slots.borrow().get(number as usize) {
                slot.place.wake_by_ref();
            }
        }
    }
}

/// Ends the tasks with the reactor. They hold what holds them.
struct Ending(Rc<Tasks>);

impl Drop for Ending {
    fn drop(&mut self) {
        let left = self.0.slots.take();
        left.iter().for_each(|(_, slot)| slot.place.end());
    }
}

/// The reactor's one task.
async fn give_turns(tasks: Ending) {
    let (tasks, queue) = (&*tasks.0, &*tasks.0.queue);
    poll_fn(|context| {
        queue.reactor.get_or_init(|| context.waker().clone());
        Poll::Ready(())
    })
    .await;
    loop {
        if tasks.turns() {
            tokio::task::yield_now().await;
        } else {
            queue.awake.store(false, Ordering::Relaxed);
            poll_fn(|_| match queue.awake.load(Ordering::Relaxed) || !queue.remote.is_empty() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
        }
    }
}

impl Queue {
    fn push(&self, number: u32) {
        let tail = self.tail.load(Ordering::Relaxed);
        self.ring[tail as usize & (self.ring.len() - 1)].store(number, Ordering::Relaxed);
        self.tail.store(tail.wrapping_add(1), Ordering::Relaxed);
        if !self.awake.load(Ordering::Relaxed) {
            self.awake.store(true, Ordering::Relaxed);
            self.wake_reactor();
        }
    }

    fn pop(&self) -> Option<u32> {
        let head = self.head.load(Ordering::Relaxed);
        if head == self.tail.load(Ordering::Relaxed) {
            // From the beginning again: the fewer places are in use, the more of them stay in the cache.
            self.head.store(0, Ordering::Relaxed);
            self.tail.store(0, Ordering::Relaxed);
            return None;
        }
        self.head.store(head.wrapping_add(1), Ordering::Relaxed);
        Some(self.ring[head as usize & (self.ring.len() - 1)].load(Ordering::Relaxed))
    }

    /// Before the reactor's task has run there is nothing to wake: it runs.
    fn wake_reactor(&self) {
        if let Some(reactor) = self.reactor.get() {
            reactor.wake_by_ref();
        }
    }
}

impl Place {
    /// Whoever still holds a waker wakes nobody from now on.
    fn end(&self) {
        self.queued.store(true, Ordering::Relaxed);
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if here() != self.queue.home {
            self.queue.remote.push(self.number);
            self.queue.wake_reactor();
        } else if !self.queued.load(Ordering::Relaxed) {
            self.queued.store(true, Ordering::Relaxed);
            self.queue.push(self.number);
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

#[cfg(test)]
mod tests;
