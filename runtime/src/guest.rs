//! Guests: WebAssembly functions, compiled once, run on the shard that owns the request. The only room that imports
//! wasmtime.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::time::Duration;

use airside_capabilities::backend::{BackendCounts, ShardBackend};
use airside_capabilities::functions::{FunctionError, FunctionIndex};
use airside_capabilities::logger::{Level, Logger};
use airside_capabilities::metrics::ShardMetrics;
use airside_capabilities::timer::Timers;
use airside_capabilities::{CallError, CallFunction, Caller, Capabilities};
use bytes::Bytes;
pub use wasmtime::Engine;
use wasmtime::Linker;

use crate::config::Isolation;
use crate::telemetry::{FunctionFault, Instances, Outcome, ShardTelemetry, clock};

pub mod artifact;
pub mod engine;
pub mod epoch;
mod host_call;
mod instance;
mod lane;
mod memory;
mod pool;
pub mod prepare;
mod retire;
mod template;
mod times;
mod wapc;
mod wasi;

pub use instance::StartError;
pub use pool::PoolLimits;
pub use times::CallTimes;

use epoch::EpochHandle;
use instance::{HostState, Invocation};
use lane::SlowLane;
use pool::FunctionPool;
use template::Template;

/// The operation that Tarmac's guests register.
pub const HANDLER: &str = "handler";
/// Buffers for responses that a shard keeps at most, and how large one may be to be kept.
const SPARE_BUFFERS_MAX: usize = 256;
const SPARE_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// What a shard needs to serve one function.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    pub name: String,
    /// Compiled code, from `artifact::ArtifactCache::prepare`.
    pub artifact: PathBuf,
    pub limits: PoolLimits,
    pub isolation: Isolation,
}

/// All functions of one shard and what their host calls reach. Lives and dies on the shard's thread.
pub struct Guests {
    functions: Vec<FunctionPool>,
    capabilities: Capabilities,
    backends: Vec<Rc<ShardBackend>>,
    telemetry: Rc<ShardTelemetry>,
    log: Logger,
    epoch: EpochHandle,
    lane: SlowLane,
    /// For deadlines that pass while a guest waits for the host.
    timers: Timers,
    depth_max: usize,
    spare_buffers: RefCell<Vec<Vec<u8>>>,
    this: Weak<Guests>,
}

/// What the shard's guests stand on.
#[expect(missing_debug_implementations, reason = "it is taken apart at once")]
pub struct Surroundings {
    pub capabilities: Capabilities,
    /// What the shard counts of the servers behind the capabilities.
    pub backends: Vec<Rc<ShardBackend>>,
    pub telemetry: Rc<ShardTelemetry>,
    pub log: Logger,
    pub epoch: EpochHandle,
    /// Functions that may call each other in a chain.
    pub depth_max: usize,
}

/// Why an invocation gave no answer. The text is what the client may see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    #[error("{queue_max} invocations are waiting for an instance already (function_queue_max)")]
    QueueFull { queue_max: usize },
    #[error("could not fetch module from pool - no instance within {} ms", waited.as_millis())]
    NoInstance { waited: Duration },
    #[error("the guest could not be started - {0}")]
    Start(String),
    #[error("the guest ran longer than {timeout_ms} ms (timeout_ms)")]
    Timeout { timeout_ms: u64 },
    #[error("the guest reached its memory limit of {bytes_max} bytes (memory_bytes_max)")]
    MemoryLimit { bytes_max: usize },
    #[error("guest trapped")]
    Trap,
    #[error("{0}")]
    Guest(String),
    #[error("functions call each other more than {depth_max} deep (function_depth_max)")]
    TooDeep { depth_max: usize },
}

impl InvokeError {
    /// How the request, or the call, counts.
    pub fn outcome(&self) -> Outcome {
        match self {
            InvokeError::QueueFull { .. } => Outcome::Shed,
            InvokeError::NoInstance { .. } => Outcome::NoInstance,
            InvokeError::Timeout { .. } => Outcome::Timeout,
            InvokeError::Start(_) => Outcome::Fault,
            InvokeError::MemoryLimit { .. } | InvokeError::Trap => Outcome::Trap,
            InvokeError::Guest(_) | InvokeError::TooDeep { .. } => Outcome::GuestError,
        }
    }
}

impl Guests {
    /// Loads the functions into the shard's engine and warms one instance of each.
    pub async fn load(
        engine: &Engine,
        specs: &[FunctionSpec],
        surroundings: Surroundings,
    ) -> Result<Rc<Guests>, LoadError> {
        let mut linker = Linker::new(engine);
        wapc::link(&mut linker).and_then(|()| wasi::link(&mut linker)).map_err(LoadError::host)?;
        let functions = specs
            .iter()
            .enumerate()
            .map(|(index, spec)| load_one(engine, &linker, index, spec))
            .collect::<Result<Vec<_>, LoadError>>()?;
        let Surroundings { capabilities, backends, telemetry, log, epoch, depth_max } =
            surroundings;
        let guests = Rc::new_cyclic(|this| Guests {
            functions,
            capabilities,
            backends,
            telemetry,
            log,
            epoch,
            lane: SlowLane::default(),
            timers: Timers::default(),
            depth_max,
            spare_buffers: RefCell::default(),
            this: this.clone(),
        });
        for pool in &guests.functions {
            pool.warm(&guests).await.map_err(|e| LoadError::function(&pool.name, e))?;
        }
        Ok(guests)
    }

    /// Calls a function. On success `response` holds its answer; what it held before is gone in any case. `times` is
    /// filled in whichever way the call ends.
    pub async fn invoke(
        self: &Rc<Self>,
        function: usize,
        payload: Bytes,
        response: &mut Vec<u8>,
        times: &mut CallTimes,
    ) -> Result<(), InvokeError> {
        self.invoke_in(Chain::default(), function, payload, response, times).await
    }

    async fn invoke_in(
        self: &Rc<Self>,
        chain: Chain,
        function: usize,
        payload: Bytes,
        response: &mut Vec<u8>,
        times: &mut CallTimes,
    ) -> Result<(), InvokeError> {
        response.clear();
        let pool = &self.functions[function];
        let mut checkout = match pool.checkout(self, &mut times.wait_ns).await {
            Ok(checkout) => checkout,
            Err(error) => {
                times.ended_ns = clock::now_ns();
                return Err(error);
            }
        };
        let started_ns = clock::now_ns();

        let chain = chain.within(started_ns, pool.limits.timeout_ns);
        let instance = checkout.instance();
        let is_long = pool.is_long.get();
        instance.begin(payload, response, chain, is_long);
        if is_long {
            self.epoch.outlived();
        } else {
            self.lane.begun();
        }
        let running = self.epoch.run();
        let called = self.until(chain.deadline_ns, async {
            if is_long {
                self.lane.turn(Duration::ZERO).await;
            }
            instance.call().await
        });
        let called = called.await;
        drop(running);

        let state = instance.store.data_mut();
        let ended_ns = clock::now_ns();
        times.started_ns = Some(started_ns);
        times.ended_ns = ended_ns;
        times.host = state.invocation.host;
        self.telemetry.invocation(function, ended_ns - started_ns);
        pool.is_long.set(state.invocation.is_long && state.invocation.epochs > 0);
        state.settle();
        state.flush_output();
        mem::swap(&mut state.invocation.response, response);
        state.invocation.payload = Bytes::new();

        match called {
            Some(Ok(succeeded)) => {
                let error = mem::take(&mut state.invocation.error);
                checkout.give_back();
                answer(succeeded, error)
            }
            failed => {
                let state = checkout.instance().store.data();
                Err(self.failure(function, state, failed.and_then(Result::err)))
            }
        }
        .inspect_err(|_| response.clear())
    }

    /// The call's end, or `None` when the deadline came first.
    async fn until<F: Future>(&self, deadline_ns: u64, call: F) -> Option<F::Output> {
        let left = || Duration::from_nanos(deadline_ns.saturating_sub(clock::now_ns()));
        self.timers.within(left, call).await
    }

    /// Why a call ended without the guest's word. The instance is of no use any more.
    fn failure(
        &self,
        function: usize,
        state: &HostState,
        error: Option<wasmtime::Error>,
    ) -> InvokeError {
        let limits = &self.functions[function].limits;
        let (failure, fault) = match error {
            Some(_) if state.limits.hit => {
                let bytes_max = limits.memory_bytes_max;
                (InvokeError::MemoryLimit { bytes_max }, FunctionFault::MemoryLimit)
            }
            Some(ref error) if !state.invocation.expired => {
                self.log_guest(Level::Error, function, format!("{error:#}").as_bytes());
                (InvokeError::Trap, FunctionFault::Trap)
            }
            _ => {
                let timeout_ms = state.invocation.chain.timeout_ns / 1_000_000;
                (InvokeError::Timeout { timeout_ms }, FunctionFault::Timeout)
            }
        };
        self.telemetry.function_fault(function, fault);
        failure
    }

    /// An empty buffer, with memory when one was given back.
    pub fn take_buffer(&self) -> Vec<u8> {
        self.spare_buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a buffer's memory for the next response.
    pub fn give_buffer(&self, mut buffer: Vec<u8>) {
        let mut spares = self.spare_buffers.borrow_mut();
        if buffer.capacity() <= SPARE_BUFFER_BYTES_MAX && spares.len() < SPARE_BUFFERS_MAX {
            buffer.clear();
            spares.push(buffer);
        }
    }

    /// Tells the telemetry how the pools stand now.
    pub fn report_instances(&self) {
        for (function, pool) in self.functions.iter().enumerate() {
            let count = |instances| u32::try_from(instances).unwrap_or(u32::MAX);
            let instances = Instances {
                live: count(pool.live.get()),
                in_use: count(pool.in_use()),
                waiting: count(pool.waiting.get()),
            };
            self.telemetry.instances(function, instances);
        }
    }

    /// What the shard has counted of each back end since its start.
    pub fn backend_counts(&self) -> Vec<BackendCounts> {
        self.backends.iter().map(|backend| backend.counts()).collect()
    }

    /// Where the shard counts.
    pub fn telemetry(&self) -> &Rc<ShardTelemetry> {
        &self.telemetry
    }

    /// The shard's side of the metrics that guests make.
    pub fn metrics(&self) -> &ShardMetrics {
        &self.capabilities.metrics
    }

    fn caller(&self, function: usize) -> Caller<'_> {
        Caller { function: &self.functions[function].name }
    }

    fn log_guest(&self, level: Level, function: usize, line: &[u8]) {
        self.log.log(level, &self.functions[function].name, line);
    }

    fn log_start_failure(&self, function: usize, error: &StartError) {
        self.log_guest(
            Level::Error,
            function,
            format!("cannot replace an instance: {error}").as_bytes(),
        );
    }
}

impl fmt::Debug for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.functions.iter().map(|pool| pool.name.as_str()).collect();
        f.debug_struct("Guests").field("functions", &names).finish_non_exhaustive()
    }
}

/// How an invocation came about.
#[derive(Debug, Clone, Copy)]
struct Chain {
    /// How many functions called each other to get here; 0 for the one that a route names.
    depth: usize,
    /// The first deadline of all functions in the chain, in monotonic nanoseconds, and the limit that set it.
    deadline_ns: u64,
    timeout_ns: u64,
}

/// The beginning of one: nothing bounds it yet.
impl Default for Chain {
    fn default() -> Chain {
        Chain { depth: 0, deadline_ns: u64::MAX, timeout_ns: u64::MAX }
    }
}

impl Chain {
    /// With one more function, which has this limit.
    fn within(self, started_ns: u64, timeout_ns: u64) -> Chain {
        let deadline_ns = started_ns.saturating_add(timeout_ns);
        if deadline_ns < self.deadline_ns {
            return Chain { deadline_ns, timeout_ns, ..self };
        }
        self
    }
}

/// Calls from a guest to other functions of its shard.
struct Nested {
    guests: Rc<Guests>,
    chain: Chain,
}

impl Nested {
    fn of(guests: &Rc<Guests>, invocation: &Invocation) -> Nested {
        let chain = Chain { depth: invocation.chain.depth + 1, ..invocation.chain };
        Nested { guests: Rc::clone(guests), chain }
    }
}

impl CallFunction for Nested {
    async fn call_function(
        &self,
        function: FunctionIndex,
        payload: &[u8],
        response: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        let depth_max = self.guests.depth_max;
        if self.chain.depth > depth_max {
            return Err(failed(&InvokeError::TooDeep { depth_max }));
        }
        let payload = Bytes::copy_from_slice(payload);
        let mut times = CallTimes::default();
        let function = function.0 as usize;
        // Boxed because the future of a call contains this one.
        let call = self.guests.invoke_in(self.chain, function, payload, response, &mut times);
        let called = Box::pin(call).await;
        let outcome = called.as_ref().map_or_else(InvokeError::outcome, |()| Outcome::Answered);
        self.guests.telemetry.call(function, outcome, &times.of_call());
        called.map_err(|error| failed(&error))
    }
}

fn failed(error: &InvokeError) -> CallError {
    CallError::Function(FunctionError::Failed(error.to_string()))
}

/// waPC's rule: an error text wins over whatever else the guest said.
fn answer(succeeded: bool, error: Vec<u8>) -> Result<(), InvokeError> {
    if !error.is_empty() {
        return Err(InvokeError::Guest(String::from_utf8_lossy(&error).into_owned()));
    }
    if !succeeded {
        return Err(InvokeError::Guest(format!("call to \"{HANDLER}\" was unsuccessful")));
    }
    Ok(())
}

/// Why a shard could not load its functions.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("function {function}: {reason}")]
    Function { function: String, reason: String },
    #[error("cannot define the host's functions: {0}")]
    Host(String),
}

impl LoadError {
    fn function(function: &str, reason: impl fmt::Display) -> LoadError {
        LoadError::Function { function: function.to_owned(), reason: reason.to_string() }
    }

    fn host(error: wasmtime::Error) -> LoadError {
        LoadError::Host(format!("{error:#}"))
    }
}

fn load_one(
    engine: &Engine,
    linker: &Linker<HostState>,
    index: usize,
    spec: &FunctionSpec,
) -> Result<FunctionPool, LoadError> {
    let fail = |reason: String| LoadError::function(&spec.name, reason);
    let module = artifact::load(engine, &spec.artifact).map_err(|e| fail(e.to_string()))?;
    let template = Template::new(linker, &module).map_err(|e| fail(format!("{e:#}")))?;
    Ok(FunctionPool::new(index, spec.name.clone(), spec.limits, spec.isolation, template))
}

#[cfg(test)]
mod tests;
