//! The way up and down: compile the functions, place the cores, start the shards, wait for a signal, drain.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self as std_mpsc, RecvTimeoutError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use crate::admin;
use crate::config::{Config, FunctionConfig, Isolation};
use crate::control::{BackendWatch, Control, ControlError, EndSignals, ShardHandle};
use crate::cpus::{self, CpuError, slice};
use crate::executor::{self, ExecutorError, ExecutorThread};
use crate::guest::LoadError;
use crate::guest::artifact::ArtifactCache;
use crate::guest::engine;
use crate::guest::epoch::EpochTicker;
use crate::guest::prepare::{self, Definition, PrepareError, Prepared};
use crate::log::{self, Level, Log};
use crate::net::balance;
use crate::net::listener::{self, ListenError};
use crate::router::{RouteConflict, Router};
use crate::shard::INBOX_MAX;
use crate::telemetry::Collected;

mod backends;
mod plan;

use backends::{Backends, BackendsError};
use plan::{Plan, ShardStart};

/// For functions with isolation fresh on an old kernel.
const FRESH_IS_SLOW: &str = "this kernel does not say which pages a function wrote (Linux 6.7 and newer do), so each call \
    of a function with isolation fresh zeroes up to 1 MiB";
/// What the control thread, which renders the admin pages, is nicer than the shards, with which it shares their cores.
const CONTROL_NICENESS: i32 = 10;
/// How long the last lines of the log may take to be written.
const LOG_END_MAX: Duration = Duration::from_secs(1);

/// Why the server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error(transparent)]
    Cpus(#[from] CpuError),
    #[error("{}", joined(.0))]
    Functions(Vec<PrepareError>),
    #[error("cannot make a folder for compiled code: {0}")]
    Artifacts(io::Error),
    #[error("cannot set up WebAssembly: {0}")]
    Engine(String),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("{}", joined(.0))]
    Routes(Vec<RouteConflict>),
    #[error(transparent)]
    Backends(#[from] BackendsError),
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl BootError {
    /// What kind of error it is, by the BSD convention (sysexits.h).
    pub fn exit_code(&self) -> ExitCode {
        const USAGE: u8 = 64;
        const UNAVAILABLE: u8 = 69;
        const SOFTWARE: u8 = 70;
        const OS: u8 = 71;
        ExitCode::from(match self {
            BootError::Cpus(_)
            | BootError::Functions(_)
            | BootError::Load(_)
            | BootError::Routes(_)
            | BootError::Backends(BackendsError::Roots(_) | BackendsError::Dns(_)) => USAGE,
            BootError::Listen(_)
            | BootError::Backends(BackendsError::Store(_) | BackendsError::Refused(_))
            | BootError::Control(ControlError::NeverReached(_)) => UNAVAILABLE,
            BootError::Engine(_) | BootError::Control(ControlError::ShardEnded { .. }) => SOFTWARE,
            BootError::Executor(ExecutorError::Panicked { .. }) => SOFTWARE,
            BootError::Artifacts(_)
            | BootError::Executor(_)
            | BootError::Thread(_)
            | BootError::Control(ControlError::Signals(_)) => OS,
        })
    }
}

fn joined(errors: &[impl ToString]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Compiles one function without serving it: what `airside check` does beyond reading the configuration.
pub fn check(config: &Config, function: &FunctionConfig) -> Result<(), String> {
    let (cache, _) = ArtifactCache::open(&config.guests.artifact_dir)
        .map_err(|error| BootError::Artifacts(error).to_string())?;
    match prepare::prepare(&[definition(config, function)], &cache, 1, 1) {
        Ok(_) => Ok(()),
        Err(errors) => Err(errors.iter().map(|error| error.reason.to_string()).collect()),
    }
}

/// Serves until a signal ends it. `started` is told the address once every shard accepts connections.
pub fn serve(config: &Config, started: impl FnOnce(SocketAddr)) -> Result<(), BootError> {
    let cpus = cpus::choose(config.cpus.as_deref(), config.shards)?;
    // Before anything is started: whoever finds the port taken has changed nothing.
    let listeners = listener::listen(config.listen, cpus.len())?;
    let address = listeners[0].local_addr().unwrap_or(config.listen);
    // Held to the end: it removes its folder when that is a temporary one.
    let (prepared, _artifacts, warnings) = compile(config, cpus.len())?;
    let (log, lines) = log::open(plan::log_options(&config.log));
    let backends = Backends::new(config, cpus.len(), &log)?;

    let (written, all_written) = std_mpsc::channel::<Infallible>();
    let (up, is_up) = std_mpsc::channel();
    let disk = executor::spawn_disk(async move || {
        // Nobody listens only when the start was given up.
        let _ = up.send(());
        log::write_lines(lines, io::stderr(), executor::rest).await;
        drop(written);
    })?;
    if is_up.recv().is_err() {
        return disk.join().map_err(BootError::from);
    }
    for warning in config.warnings.iter().chain(&warnings) {
        log.event(Level::Warn, format_args!("{warning}"), &[]);
    }
    let served = serve_on(config, &cpus, listeners, prepared, backends, &log, |log| {
        let shards = cpus.len();
        log.event(Level::Info, format_args!("listening on {address}"), &[("shards", &shards)]);
        started(address);
    });
    log.close();
    // Nothing is ever sent: the channel closes with the last line written. A log that nobody reads must not keep the
    // process from ending.
    if all_written.recv_timeout(LOG_END_MAX) == Err(RecvTimeoutError::Disconnected) {
        disk.join()?;
    }
    served
}

/// From the shards' start to their end.
fn serve_on(
    config: &Config,
    cpus: &[usize],
    listeners: Vec<TcpListener>,
    prepared: Prepared,
    backends: Backends,
    log: &Log,
    started: impl FnOnce(&Log),
) -> Result<(), BootError> {
    let engines = cpus
        .iter()
        .map(|_| engine::shard(prepared.pool))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| BootError::Engine(format!("{error:#}")))?;
    let ticker = EpochTicker::start(engines.clone()).map_err(BootError::Thread)?;
    let (queue, pages) = admin::queue();
    // The configuration was checked with the same routes.
    let router = Router::build(&config.routes).map_err(BootError::Routes)?;
    let (dependencies, embedded) = (backends.dependencies(), backends.embedded());
    let plan = Plan::new(config, prepared.functions, router, backends, log.clone(), queue);
    let plan = Arc::new(plan);
    let labels = Arc::clone(&plan.labels);

    let runtime = control_runtime()?;
    // Before the first shard can have a request: a signal must not take it away.
    let signals = runtime.block_on(async { EndSignals::listen() })?;
    let (mut threads, mut handles) = (Vec::new(), Vec::new());
    let (ready, all_ready) = mpsc::channel(cpus.len());
    let seats = balance::seats(cpus.len());
    let shards = listeners.into_iter().zip(engines).zip(seats);
    for (index, ((listener, engine), (seat, arrivals))) in shards.enumerate() {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        let (alive, ended) = oneshot::channel();
        let Some(epoch) = ticker.handle(index) else { continue };
        let start = ShardStart {
            index,
            listener,
            seat,
            arrivals,
            engine,
            epoch,
            inbox,
            alive,
            ready: ready.clone(),
        };
        let plan = Arc::clone(&plan);
        threads.push(executor::spawn_shard(index, cpus[index], move || start.run(plan))?);
        handles.push(ShardHandle { inbox: sender, ended });
    }
    drop((ready, plan));
    let control = Control {
        pages,
        shards: handles,
        collected: Collected::new(labels, cpus.len()),
        backends: BackendWatch::new(dependencies, cpus.len()),
        embedded,
        log: log.clone(),
        maintenance: config.maintenance,
        debug_remote: config.debug_remote,
        grace_period: config.grace_period,
    };
    let ended: Result<(), BootError> = runtime.block_on(control.run(signals, async {
        wait_until_ready(all_ready, cpus.len()).await?;
        // Not before: all threads have been started by now, and none may inherit it. Where it is refused, shards wait longer
        // for a page to be rendered, and nothing else changes.
        let _ = slice::stand_back(CONTROL_NICENESS);
        started(log);
        Ok(())
    }));
    // A shard that ended by itself says here why, which tells more than that it did.
    threads.into_iter().try_for_each(ExecutorThread::join)?;
    ended
}

/// Waits until every shard serves.
async fn wait_until_ready(
    mut ready: mpsc::Receiver<Result<(), BootError>>,
    shards: usize,
) -> Result<(), BootError> {
    for _ in 0..shards {
        let ended = || BootError::Engine(String::from("a shard ended while it started"));
        ready.recv().await.ok_or_else(ended)??;
    }
    Ok(())
}

fn compile(
    config: &Config,
    shards: usize,
) -> Result<(Prepared, ArtifactCache, Vec<String>), BootError> {
    let (cache, unusable) =
        ArtifactCache::open(&config.guests.artifact_dir).map_err(BootError::Artifacts)?;
    let definitions: Vec<Definition> =
        config.functions.iter().map(|function| definition(config, function)).collect();
    let workers = cpus::choose(None, None).map_or(1, |cpus| cpus.len());
    let prepared =
        prepare::prepare(&definitions, &cache, shards, workers).map_err(BootError::Functions)?;
    let slow = config.functions.iter().any(|function| function.isolation == Isolation::Fresh)
        && !engine::finds_written_pages();
    let slow = slow.then(|| String::from(FRESH_IS_SLOW));
    Ok((prepared, cache, unusable.iter().map(ToString::to_string).chain(slow).collect()))
}

fn definition(config: &Config, function: &FunctionConfig) -> Definition {
    Definition {
        name: function.name.clone(),
        source: function.module.clone(),
        instances: function.pool_size,
        queue_max: config.guests.queue_max,
        wait: config.guests.wait,
        timeout: function.timeout,
        memory_bytes_max: function.memory_bytes_max,
        isolation: function.isolation,
    }
}

fn control_runtime() -> Result<tokio::runtime::Runtime, BootError> {
    Builder::new_current_thread().enable_all().build().map_err(BootError::Thread)
}
