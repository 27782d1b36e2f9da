//! A function's instances on one shard: warm ones are reused, as the last call left them or, where each call has a fresh
//! one, made what they were or replaced; more are made on demand up to the function's share of `pool_size`, and who finds
//! none waits in a bounded queue for a bounded time. An instance with much dirty memory keeps its place in that share until
//! it is given back: the allocator has a slot for each place, and one more.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use airside_capabilities::boxed::pinned;

use super::instance::{Instance, StartError};
use super::template::Template;
use super::{Chain, Guests, InvokeError, retire};
use crate::config::Isolation;
use crate::telemetry::clock;

mod permits;
mod turnover;

use permits::{Permit, Permits};
use turnover::Turnover;

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
    isolation: Isolation,
    /// The last invocation outlived its first turn, so the next one is not given a long one.
    pub(super) is_long: Cell<bool>,
    /// Instances that exist or are being made.
    pub(super) live: Cell<usize>,
    index: usize,
    template: Rc<Template>,
    /// Instances that were made so far.
    pub(super) made: Cell<u64>,
    /// Ready to be called; with `Isolation::Fresh`, as if for the first time. The last one to come is the first one taken:
    /// its memory is warm in the cache.
    #[expect(
        clippy::vec_box,
        reason = "taking one and giving it back moves a pointer and not the instance"
    )]
    idle: RefCell<Vec<Box<Instance>>>,
    /// One for each instance that serves a call.
    permits: Permits,
    turnover: Turnover,
}

/// An instance taken from its pool. Unless it is given back it is thrown away and another one takes its place.
pub(super) struct Checkout<'a> {
    guests: &'a Rc<Guests>,
    pool: &'a FunctionPool,
    instance: Option<Box<Instance>>,
    /// `None` when it is given back with the instance, later.
    permit: Option<Permit<'a>>,
}

impl FunctionPool {
    pub(super) fn new(
        index: usize,
        name: String,
        limits: PoolLimits,
        isolation: Isolation,
        template: Rc<Template>,
    ) -> FunctionPool {
        FunctionPool {
            name,
            limits,
            isolation,
            is_long: Cell::new(false),
            live: Cell::new(0),
            made: Cell::new(0),
            index,
            template,
            idle: RefCell::default(),
            permits: Permits::new(limits.instances),
            turnover: Turnover::default(),
        }
    }

    /// Instances that serve a call now, or that failed and are given back.
    pub(super) fn in_use(&self) -> usize {
        self.limits.instances - self.permits.free()
    }

    /// Calls that wait for an instance.
    pub(super) fn waiting(&self) -> usize {
        self.permits.waiting()
    }

    /// Finds out what fresh instances are, and makes one instance ready.
    pub(super) async fn open(&self, guests: &Guests) -> Result<(), StartError> {
        if self.isolation == Isolation::Fresh
            && let Some(pagemap) = &guests.pagemap
            && let Some(alone) = self.template.without_host()
        {
            match self.start_from(&alone, guests).await {
                Ok(mut instance) => self.template.keep(instance.snapshot(pagemap, &alone)),
                Err(error @ StartError::TimedOut { .. }) => return Err(error),
                // Its start calls the host. If there is another reason, the next one fails for it too and says so.
                Err(_) => self.template.keep(None),
            }
        }
        self.warm(guests).await
    }

    /// Makes one instance ready ahead of the requests.
    async fn warm(&self, guests: &Guests) -> Result<(), StartError> {
        let instance = self.start(guests).await?;
        self.idle.borrow_mut().push(instance);
        Ok(())
    }

    /// Takes an instance, making one or waiting for one when none is idle. `wait_ns` says how long that took: 0, with no
    /// look at the clock, when one was idle or could be made so.
    pub(super) async fn checkout<'a>(
        &'a self,
        guests: &'a Rc<Guests>,
        wait_ns: &mut u64,
    ) -> Result<Checkout<'a>, InvokeError> {
        if let Some(permit) = self.permits.try_acquire() {
            let ready = self.take_ready();
            if ready.is_some() {
                return Ok(Checkout { guests, pool: self, instance: ready, permit: Some(permit) });
            }
            drop(permit);
        }
        let asked_ns = clock::now_ns();
        // Boxed: making an instance takes 3 KiB of state, and what is inline here is part of each connection's task.
        let taken = pinned(|| self.checkout_slowly(guests)).await;
        *wait_ns = clock::now_ns() - asked_ns;
        taken
    }

    async fn checkout_slowly<'a>(
        &'a self,
        guests: &'a Rc<Guests>,
    ) -> Result<Checkout<'a>, InvokeError> {
        let permit = match self.permits.try_acquire() {
            Some(permit) => permit,
            None => self.wait_in_queue().await?,
        };
        let instance = match self.take_ready() {
            Some(instance) => instance,
            None => {
                self.drop_spent().await;
                self.start(guests).await.map_err(|error| match error {
                    StartError::NoSlot => InvokeError::NoInstance { waited: Duration::ZERO },
                    error => InvokeError::Start(error.to_string()),
                })?
            }
        };
        Ok(Checkout { guests, pool: self, instance: Some(instance), permit: Some(permit) })
    }

    /// One that is idle, or one that served a call when the turnover had no time for it yet.
    fn take_ready(&self) -> Option<Box<Instance>> {
        // The borrow ends with this statement: a reset borrows too.
        let idle = self.idle.borrow_mut().pop();
        idle.or_else(|| self.reset_used())
    }

    /// The permits are given out in the order in which they were asked for.
    async fn wait_in_queue(&self) -> Result<Permit<'_>, InvokeError> {
        if self.waiting() >= self.limits.queue_max {
            return Err(InvokeError::QueueFull { queue_max: self.limits.queue_max });
        }
        tokio::time::timeout(self.limits.wait, self.permits.acquire())
            .await
            .map_err(|_| InvokeError::NoInstance { waited: self.limits.wait })
    }

    async fn start(&self, guests: &Guests) -> Result<Box<Instance>, StartError> {
        let _live = Place::take(&self.live);
        let instance = self.start_from(&self.template, guests).await?;
        // Counted until it is thrown away.
        self.live.set(self.live.get() + 1);
        self.made.set(self.made.get() + 1);
        Ok(Box::new(instance))
    }

    /// Bounded by the function's own time limit, since it runs the guest's start code.
    async fn start_from(
        &self,
        template: &Template,
        guests: &Guests,
    ) -> Result<Instance, StartError> {
        // A start export may loop without end like any other.
        let _running = guests.epoch.run();
        let PoolLimits { timeout_ns, memory_bytes_max, .. } = self.limits;
        let chain = Chain::default().within(clock::now_ns(), timeout_ns);
        let start = Instance::start(&guests.this, self.index, memory_bytes_max, template, chain);
        let start = pin!(start);
        let timed_out = StartError::TimedOut { timeout_ms: timeout_ns / 1_000_000 };
        guests.until(chain.deadline_ns, start).await.unwrap_or(Err(timed_out))
    }

    /// Gives back an instance whose drop would hold the shard, and replaces it then. Its permit was forgotten: until then it
    /// counts as one that serves a call.
    fn retire(&self, mut instance: Box<Instance>, guests: &Rc<Guests>) {
        let (guests, index) = (Rc::clone(guests), self.index);
        tokio::task::spawn_local(async move {
            retire::give_back(&mut instance.store).await;
            drop(instance);
            let pool = &guests.functions[index];
            pool.permits.add();
            pool.replace_dropped(&guests);
        });
    }
}

impl Checkout<'_> {
    pub(super) fn instance(&mut self) -> &mut Instance {
        self.instance.as_mut().expect("only give_back takes it, and that ends the checkout")
    }

    /// Puts the instance back for the next call, unless that is to have another one. The call must have come to its end:
    /// what was cut off may have left the guest in the midst of anything.
    pub(super) fn give_back(mut self) {
        let Some(instance) = self.instance.take() else { return };
        match self.pool.isolation {
            Isolation::Reuse => self.pool.idle.borrow_mut().push(instance),
            Isolation::Fresh if self.pool.can_reset(&instance) => {
                self.pool.use_up(instance, self.guests);
            }
            Isolation::Fresh => self.instance = Some(instance),
        }
    }
}

impl Drop for Checkout<'_> {
    fn drop(&mut self) {
        let Some(mut instance) = self.instance.take() else { return };
        if retire::takes_long(&mut instance.store)
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
            self.pool.retire(instance, self.guests);
        } else {
            self.pool.spend(instance, self.guests);
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
