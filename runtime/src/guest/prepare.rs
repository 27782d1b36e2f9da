//! From configured functions to compiled ones: read, compile in parallel, check, and size the shards' pools.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, io, thread};

use wasmtime::{Engine, ExternType, Module};

use crate::config::{Isolation, ModuleSource};

use super::artifact::{self, ArtifactCache, ArtifactError};
use super::engine::{self, PoolSize};
use super::{FunctionSpec, PoolLimits};

/// A function as it is configured, for the whole process.
#[derive(Debug, Clone)]
pub struct Definition {
    pub name: String,
    pub source: ModuleSource,
    /// Instances over all shards.
    pub instances: usize,
    pub queue_max: usize,
    pub wait: Duration,
    pub timeout: Duration,
    pub memory_bytes_max: u64,
    pub isolation: Isolation,
}

/// What every shard needs to load the functions.
#[derive(Debug)]
pub struct Prepared {
    pub functions: Vec<FunctionSpec>,
    pub pool: PoolSize,
}

/// Why a function cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("function {function}: {reason}")]
pub struct PrepareError {
    pub function: String,
    pub reason: Reason,
}

#[derive(Debug, thiserror::Error)]
pub enum Reason {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error(
        "it exports no function __guest_call of type (i32, i32) -> i32: it is not a waPC guest"
    )]
    NotWapc,
    #[error("it exports no memory under the name memory")]
    NoMemory,
    #[error("it starts with {wanted} bytes of memory, its limit is {limit} (memory_bytes_max)")]
    Memory { wanted: u64, limit: u64 },
    #[error("its table starts with {wanted} elements, the limit is {limit}")]
    Table { wanted: u64, limit: usize },
}

/// What a compiled module takes of a pool.
#[derive(Debug, Clone, Copy, Default)]
struct Needs {
    memories: u32,
    tables: u32,
}

/// Compiles what is not in the cache yet, on `workers` threads named `airside-compile`. Gives every error, not the first.
pub fn prepare(
    definitions: &[Definition],
    cache: &ArtifactCache,
    shards: usize,
    workers: usize,
) -> Result<Prepared, Vec<PrepareError>> {
    let engine = match engine::compiler() {
        Ok(engine) => engine,
        Err(error) => return Err(vec![engine_error(&error)]),
    };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(definition) = definitions.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((definition.name.as_str(), compile(definition, cache, &engine)));
        }
        done
    };
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.clamp(1, definitions.len().max(1)))
            .map(|_| {
                thread::Builder::new()
                    .name(String::from("airside-compile"))
                    .spawn_scoped(scope, work)
            })
            .collect();
        // Without one thread to be had the work is done here.
        let here = if threads.iter().all(Result::is_err) { work() } else { Vec::new() };
        let there = threads.into_iter().flatten().flat_map(|t| t.join().unwrap_or_default());
        there.chain(here).collect()
    });
    size(definitions, results, shards)
}

fn compile(
    definition: &Definition,
    cache: &ArtifactCache,
    engine: &Engine,
) -> Result<(PathBuf, Needs), Reason> {
    let wasm = match &definition.source {
        ModuleSource::Embedded(bytes) => Cow::Borrowed(*bytes),
        ModuleSource::File(path) => Cow::Owned(
            fs::read(path).map_err(|source| Reason::Read { path: path.clone(), source })?,
        ),
    };
    let path = cache.prepare(engine, &wasm)?;
    let module = artifact::load(engine, &path)?;
    Ok((path, needs(definition, &module)?))
}

fn needs(definition: &Definition, module: &Module) -> Result<Needs, Reason> {
    let is_wapc = match module.get_export("__guest_call") {
        Some(ExternType::Func(call)) => {
            call.params().len() == 2
                && call.params().chain(call.results()).all(|t| t.is_i32())
                && call.results().len() == 1
        }
        _ => false,
    };
    if !is_wapc {
        return Err(Reason::NotWapc);
    }
    if !matches!(module.get_export("memory"), Some(ExternType::Memory(_))) {
        return Err(Reason::NoMemory);
    }
    let required = module.resources_required();
    let wanted = required.max_initial_memory_size.unwrap_or(0) * 64 * 1024;
    if wanted > definition.memory_bytes_max {
        return Err(Reason::Memory { wanted, limit: definition.memory_bytes_max });
    }
    let wanted = required.max_initial_table_size.unwrap_or(0);
    if wanted > engine::TABLE_ELEMENTS_MAX as u64 {
        return Err(Reason::Table { wanted, limit: engine::TABLE_ELEMENTS_MAX });
    }
    Ok(Needs { memories: required.num_memories, tables: required.num_tables })
}

type Compiled<'a> = (&'a str, Result<(PathBuf, Needs), Reason>);

/// Divides the instances over the shards and adds up what one shard sets aside.
fn size(
    definitions: &[Definition],
    results: Vec<Compiled<'_>>,
    shards: usize,
) -> Result<Prepared, Vec<PrepareError>> {
    let mut errors = Vec::new();
    let mut compiled = std::collections::HashMap::new();
    for (name, result) in results {
        match result {
            Ok(done) => drop(compiled.insert(name, done)),
            Err(reason) => errors.push(PrepareError { function: name.to_owned(), reason }),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut pool = PoolSize {
        instances: 0,
        memory_bytes_max: 0,
        tables_per_module: 1,
        memories_per_module: 1,
    };
    let mut functions = Vec::with_capacity(definitions.len());
    let mut instances = 0;
    for definition in definitions {
        let Some((artifact, needs)) = compiled.remove(definition.name.as_str()) else { continue };
        let limits = limits(definition, shards);
        // One more than may serve: the successor of an instance that is gone is made while the others are in use.
        instances += limits.instances + 1;
        pool.memory_bytes_max = pool.memory_bytes_max.max(limits.memory_bytes_max);
        pool.tables_per_module = pool.tables_per_module.max(needs.tables);
        pool.memories_per_module = pool.memories_per_module.max(needs.memories);
        let (name, isolation) = (definition.name.clone(), definition.isolation);
        functions.push(FunctionSpec { name, artifact, limits, isolation });
    }
    let slots = engine::MEMORIES_MAX / shards / pool.memories_per_module as usize;
    pool.instances = u32::try_from(instances.min(slots)).unwrap_or(u32::MAX);
    Ok(Prepared { functions, pool })
}

fn limits(definition: &Definition, shards: usize) -> PoolLimits {
    PoolLimits {
        instances: definition.instances.div_ceil(shards),
        queue_max: definition.queue_max,
        wait: definition.wait,
        timeout_ns: u64::try_from(definition.timeout.as_nanos()).unwrap_or(u64::MAX),
        memory_bytes_max: usize::try_from(definition.memory_bytes_max).unwrap_or(usize::MAX),
    }
}

fn engine_error(error: &wasmtime::Error) -> PrepareError {
    let reason = Reason::Artifact(ArtifactError::Invalid(format!("{error:#}")));
    PrepareError { function: String::from("(all)"), reason }
}
