//! The waPC protocol (wapc.io) on wasmtime: what a guest imports from module `wapc`.
//!
//! Written here rather than taken from the `wapc` crate because it is the request path: nothing is boxed or copied but
//! what wasmtime's signature for a suspendable host function demands. That crate and `wasmtime-provider` are the oracle
//! in the tests.

use wasmtime::{Caller, Linker};

use super::host_call::host_call;
use super::instance::HostState;
use super::memory;

/// The name of waPC's import module.
const MODULE: &str = "wapc";

/// Defines all of waPC's imports.
pub(super) fn link(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "__guest_request", guest_request)?;
    linker.func_wrap(MODULE, "__guest_response", guest_response)?;
    linker.func_wrap(MODULE, "__guest_error", guest_error)?;
    linker.func_wrap(MODULE, "__host_response_len", |caller: Caller<'_, HostState>| {
        caller.data().host_response.len() as i32
    })?;
    linker.func_wrap(MODULE, "__host_response", host_response)?;
    linker.func_wrap(MODULE, "__host_error_len", |caller: Caller<'_, HostState>| {
        caller.data().host_error.len() as i32
    })?;
    linker.func_wrap(MODULE, "__host_error", host_error)?;
    linker.func_wrap(MODULE, "__console_log", console_log)?;
    linker.func_wrap_async(MODULE, "__host_call", host_call)?;
    Ok(())
}

fn guest_request(
    mut caller: Caller<'_, HostState>,
    operation_ptr: i32,
    payload_ptr: i32,
) -> wasmtime::Result<()> {
    let memory = memory::of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    memory::write(bytes, operation_ptr, state.invocation.operation.as_bytes())?;
    memory::write(bytes, payload_ptr, &state.invocation.payload)?;
    Ok(())
}

fn guest_response(mut caller: Caller<'_, HostState>, ptr: i32, len: i32) -> wasmtime::Result<()> {
    let memory = memory::of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    replace(&mut state.invocation.response, memory::read(bytes, ptr, len)?);
    Ok(())
}

fn guest_error(mut caller: Caller<'_, HostState>, ptr: i32, len: i32) -> wasmtime::Result<()> {
    let memory = memory::of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    replace(&mut state.invocation.error, memory::read(bytes, ptr, len)?);
    Ok(())
}

fn host_response(mut caller: Caller<'_, HostState>, ptr: i32) -> wasmtime::Result<()> {
    let memory = memory::of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    Ok(memory::write(bytes, ptr, &state.host_response)?)
}

fn host_error(mut caller: Caller<'_, HostState>, ptr: i32) -> wasmtime::Result<()> {
    let memory = memory::of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    Ok(memory::write(bytes, ptr, &state.host_error)?)
}

fn console_log(mut caller: Caller<'_, HostState>, ptr: i32, len: i32) -> wasmtime::Result<()> {
    let memory = memory::of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    state.log_console(memory::read(bytes, ptr, len)?);
    Ok(())
}

fn replace(target: &mut Vec<u8>, bytes: &[u8]) {
    target.clear();
    target.extend_from_slice(bytes);
}
