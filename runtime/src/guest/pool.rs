//! A function's instances on one shard: warm ones are reused, more are made on demand up to the function's share of
//! `pool_size`, and who finds none waits in a bounded queue for a bounded time. An instance that failed keeps its place in
//! that share until its memory is given back: the allocator has a slot for each place, and one more.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::InstancePre;

use super::instance::{HostState, Instance, StartError};
use super::{Guests, InvokeError, retire};
use crate::telemetry::clock;

/// Limits of one function on one shard.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Instances at most: this shard's share of `pool_size`.
    pub instances: usize,
    /// Invocations that may wait for an instance at once.
    pub queue_max: usize,
    /// How long one waits.
    pub wait: Duration,
    /// An invocation's wall-clock limit, in nanoseconds.
    pub timeout_ns: u64,
    /// Linear memory of one instance at most.
    pub memory_bytes_max: usize,
}

/// The instances of one function on one shard.
pub(super) struct FunctionPool {
    pub(super) name: String,
    pub(super) limits: PoolLimits,
    pub(super) waiting: Cell<usize>,
    /// The last invocation outlived its first turn, so the next one is not given a long one.
    pub(super) is_long: Cell<bool>,
    /// Instances that exist or are being made.
    pub(super) live: Cell<usize>,
    index: usize,
    pre: InstancePre<HostState>,
    /// The last one given back is the first one taken: its memory is warm in the cache.
    #[expect(
        clippy::vec_box,
        reason = "taking one and giving it back moves a pointer and not the instance"
    )]
    idle: RefCell<Vec<Box<Instance>>>,
    permits: Semaphore,
}

/// An instance taken from its pool. Unless it is given back it is thrown away and another one takes its place.
pub(super) struct Checkout<'a> {
    guests: &'a Rc<Guests>,
    pool: &'a FunctionPool,
    instance: Option<Box<Instance>>,
    permit: SemaphorePermit<'a>,
}

impl FunctionPool {
    pub(super) fn new(
        index: usize,
        name: String,
        limits: PoolLimits,
        pre: InstancePre<HostState>,
    ) -> FunctionPool {
        FunctionPool {
            name,
            limits,
            waiting: Cell::new(0),
            is_long: Cell::new(false),
            live: Cell::new(0),
            index,
            pre,
            idle: RefCell::default(),
            permits: Semaphore::new(limits.instances),
        }
    }

    /// Instances that serve a call now, or that failed and are given back.
    pub(super) fn in_use(&self) -> usize {
        self.limits.instances - self.permits.available_permits()
    }

    /// Makes one instance ready ahead of the requests.
    pub(super) async fn warm(&self, guests: &Guests) -> Result<(), StartError> {
        let instance = self.start(guests).await?;
        self.idle.borrow_mut().push(instance);
        Ok(())
    }

    /// Takes an instance, making one or waiting for one when none is idle. `wait_ns` says how long that took: 0, with no
    /// look at the clock, when one was idle.
    pub(super) async fn checkout<'a>(
        &'a self,
        guests: &'a Rc<Guests>,
        wait_ns: &mut u64,
    ) -> Result<Checkout<'a>, InvokeError> {
        if let Ok(permit) = self.permits.try_acquire() {
            // The borrow ends with this statement: making an instance may suspend.
            let idle = self.idle.borrow_mut().pop();
            if idle.is_some() {
                return Ok(Checkout { guests, pool: self, instance: idle, permit });
            }
            drop(permit);
        }
        let asked_ns = clock::now_ns();
        let taken = self.checkout_slowly(guests).await;
        *wait_ns = clock::now_ns() - asked_ns;
        taken
    }

    async fn checkout_slowly<'a>(
        &'a self,
        guests: &'a Rc<Guests>,
    ) -> Result<Checkout<'a>, InvokeError> {
        let permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => self.wait_in_queue().await?,
        };
        let idle = self.idle.borrow_mut().pop();
        let instance = match idle {
            Some(instance) => instance,
            None => self.start(guests).await.map_err(|error| match error {
                StartError::NoSlot => InvokeError::NoInstance { waited: Duration::ZERO },
                error => InvokeError::Start(error.to_string()),
            })?,
        };
        Ok(Checkout { guests, pool: self, instance: Some(instance), permit })
    }

    /// The permits are given out in the order in which they were asked for.
    async fn wait_in_queue(&self) -> Result<SemaphorePermit<'_>, InvokeError> {
        if self.waiting.get() >= self.limits.queue_max {
            return Err(InvokeError::QueueFull { queue_max: self.limits.queue_max });
        }
        let _place = Place::take(&self.waiting);
        match tokio::time::timeout(self.limits.wait, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            // The semaphore is never closed, so that is the time-out.
            _ => Err(InvokeError::NoInstance { waited: self.limits.wait }),
        }
    }

    /// Bounded by the function's own time limit, since it runs the guest's start code.
    async fn start(&self, guests: &Guests) -> Result<Box<Instance>, StartError> {
        let _live = Place::take(&self.live);
        // A start export may loop without end like any other.
        let _running = guests.epoch.run();
        let limit = Duration::from_nanos(self.limits.timeout_ns);
        let start = Instance::start(&guests.this, self.index, &self.limits, &self.pre);
        let timeout_ms = self.limits.timeout_ns / 1_000_000;
        let instance = tokio::time::timeout(limit, start)
            .await
            .map_err(|_| StartError::TimedOut { timeout_ms })??;
        // Counted until it is thrown away.
        self.live.set(self.live.get() + 1);
        Ok(Box::new(instance))
    }

    /// Makes an instance in the place of one that was dropped.
    fn replace_one(&self, guests: &Rc<Guests>) {
        self.live.set(self.live.get() - 1);
        if self.live.get() >= self.limits.instances {
            return;
        }
        let (guests, index) = (Rc::downgrade(guests), self.index);
        tokio::task::spawn_local(async move {
            if let Some(guests) = guests.upgrade()
                && let Err(error) = guests.functions[index].warm(&guests).await
            {
                // The next request tries again, and answers with the reason.
                guests.log_start_failure(index, &error);
            }
        });
    }

    /// Gives back an instance whose drop would hold the shard, and replaces it then. Its permit was forgotten.
    fn retire(&self, mut instance: Box<Instance>, guests: &Rc<Guests>) {
        let (guests, index) = (Rc::clone(guests), self.index);
        tokio::task::spawn_local(async move {
            retire::give_back(&mut instance.store).await;
            drop(instance);
            let pool = &guests.functions[index];
            pool.permits.add_permits(1);
            pool.replace_one(&guests);
        });
    }
}

impl Checkout<'_> {
    pub(super) fn instance(&mut self) -> &mut Instance {
        self.instance.as_mut().expect("only give_back takes it, and that ends the checkout")
    }

    /// Puts the instance back for the next call.
    pub(super) fn give_back(mut self) {
        if let Some(instance) = self.instance.take() {
            self.pool.idle.borrow_mut().push(instance);
        }
    }
}

impl Drop for Checkout<'_> {
    fn drop(&mut self) {
        let Some(mut instance) = self.instance.take() else { return };
        if retire::takes_long(&mut instance.store)
            && let Some(permit) = self.permit.split(1)
        {
            permit.forget();
            self.pool.retire(instance, self.guests);
        } else {
            drop(instance);
            self.pool.replace_one(self.guests);
        }
    }
}

/// Counts one while it lives, whichever way a wait or a start ends.
struct Place<'a>(&'a Cell<usize>);

impl<'a> Place<'a> {
    fn take(counter: &'a Cell<usize>) -> Place<'a> {
        counter.set(counter.get() + 1);
        Place(counter)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
