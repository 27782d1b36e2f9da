//! Guests: WebAssembly functions, compiled once, run on the shard that owns the request. The only room that imports
//! wasmtime.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::path::PathBuf;
use std::rc::{Rc, Weak};

use airside_capabilities::backend::{BackendCounts, ShardBackend};
use airside_capabilities::logger::{Level, Logger};
use airside_capabilities::metrics::ShardMetrics;
use airside_capabilities::timer::Timers;
use airside_capabilities::{Caller, Capabilities};
use bytes::Bytes;
use tokio::time::Instant;
pub use wasmtime::Engine;
use wasmtime::Linker;

use crate::config::Isolation;
use crate::telemetry::{Instances, ShardTelemetry, clock};

pub mod artifact;
mod chain;
pub mod engine;
pub mod epoch;
mod error;
mod expose;
mod host_call;
mod instance;
mod invoke;
mod lane;
mod memory;
mod pool;
pub mod prepare;
mod retire;
mod snapshot;
mod template;
mod times;
mod wapc;
mod wasi;

pub use error::{InvokeError, LoadError};
pub use instance::StartError;
pub use pool::PoolLimits;
pub use times::CallTimes;

use chain::Chain;
use epoch::EpochHandle;
use instance::HostState;
use lane::SlowLane;
use pool::FunctionPool;
use snapshot::Pagemap;
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
    /// How written pages are found; none when the kernel does not say, or no function wants to know.
    pagemap: Option<Rc<Pagemap>>,
    /// For deadlines that pass while a guest waits for the host.
    timers: Timers,
    /// When this was made, as the timers say it and in monotonic nanoseconds: deadlines are told to the timers without a
    /// look at the clock.
    loaded: (Instant, u64),
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

impl Guests {
    /// Loads the functions into the shard's engine and warms one instance of each.
    pub async fn load(
        engine: &Engine,
        specs: &[FunctionSpec],
        surroundings: Surroundings,
    ) -> Result<Rc<Guests>, LoadError> {
        let mut linker = Linker::new(engine);
        wapc::link(&mut linker).and_then(|()| wasi::link(&mut linker)).map_err(LoadError::host)?;
        let mut templates = HashMap::new();
        let mut functions = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            // Functions of one module are made from the same mapping of its code.
            let template = match templates.entry(&spec.artifact) {
                Entry::Occupied(known) => Rc::clone(known.get()),
                Entry::Vacant(new) => {
                    Rc::clone(new.insert(Rc::new(load_template(engine, &linker, spec)?)))
                }
            };
            let (name, isolation) = (spec.name.clone(), spec.isolation);
            functions.push(FunctionPool::new(index, name, spec.limits, isolation, template));
        }
        let any_fresh = specs.iter().any(|spec| spec.isolation == Isolation::Fresh);
        let pagemap = if any_fresh { Pagemap::open().map(Rc::new) } else { None };
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
            pagemap,
            timers: Timers::default(),
            loaded: (Instant::now(), clock::now_ns()),
            depth_max,
            spare_buffers: RefCell::default(),
            this: this.clone(),
        });
        for pool in &guests.functions {
            pool.open(&guests).await.map_err(|e| LoadError::function(&pool.name, e))?;
        }
        Ok(guests)
    }

    /// Calls a function. On success `response` holds its answer; what it held before is gone in any case. `times` is
    /// filled in whichever way the call ends.
    pub fn invoke(
        self: &Rc<Self>,
        function: usize,
        payload: Bytes,
        response: &mut Vec<u8>,
        times: &mut CallTimes,
    ) -> impl Future<Output = Result<(), InvokeError>> {
        self.invoke_in(Chain::default(), function, payload, response, times)
    }

    /// An empty buffer, with memory when one was given back.
    pub fn take_buffer(&self) -> Vec<u8> {
        self.spare_buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a buffer's memory for the next response.
    pub fn give_buffer(&self, mut buffer: Vec<u8>) {
        let mut spares = self.spare_buffers.borrow_mut();
        let worth_keeping = (1..=SPARE_BUFFER_BYTES_MAX).contains(&buffer.capacity());
        if worth_keeping && spares.len() < SPARE_BUFFERS_MAX {
            buffer.clear();
            spares.push(buffer);
        }
    }

    /// Whether a guest of the shard takes long turns.
    pub fn any_long(&self) -> bool {
        self.epoch.any_long()
    }

    /// Tells the telemetry how the pools stand now.
    pub fn report_instances(&self) {
        for (function, pool) in self.functions.iter().enumerate() {
            let count = |instances| u32::try_from(instances).unwrap_or(u32::MAX);
            let instances = Instances {
                live: count(pool.live.get()),
                in_use: count(pool.in_use()),
                waiting: count(pool.waiting()),
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

fn load_template(
    engine: &Engine,
    linker: &Linker<HostState>,
    spec: &FunctionSpec,
) -> Result<Template, LoadError> {
    let fail = |reason: String| LoadError::function(&spec.name, reason);
    let module = artifact::load(engine, &spec.artifact).map_err(|e| fail(e.to_string()))?;
    let exposed = artifact::is_exposed(&spec.artifact);
    Template::new(linker, &module, exposed).map_err(|e| fail(format!("{e:#}")))
}

#[cfg(test)]
mod tests;
