//! What an instance is when its start has ended, and how one that served a call is made so again: the pages that it has
//! written and the globals that it can change are set back.
//!
//! For modules only that show all of their state (`expose`), and of those only such whose start calls no host function:
//! then what the start leaves is always the same, whoever runs it and whenever.

use std::rc::Rc;

use wasmtime::{Global, Instance, ModuleExport, Store, Val};

use super::engine::KEEP_RESIDENT_BYTES;
use super::instance::HostState;

mod written;

pub(super) use written::Pagemap;

/// Pages that are set back one by one; those of the kernel are as large or a multiple of it.
const PAGE_BYTES: usize = 4096;
/// Memory that is set back at most. It costs less than a new instance up to here, and beyond it the kernel should have
/// the memory again.
const RESET_BYTES_MAX: usize = KEEP_RESIDENT_BYTES;

type Page = [u8; PAGE_BYTES];

/// The state of a module's instances between their start and their first call.
pub(super) struct Snapshot {
    pagemap: Rc<Pagemap>,
    globals: Vec<(ModuleExport, Val)>,
    memory_bytes: usize,
    /// From the memory's beginning to the last page that is not all zeros, and of these only such pages.
    pages: Vec<Option<Box<Page>>>,
}

impl Snapshot {
    /// Of an instance that has started and was never called; none when that is too large to be kept.
    pub(super) fn take(
        pagemap: &Rc<Pagemap>,
        store: &mut Store<HostState>,
        instance: Instance,
        globals: &[ModuleExport],
    ) -> Option<Snapshot> {
        let memory = store.data().memory?;
        let values = globals.iter().map(|export| {
            let value = global(store, instance, export)?.get(&mut *store);
            // A reference would be into this one store.
            value.ref_().is_none().then_some((*export, value))
        });
        let globals = values.collect::<Option<Vec<_>>>()?;
        let bytes = memory.data(&*store);
        Some(Snapshot {
            pagemap: Rc::clone(pagemap),
            globals,
            memory_bytes: bytes.len(),
            pages: kept_pages(bytes)?,
        })
    }

    /// Whether an instance's memory is as large as that of a new one: it cannot be made smaller.
    pub(super) fn fits(&self, store: &Store<HostState>) -> bool {
        let memory = store.data().memory;
        memory.is_some_and(|memory| memory.data_size(store) == self.memory_bytes)
    }

    /// Makes an instance of this module what the snapshot says. `false`: it is not that now, and may not be called again.
    pub(super) fn restore(&self, store: &mut Store<HostState>, instance: Instance) -> bool {
        let Some(memory) = store.data().memory else { return false };
        if !self.fits(store) || !self.restore_pages(memory.data_mut(&mut *store)) {
            return false;
        }
        self.globals.iter().all(|(export, value)| {
            let global = global(store, instance, export);
            global.is_some_and(|global| global.set(&mut *store, *value).is_ok())
        })
    }

    /// A page that was never written in this slot is what the module's image says, or zeros, as it is in the snapshot.
    fn restore_pages(&self, memory: &mut [u8]) -> bool {
        self.pagemap.for_each_written(memory, RESET_BYTES_MAX, |at, written| {
            let first = at / PAGE_BYTES;
            for (page, bytes) in (first..).zip(written.chunks_mut(PAGE_BYTES)) {
                match self.pages.get(page) {
                    Some(Some(kept)) => bytes.copy_from_slice(&kept[..]),
                    _ => bytes.fill(0),
                }
            }
        })
    }
}

fn global(
    store: &mut Store<HostState>,
    instance: Instance,
    export: &ModuleExport,
) -> Option<Global> {
    instance.get_module_export(store, export)?.into_global()
}

/// None when they are more than a shard can keep for each of a thousand functions.
fn kept_pages(memory: &[u8]) -> Option<Vec<Option<Box<Page>>>> {
    let (pages, rest) = memory.as_chunks::<PAGE_BYTES>();
    let mut kept = Vec::new();
    let mut bytes = 0;
    for (index, page) in pages.iter().enumerate() {
        if *page != [0; PAGE_BYTES] {
            bytes += PAGE_BYTES;
            if bytes > RESET_BYTES_MAX {
                return None;
            }
            kept.resize_with(index, || None);
            kept.push(Some(Box::new(*page)));
        }
    }
    rest.is_empty().then_some(kept)
}

#[cfg(test)]
mod tests;
