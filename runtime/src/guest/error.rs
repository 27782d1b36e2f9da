//! Why functions could not be loaded, and why an invocation gave no answer.

use std::fmt;
use std::time::Duration;

use crate::telemetry::Outcome;

/// Why an invocation gave no answer. The text is what the client may see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    #[error("{queue_max} invocations are waiting for an instance already (function_queue_max)")]
    QueueFull { queue_max: usize },
    #[error("could not fetch module from pool - no instance within {} ms", waited.as_millis())]
    NoInstance { waited: Duration },
    #[error("the guest could not be started - {0}")]
    Start(String),
    #[error("the guest ran longer than {timeout_ms} ms (timeout_ms)")]
    Timeout { timeout_ms: u64 },
    #[error("the guest reached its memory limit of {bytes_max} bytes (memory_bytes_max)")]
    MemoryLimit { bytes_max: usize },
    #[error("guest trapped")]
    Trap,
    #[error("{0}")]
    Guest(String),
    #[error("functions call each other more than {depth_max} deep (function_depth_max)")]
    TooDeep { depth_max: usize },
}

impl InvokeError {
    /// How the request, or the call, counts.
    pub fn outcome(&self) -> Outcome {
        match self {
            InvokeError::QueueFull { .. } => Outcome::Shed,
            InvokeError::NoInstance { .. } => Outcome::NoInstance,
            InvokeError::Timeout { .. } => Outcome::Timeout,
            InvokeError::Start(_) => Outcome::Fault,
            InvokeError::MemoryLimit { .. } | InvokeError::Trap => Outcome::Trap,
            InvokeError::Guest(_) | InvokeError::TooDeep { .. } => Outcome::GuestError,
        }
    }
}

/// Why a shard could not load its functions.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("function {function}: {reason}")]
    Function { function: String, reason: String },
    #[error("cannot define the host's functions: {0}")]
    Host(String),
}

impl LoadError {
    pub(super) fn function(function: &str, reason: impl fmt::Display) -> LoadError {
        LoadError::Function { function: function.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn host(error: wasmtime::Error) -> LoadError {
        LoadError::Host(format!("{error:#}"))
    }
}
