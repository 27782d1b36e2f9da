//! A module that is linked and ready to be instantiated, with the exports that the host calls found once: nothing is looked
//! up by name when an instance is made.

use std::cell::OnceCell;

use wasmtime::{
    Engine, Extern, ExternType, Instance, InstancePre, Linker, Module, ModuleExport, Store,
    TypedFunc,
};

use super::expose::HIDDEN;
use super::instance::{HostState, StartError};
use super::snapshot::Snapshot;
use super::wasi::Exit;

/// Exports that get an instance ready, in the order they are called: reactors (Go's c-shared, C), commands (Go's plain
/// build, whose main registers the functions and returns) and waPC's own (Rust).
const STARTS: [&str; 3] = ["_initialize", "_start", "wapc_init"];
const CALL: &str = "__guest_call";

/// What all instances of one module on one shard are made from, be they of one function or of several.
pub(super) struct Template {
    pre: InstancePre<HostState>,
    memory: Option<ModuleExport>,
    /// Those of `STARTS` that the module has, in that order.
    starts: Vec<(&'static str, ModuleExport)>,
    call: ModuleExport,
    /// All globals that can change, of a module that shows what its instances can change.
    globals: Option<Vec<ModuleExport>>,
    /// Once it is known that instances can be made what they were; none when they cannot.
    snapshot: OnceCell<Option<Snapshot>>,
}

impl Template {
    pub(super) fn new(
        linker: &Linker<HostState>,
        module: &Module,
        exposed: bool,
    ) -> wasmtime::Result<Template> {
        let call = module
            .get_export_index(CALL)
            .ok_or_else(|| wasmtime::Error::msg(format!("it exports no {CALL}")))?;
        let starts = STARTS.into_iter().filter(|name| is_start(module, name));
        Ok(Template {
            pre: linker.instantiate_pre(module)?,
            memory: module.get_export_index("memory"),
            starts: starts
                .filter_map(|name| Some((name, module.get_export_index(name)?)))
                .collect(),
            call,
            globals: if exposed { hidden_globals(module) } else { None },
            snapshot: OnceCell::new(),
        })
    }

    /// The same module without a host: an instance that calls any of its imports traps. One that starts nevertheless has
    /// asked nobody for anything, so it is what all instances are when they have started. None when the module does not
    /// show what its instances can change, or it is known already what these are.
    pub(super) fn without_host(&self) -> Option<Template> {
        let globals = self.globals.clone().filter(|_| self.snapshot.get().is_none())?;
        let module = self.pre.module();
        let mut linker = Linker::new(self.engine());
        linker.define_unknown_imports_as_traps(module).ok()?;
        Some(Template {
            pre: linker.instantiate_pre(module).ok()?,
            memory: self.memory,
            starts: self.starts.clone(),
            call: self.call,
            globals: Some(globals),
            snapshot: OnceCell::new(),
        })
    }

    /// The globals that a snapshot has.
    pub(super) fn globals(&self) -> &[ModuleExport] {
        self.globals.as_deref().unwrap_or_default()
    }

    /// Keeps what the first function of the module to find out found out.
    pub(super) fn keep(&self, snapshot: Option<Snapshot>) {
        let _ = self.snapshot.set(snapshot);
    }

    /// What an instance is before its first call, when that is the same for all.
    pub(super) fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.get()?.as_ref()
    }

    pub(super) fn engine(&self) -> &Engine {
        self.pre.module().engine()
    }

    /// Makes the store's one instance, runs its start exports, and gives what is called from then on.
    pub(super) async fn instantiate(
        &self,
        store: &mut Store<HostState>,
    ) -> Result<(Instance, TypedFunc<(i32, i32), i32>), StartError> {
        let instance =
            self.pre.instantiate_async(&mut *store).await.map_err(instantiation_error)?;
        let export = |store: &mut Store<HostState>, export: &ModuleExport| {
            instance.get_module_export(store, export)
        };
        let memory = self.memory.and_then(|memory| export(store, &memory));
        store.data_mut().memory = memory.and_then(Extern::into_memory);
        for (name, start) in &self.starts {
            let Some(start) = export(store, start).and_then(Extern::into_func) else { continue };
            let start = start.typed::<(), ()>(&mut *store).map_err(link_error)?;
            match start.call_async(&mut *store, ()).await {
                Ok(()) => {}
                Err(error) if matches!(error.downcast_ref(), Some(Exit { code: 0 })) => {}
                Err(error) => return Err(start_error(name, store.data(), &error)),
            }
        }
        let call = export(store, &self.call).and_then(Extern::into_func);
        let call = call.ok_or_else(|| StartError::Link(format!("{CALL} is no function")))?;
        Ok((instance, call.typed(store).map_err(link_error)?))
    }
}

/// None when one of them could not be found: all of them or none.
fn hidden_globals(module: &Module) -> Option<Vec<ModuleExport>> {
    let hidden = module.exports().filter(|export| export.name().starts_with(HIDDEN));
    hidden.map(|export| module.get_export_index(export.name())).collect()
}

fn is_start(module: &Module, name: &str) -> bool {
    match module.get_export(name) {
        Some(ExternType::Func(start)) => start.params().len() == 0 && start.results().len() == 0,
        _ => false,
    }
}

fn start_error(export: &'static str, state: &HostState, error: &wasmtime::Error) -> StartError {
    if state.invocation.expired {
        return StartError::TimedOut { timeout_ms: state.invocation.chain.timeout_ns / 1_000_000 };
    }
    StartError::Failed { export, reason: format!("{error:#}") }
}

fn instantiation_error(error: wasmtime::Error) -> StartError {
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return StartError::NoSlot;
    }
    link_error(error)
}

fn link_error(error: wasmtime::Error) -> StartError {
    StartError::Link(format!("{error:#}"))
}
