//! Modules that let the host see all that their instances can change, so that an instance can be made what it was.
//!
//! Such a module has one memory of its own and mutable globals that are numbers; it changes no table and drops no segment.
//! The globals are given hidden exports, and nothing else of the module is touched: neither its code nor what it does.

use std::ops::Range;

use wasm_encoder::{Encode, ExportKind, SectionId};
use wasmparser::{
    ExportSectionReader, FunctionBody, GlobalSectionReader, ImportSectionReader, Operator, Parser,
    Payload, TypeRef, ValType, Validator, WasmFeatures,
};

/// Raise it when another module is made of the same bytes: what was compiled before is compiled anew.
pub(super) const VERSION: u32 = 1;
/// How the names of the hidden exports begin. A module that has such names itself is not exposed.
pub(super) const HIDDEN: &str = "airside:global:";

/// Magic number and version.
const MODULE_HEADER_BYTES: usize = 8;
/// Globals that are set one by one for each call. Compilers make one, or a dozen (Go).
const GLOBALS_MAX: usize = 256;

/// What an exposed module may be written in. Not in it, and so refused whatever they bring: threads, garbage collection,
/// exceptions, second memories, memories of 64 bits, and all that is invented after this list. What of it changes an
/// instance beyond its memory and its globals is in `is_seen`.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::TAIL_CALL);

/// The module with hidden exports, or `None` when its instances can change what these do not show.
pub(super) fn expose(wasm: &[u8]) -> Option<Vec<u8>> {
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    let mut has_memory = false;
    let mut mutable = Vec::new();
    let mut exports = None;
    // Of the section before this one.
    let mut end = MODULE_HEADER_BYTES;
    for payload in parser.parse_all(wasm) {
        let payload = payload.ok()?;
        let start = end;
        if let Some((_, contents)) = payload.as_section() {
            end = contents.end;
        }
        match payload {
            Payload::ImportSection(imports) if !only_functions(&imports) => return None,
            Payload::MemorySection(memories) => has_memory = memories.count() == 1,
            Payload::GlobalSection(globals) => mutable = mutable_numbers(globals)?,
            Payload::ExportSection(section) => {
                exports = Some((start..end, with_hidden(wasm, section, &mutable)?));
            }
            Payload::CodeSectionEntry(body) if !is_seen(&body) => return None,
            _ => {}
        }
    }
    let (old, new) = exports.filter(|_| has_memory)?;
    let exposed = replaced(wasm, old, &new)?;
    // What was read above is only now known to be a module, and one of these features.
    Validator::new_with_features(FEATURES).validate_all(&exposed).ok()?;
    Some(exposed)
}

/// Others could change a global, a table or a memory that is imported. With none, indices begin with what is defined.
fn only_functions(imports: &ImportSectionReader<'_>) -> bool {
    let mut imports = imports.clone().into_imports();
    imports.all(|import| matches!(import.map(|import| import.ty), Ok(TypeRef::Func(_))))
}

/// The indices of the globals that can change. `None`: one of them is no number, or they are very many.
fn mutable_numbers(globals: GlobalSectionReader<'_>) -> Option<Vec<u32>> {
    let mut mutable = Vec::new();
    for (index, global) in (0..).zip(globals) {
        let kind = global.ok()?.ty;
        match kind.content_type {
            _ if !kind.mutable => {}
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => {
                mutable.push(index);
            }
            ValType::Ref(_) => return None,
        }
    }
    (mutable.len() <= GLOBALS_MAX).then_some(mutable)
}

/// Whether the function changes nothing but the memory and globals.
fn is_seen(body: &FunctionBody<'_>) -> bool {
    let Ok(mut operators) = body.get_operators_reader() else { return false };
    while !operators.eof() {
        match operators.read() {
            Ok(
                Operator::TableSet { .. }
                | Operator::TableGrow { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::DataDrop { .. },
            )
            | Err(_) => return false,
            Ok(_) => {}
        }
    }
    true
}

/// The contents of the export section with these globals added, unless a name in it is of the hidden ones.
fn with_hidden(wasm: &[u8], old: ExportSectionReader<'_>, globals: &[u32]) -> Option<Vec<u8>> {
    let entries = old.original_position()..old.range().end;
    let mut new = Vec::with_capacity(entries.len() + 32 * globals.len());
    let count = usize::try_from(old.count()).ok()? + globals.len();
    count.encode(&mut new);
    for export in old {
        if export.ok()?.name.starts_with(HIDDEN) {
            return None;
        }
    }
    new.extend_from_slice(wasm.get(entries)?);
    for global in globals {
        format!("{HIDDEN}{global}").encode(&mut new);
        ExportKind::Global.encode(&mut new);
        global.encode(&mut new);
    }
    Some(new)
}

fn replaced(wasm: &[u8], old_exports: Range<usize>, new_exports: &[u8]) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(wasm.len() + new_exports.len());
    new.extend_from_slice(wasm.get(..old_exports.start)?);
    new.push(SectionId::Export.into());
    new_exports.encode(&mut new);
    new.extend_from_slice(wasm.get(old_exports.end..)?);
    Some(new)
}

#[cfg(test)]
mod tests;
