//! One live copy of a module: its store, what the host remembers for it, and how it is started and called.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use send_wrapper::SendWrapper;
use wasmtime::{Memory, ResourceLimiter, Store, StoreContextMut, TypedFunc, UpdateDeadline};

use super::snapshot::{Pagemap, Snapshot};
use super::template::Template;
use super::{Chain, Guests, HANDLER, SPARE_BUFFER_BYTES_MAX, retire};
use crate::telemetry::{HostTimes, clock};

/// What the host keeps for one instance. `wasmtime` wants it `Send`, though a store never leaves its shard.
pub(super) struct HostState {
    /// The shard's guests. Weak: idle instances are owned by them. `SendWrapper`: made, used and dropped on the shard's
    /// thread, which runs all of its tasks and outlives none of them.
    pub(super) guests: SendWrapper<Weak<Guests>>,
    /// Index of the function this is an instance of.
    pub(super) function: usize,
    pub(super) memory: Option<Memory>,
    pub(super) limits: MemoryLimit,
    pub(super) invocation: Invocation,
    /// When the slow lane gave the turn that the guest is in, in monotonic nanoseconds; 0 when it did not. Shared with the
    /// future that waits for a turn, which has no way to the store. `SendWrapper` for the reason that `guests` has one.
    pub(super) turn_began_ns: SendWrapper<Rc<Cell<u64>>>,
    /// The last host call's answer or error, kept until the guest fetches it or makes another call.
    pub(super) host_response: Vec<u8>,
    pub(super) host_error: Vec<u8>,
    /// What the guest wrote to standard output and error since the last end of line.
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// The call under way.
#[derive(Default)]
pub(super) struct Invocation {
    pub(super) operation: &'static str,
    pub(super) payload: Bytes,
    /// The guest's answer; empty when it gave none.
    pub(super) response: Vec<u8>,
    /// The guest's error text; not empty means that the invocation failed.
    pub(super) error: Vec<u8>,
    pub(super) chain: Chain,
    /// Time spent in host calls.
    pub(super) host: HostTimes,
    /// Epochs seen since the guest last waited for the host.
    pub(super) epochs: u32,
    /// The ticker counts this invocation as one that outlived its first turn.
    pub(super) is_long: bool,
    /// The deadline ended the guest.
    pub(super) expired: bool,
}

/// The function's limit on linear memory, held at each growth.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemoryLimit {
    pub(super) bytes_max: usize,
    /// A growth was refused for it, which ended the guest.
    pub(super) hit: bool,
}

/// A guest that asked for more memory than its function may have.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the guest asked for {wanted} bytes of memory, its limit is {limit} (memory_bytes_max)")]
struct MemoryLimitHit {
    wanted: usize,
    limit: usize,
}

/// A guest that ran into its deadline.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the guest ran into its deadline")]
pub(super) struct DeadlineHit;

/// Why an instance could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No slot is left in the shard's pooling allocator: its instances are all in use.
    #[error("no memory slot is free on this shard")]
    NoSlot,
    #[error("{export} failed: {reason}")]
    Failed { export: &'static str, reason: String },
    #[error("its start took longer than {timeout_ms} ms (timeout_ms)")]
    TimedOut { timeout_ms: u64 },
    #[error("it cannot be linked: {0}")]
    Link(String),
}

/// An instance that is ready for calls. It serves one at a time.
pub(super) struct Instance {
    pub(super) store: Store<HostState>,
    instance: wasmtime::Instance,
    call: TypedFunc<(i32, i32), i32>,
}

impl Instance {
    /// Makes an instance and runs its start exports, which `chain` has the deadline of.
    pub(super) async fn start(
        guests: &Weak<Guests>,
        function: usize,
        memory_bytes_max: usize,
        template: &Template,
        chain: Chain,
    ) -> Result<Instance, StartError> {
        let state = HostState::new(guests, function, memory_bytes_max, chain);
        let mut store = Store::new(template.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(at_epoch);
        let made = template.instantiate(&mut store).await;
        let state = store.data_mut();
        state.settle();
        match made {
            Ok((instance, call)) => {
                state.flush_output();
                Ok(Instance { store, instance, call })
            }
            Err(error) => {
                // Its start code may have dirtied as much as a call may.
                retire::give_back(&mut store).await;
                Err(error)
            }
        }
    }

    /// What it is now, after its start and before its first call.
    pub(super) fn snapshot(
        &mut self,
        pagemap: &Rc<Pagemap>,
        template: &Template,
    ) -> Option<Snapshot> {
        Snapshot::take(pagemap, &mut self.store, self.instance, template.globals())
    }

    /// Whether a reset has a chance: it cannot make memory smaller.
    pub(super) fn fits(&self, snapshot: &Snapshot) -> bool {
        snapshot.fits(&self.store)
    }

    /// Makes it what it was before its first call. `false`: it may not be called again.
    pub(super) fn reset(&mut self, snapshot: &Snapshot) -> bool {
        let state = self.store.data();
        // All of it is made anew, so that nothing is forgotten that may be added to it; but the memory is the same one.
        let (bytes_max, chain) = (state.limits.bytes_max, Chain::default());
        let mut new = HostState::new(&state.guests, state.function, bytes_max, chain);
        new.memory = state.memory;
        *self.store.data_mut() = new;
        snapshot.restore(&mut self.store, self.instance)
    }

    /// Runs `__guest_call`. True: the guest says it succeeded.
    pub(super) async fn call(&mut self) -> wasmtime::Result<bool> {
        self.store.set_epoch_deadline(1);
        let invocation = &self.store.data().invocation;
        // Guests are 32-bit: a payload beyond their address space cannot reach them, and the body limit is far below.
        let lengths = (invocation.operation.len() as i32, invocation.payload.len() as i32);
        self.call.call_async(&mut self.store, lengths).await.map(|result| result == 1)
    }

    /// Readies the state for the next call, whose answer goes into the memory of `response`.
    pub(super) fn begin(
        &mut self,
        payload: Bytes,
        response: &mut Vec<u8>,
        chain: Chain,
        is_long: bool,
    ) {
        let state = self.store.data_mut();
        state.turn_began_ns.set(0);
        let invocation = &mut state.invocation;
        invocation.operation = HANDLER;
        invocation.payload = payload;
        std::mem::swap(&mut invocation.response, response);
        invocation.error.clear();
        invocation.chain = chain;
        invocation.host = HostTimes::default();
        invocation.epochs = 0;
        invocation.is_long = is_long;
        invocation.expired = false;
        state.host_error.clear();
        state.host_response.clear();
        // One large answer must not stay with each instance that ever got one.
        state.host_response.shrink_to(SPARE_BUFFER_BYTES_MAX);
    }
}

impl HostState {
    /// Of an instance that is about to start, which `chain` has the deadline of.
    fn new(guests: &Weak<Guests>, function: usize, memory_bytes_max: usize, chain: Chain) -> Self {
        HostState {
            guests: SendWrapper::new(guests.clone()),
            function,
            memory: None,
            limits: MemoryLimit { bytes_max: memory_bytes_max, hit: false },
            invocation: Invocation { chain, ..Invocation::default() },
            turn_began_ns: SendWrapper::new(Rc::default()),
            host_response: Vec::new(),
            host_error: Vec::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    /// A guest that was suspended in a host call starts a new turn.
    pub(super) fn new_turn(&mut self) {
        self.settle();
        self.invocation.epochs = 0;
        self.turn_began_ns.set(0);
    }

    /// The guest returned or is given up: it no longer counts as one that outlived its first turn.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.invocation.is_long)
            && let Some(guests) = self.guests.upgrade()
        {
            guests.epoch.settled();
        }
    }
}

/// A call or a start that is given up ends here.
impl Drop for HostState {
    fn drop(&mut self) {
        self.settle();
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.bytes_max {
            self.hit = true;
            // A trap that names the limit, not a -1 that the guest may ask for again without end.
            return Err(MemoryLimitHit { wanted: desired, limit: self.bytes_max }.into());
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= super::engine::TABLE_ELEMENTS_MAX)
    }
}

/// Runs at the first epoch boundary that a running guest meets: ends it at its deadline, lets it finish its first turn,
/// and from then on makes it take turns with the shard's other work.
fn at_epoch(mut store: StoreContextMut<'_, HostState>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data_mut();
    let now_ns = clock::now_ns();
    if now_ns >= state.invocation.chain.deadline_ns {
        state.invocation.expired = true;
        return Err(DeadlineHit.into());
    }
    state.invocation.epochs += 1;
    let Some(guests) = state.guests.upgrade() else { return Err(DeadlineHit.into()) };
    if !state.invocation.is_long {
        if state.invocation.epochs == 1 {
            return Ok(UpdateDeadline::Continue(1));
        }
        state.invocation.is_long = true;
        guests.epoch.outlived();
    }
    let began_ns = Rc::clone(&state.turn_began_ns);
    let used = match began_ns.get() {
        0 => Duration::ZERO,
        began_ns => Duration::from_nanos(now_ns.saturating_sub(began_ns)),
    };
    let turn = SendWrapper::new(async move {
        guests.lane.turn(used).await;
        began_ns.set(clock::now_ns());
    });
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(turn)))
}
