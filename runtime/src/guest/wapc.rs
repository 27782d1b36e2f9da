//! The waPC protocol (wapc.io) on wasmtime: what a guest imports from module `wapc`.
//!
//! Written here rather than taken from the `wapc` crate because it is the request path: nothing is boxed or copied but
//! what wasmtime's signature for a suspendable host function demands. That crate and `wasmtime-provider` are the oracle
//! in the tests.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;

use airside_capabilities::{CallError, HostCall};
use send_wrapper::SendWrapper;
use wasmtime::{AsContextMut, Caller, Linker};

use super::instance::{DeadlineHit, HostState};
use super::{Nested, memory};
use crate::telemetry::clock;

/// The name of waPC's import module.
const MODULE: &str = "wapc";

/// Eight pointers and lengths: binding, namespace, operation and payload. Tarmac calls the first three namespace,
/// capability and function.
type HostCallArguments = (i32, i32, i32, i32, i32, i32, i32, i32);

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
    linker.func_wrap_async(
        MODULE,
        "__host_call",
        |caller: Caller<'_, HostState>, arguments: HostCallArguments| {
            // wasmtime wants the future to be Send, for executors that move tasks. It is polled by the shard's own
            // thread only: the task of the connection that called the guest.
            Box::new(SendWrapper::new(host_call(caller, arguments)))
        },
    )?;
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

/// Answers 1 for success, 0 for an error. Either stays with the host until the guest fetches it.
async fn host_call(
    mut caller: Caller<'_, HostState>,
    arguments: HostCallArguments,
) -> wasmtime::Result<i32> {
    let started_ns = clock::now_ns();
    let (binding_ptr, binding_len, namespace_ptr, namespace_len, ..) = arguments;
    let (.., operation_ptr, operation_len, payload_ptr, payload_len) = arguments;
    let memory = memory::of(&mut caller)?;
    let state = caller.data_mut();
    let mut response = mem::take(&mut state.host_response);
    response.clear();
    let guests =
        state.guests.upgrade().ok_or_else(|| wasmtime::Error::msg("the shard has ended"))?;

    // The guest is suspended meanwhile, so its memory can be borrowed across the call.
    let bytes = memory.data(&caller);
    let call = HostCall {
        namespace: memory::read(bytes, binding_ptr, binding_len)?,
        capability: memory::read(bytes, namespace_ptr, namespace_len)?,
        operation: memory::read(bytes, operation_ptr, operation_len)?,
    };
    let payload = memory::read(bytes, payload_ptr, payload_len)?;
    let state = caller.data();
    let (mut suspended, mut spent) = (false, None);
    let outcome = match guests.capabilities.resolve(call) {
        Ok(operation) => {
            let nested = Nested::of(&guests, &state.invocation);
            let from = guests.caller(state.function);
            let call = guests.capabilities.call(operation, payload, &from, &nested, &mut response);
            let outcome = watch_suspension(call, &mut suspended).await;
            let elapsed_ns = clock::now_ns().saturating_sub(started_ns);
            let operation = operation.label_index();
            guests.telemetry.host_call(operation, outcome.is_err(), elapsed_ns);
            spent = guests.telemetry.capability(operation).map(|one| (one, elapsed_ns));
            outcome
        }
        Err(error) => Err(error),
    };

    let state = caller.data_mut();
    if let Some((capability, elapsed_ns)) = spent {
        state.invocation.host.add(capability, elapsed_ns);
    }
    state.host_response = response;
    let result = state.keep_outcome(outcome);
    if suspended {
        if clock::now_ns() >= state.invocation.chain.deadline_ns {
            state.invocation.expired = true;
            return Err(DeadlineHit.into());
        }
        state.new_turn();
        caller.as_context_mut().set_epoch_deadline(1);
    }
    Ok(result)
}

/// Says whether the call had to wait: a guest that waited did not hold the core.
async fn watch_suspension<F: Future>(call: F, suspended: &mut bool) -> F::Output {
    let mut call = pin!(call);
    poll_fn(|context| {
        let poll = call.as_mut().poll(context);
        *suspended |= poll.is_pending();
        poll
    })
    .await
}

impl HostState {
    fn keep_outcome(&mut self, outcome: Result<(), CallError>) -> i32 {
        self.host_error.clear();
        match outcome {
            Ok(()) => 1,
            Err(error) => {
                self.host_error.extend_from_slice(error.to_string().as_bytes());
                0
            }
        }
    }
}

fn replace(target: &mut Vec<u8>, bytes: &[u8]) {
    target.clear();
    target.extend_from_slice(bytes);
}
