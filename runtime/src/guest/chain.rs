//! Functions that call each other: how deep, and how long all of them may take together.

use std::rc::Rc;

use airside_capabilities::boxed::pinned;
use airside_capabilities::functions::{FunctionError, FunctionIndex};
use airside_capabilities::{CallError, CallFunction};
use bytes::Bytes;

use super::instance::Invocation;
use super::times::CallTimes;
use super::{Guests, InvokeError};
use crate::telemetry::Outcome;

/// How an invocation came about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    /// How many functions called each other to get here; 0 for the one that a route names.
    pub(super) depth: usize,
    /// The first deadline of all functions in the chain, in monotonic nanoseconds, and the limit that set it.
    pub(super) deadline_ns: u64,
    pub(super) timeout_ns: u64,
}

/// The beginning of one: nothing bounds it yet.
impl Default for Chain {
    fn default() -> Chain {
        Chain { depth: 0, deadline_ns: u64::MAX, timeout_ns: u64::MAX }
    }
}

impl Chain {
    /// With one more function, which has this limit.
    pub(super) fn within(self, started_ns: u64, timeout_ns: u64) -> Chain {
        let deadline_ns = started_ns.saturating_add(timeout_ns);
        if deadline_ns < self.deadline_ns {
            return Chain { deadline_ns, timeout_ns, ..self };
        }
        self
    }
}

/// Calls from a guest to other functions of its shard.
pub(super) struct Nested {
    guests: Rc<Guests>,
    chain: Chain,
}

impl Nested {
    pub(super) fn of(guests: &Rc<Guests>, invocation: &Invocation) -> Nested {
        let chain = Chain { depth: invocation.chain.depth + 1, ..invocation.chain };
        Nested { guests: Rc::clone(guests), chain }
    }
}

impl CallFunction for Nested {
    async fn call_function(
        &self,
        function: FunctionIndex,
        payload: &[u8],
        response: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        let depth_max = self.guests.depth_max;
        if self.chain.depth > depth_max {
            return Err(failed(&InvokeError::TooDeep { depth_max }));
        }
        let payload = Bytes::copy_from_slice(payload);
        let mut times = CallTimes::default();
        let function = function.0 as usize;
        // Boxed because the future of a call contains this one.
        let called =
            pinned(|| self.guests.invoke_in(self.chain, function, payload, response, &mut times));
        let called = called.await;
        let outcome = called.as_ref().map_or_else(InvokeError::outcome, |()| Outcome::Answered);
        self.guests.telemetry.call(function, outcome, &times.of_call());
        called.map_err(|error| failed(&error))
    }
}

fn failed(error: &InvokeError) -> CallError {
    CallError::Function(FunctionError::Failed(error.to_string()))
}
