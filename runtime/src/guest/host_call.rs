//! waPC's `__host_call`: how a guest asks its host for something, and what it gets.
//!
//! A call that never waits ends where it is made. One that may wait becomes a future, and while that waits the guest's
//! fiber is suspended.

use std::future::{Future, poll_fn, ready};
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use airside_capabilities::boxed::boxed;
use airside_capabilities::{CallError, HostCall, Operation};
use send_wrapper::SendWrapper;
use wasmtime::{AsContextMut, Caller, Memory};

use super::chain::Nested;
use super::instance::{DeadlineHit, HostState};
use super::{Guests, memory};
use crate::telemetry::clock;

/// Eight pointers and lengths: binding, namespace, operation and payload. Tarmac calls the first three namespace,
/// capability and function.
pub(super) type Arguments = (i32, i32, i32, i32, i32, i32, i32, i32);

/// What the guest is told. The answer or the error stays with the host until the guest fetches it.
const SUCCEEDED: i32 = 1;
const FAILED: i32 = 0;

type Ended<'a> = Box<dyn Future<Output = wasmtime::Result<i32>> + Send + 'a>;

enum Begun {
    /// Whether it succeeded.
    Ended(bool),
    /// Perhaps: it has not run yet.
    Waits(Call),
}

/// A call whose operation is known.
struct Call {
    guests: Rc<Guests>,
    memory: Memory,
    operation: Operation,
    /// Where in the guest's memory, and how long.
    payload: (i32, i32),
    /// The host's buffer for the answer.
    response: Vec<u8>,
    started_ns: u64,
}

pub(super) fn host_call(mut caller: Caller<'_, HostState>, arguments: Arguments) -> Ended<'_> {
    match begin(&mut caller, arguments) {
        Ok(Begun::Waits(call)) => {
            // wasmtime wants the future to be Send, for executors that move tasks. It is polled by the shard's own
            // thread only: the task of the connection that called the guest.
            boxed(|| SendWrapper::new(call.wait(caller)))
        }
        // These futures hold nothing, so that their boxes take nothing from the heap.
        Ok(Begun::Ended(true)) => Box::new(poll_fn(|_| Poll::Ready(Ok(SUCCEEDED)))),
        Ok(Begun::Ended(false)) => Box::new(poll_fn(|_| Poll::Ready(Ok(FAILED)))),
        Err(error) => Box::new(ready(Err(error))),
    }
}

/// Runs the call if it never waits. Otherwise it is still to be run.
fn begin(caller: &mut Caller<'_, HostState>, arguments: Arguments) -> wasmtime::Result<Begun> {
    let started_ns = clock::now_ns();
    let (binding_ptr, binding_len, namespace_ptr, namespace_len, ..) = arguments;
    let (.., operation_ptr, operation_len, payload_ptr, payload_len) = arguments;
    let memory = memory::of(caller)?;
    let state = caller.data_mut();
    let mut response = mem::take(&mut state.host_response);
    response.clear();
    let guests =
        state.guests.upgrade().ok_or_else(|| wasmtime::Error::msg("the shard has ended"))?;

    let bytes = memory.data(&*caller);
    let payload = memory::read(bytes, payload_ptr, payload_len)?;
    let resolved = guests.capabilities.resolve(HostCall {
        namespace: memory::read(bytes, binding_ptr, binding_len)?,
        capability: memory::read(bytes, namespace_ptr, namespace_len)?,
        operation: memory::read(bytes, operation_ptr, operation_len)?,
    });
    let operation = match resolved {
        Ok(operation) => operation,
        Err(error) => {
            let state = caller.data_mut();
            state.host_response = response;
            return Ok(Begun::Ended(state.keep_outcome(Err(error))));
        }
    };
    let from = guests.caller(caller.data().function);
    let ended = guests.capabilities.call_at_once(operation, payload, &from, &mut response);
    let payload = (payload_ptr, payload_len);
    let call = Call { guests, memory, operation, payload, response, started_ns };
    Ok(match ended {
        Some(outcome) => Begun::Ended(call.end(caller.data_mut(), outcome, clock::now_ns())),
        None => Begun::Waits(call),
    })
}

impl Call {
    async fn wait(mut self, mut caller: Caller<'_, HostState>) -> wasmtime::Result<i32> {
        let mut suspended = false;
        let outcome = {
            // The guest is suspended meanwhile, so its memory can be borrowed across the call.
            let (ptr, len) = self.payload;
            let payload = memory::read(self.memory.data(&caller), ptr, len)?;
            let state = caller.data();
            let nested = Nested::of(&self.guests, &state.invocation);
            let from = self.guests.caller(state.function);
            let capabilities = &self.guests.capabilities;
            let call =
                capabilities.call(self.operation, payload, &from, &nested, &mut self.response);
            watch_suspension(pin!(call), &mut suspended).await
        };
        let state = caller.data_mut();
        let ended_ns = clock::now_ns();
        let succeeded = self.end(state, outcome, ended_ns);
        if suspended {
            if ended_ns >= state.invocation.chain.deadline_ns {
                state.invocation.expired = true;
                return Err(DeadlineHit.into());
            }
            state.new_turn();
            caller.as_context_mut().set_epoch_deadline(1);
        }
        Ok(if succeeded { SUCCEEDED } else { FAILED })
    }

    fn end(self, state: &mut HostState, outcome: Result<(), CallError>, ended_ns: u64) -> bool {
        let elapsed_ns = ended_ns.saturating_sub(self.started_ns);
        let (telemetry, label) = (&self.guests.telemetry, self.operation.label_index());
        telemetry.host_call(label, outcome.is_err(), elapsed_ns);
        if let Some(capability) = telemetry.capability(label) {
            state.invocation.host.add(capability, elapsed_ns);
        }
        state.host_response = self.response;
        state.keep_outcome(outcome)
    }
}

/// Says whether the call had to wait: a guest that waited did not hold the core.
async fn watch_suspension<F: Future>(mut call: Pin<&mut F>, suspended: &mut bool) -> F::Output {
    poll_fn(|context| {
        let poll = call.as_mut().poll(context);
        *suspended |= poll.is_pending();
        poll
    })
    .await
}

impl HostState {
    /// Whether the call succeeded.
    fn keep_outcome(&mut self, outcome: Result<(), CallError>) -> bool {
        self.host_error.clear();
        if let Err(error) = &outcome {
            self.host_error.extend_from_slice(error.to_string().as_bytes());
        }
        outcome.is_ok()
    }
}
