//! One invocation: an instance is taken, called within its limits, and given back or thrown away.

use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use airside_capabilities::logger::Level;
use bytes::Bytes;

use super::chain::Chain;
use super::instance::HostState;
use super::times::CallTimes;
use super::{Guests, HANDLER, InvokeError};
use crate::telemetry::{FunctionFault, clock};

impl Guests {
    pub(super) async fn invoke_in(
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
        } else if chain.depth == 0 {
            // A function that is called by another is that one's own work: it would have to wait for itself.
            self.lane.begun();
        }
        let running = self.epoch.run();
        let called = {
            let call = pin!(async {
                if is_long {
                    self.lane.turn(Duration::ZERO).await;
                }
                instance.call().await
            });
            self.until(chain.deadline_ns, call).await
        };
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
    pub(super) async fn until<F: Future>(
        &self,
        deadline_ns: u64,
        call: Pin<&mut F>,
    ) -> Option<F::Output> {
        let (instant, ns) = self.loaded;
        let due = || instant + Duration::from_nanos(deadline_ns.saturating_sub(ns));
        self.timers.within(due, call).await
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
