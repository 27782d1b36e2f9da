//! Why a host call failed, in the words that the guest is shown. The texts are part of the contract
//! with guests.

use std::borrow::Cow;

use crate::functions::FunctionError;
use crate::metrics::MetricError;
pub use crate::payload::json::{JsonError, SyntaxError};

/// Displays as the text that the guest gets from `__host_error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No such operation, or the store behind it is not configured.
    #[error("callback not found")]
    NotFound,
    /// The answer has this status and is not 200; the response buffer holds it encoded.
    #[error("{text}")]
    Status { code: u16, text: Cow<'static, str> },
    /// A statement to execute came in no encoding that is taken. There is no response.
    #[error("unable to unmarshal database:exec request")]
    SqlExec,
    /// A metric's JSON payload could not be decoded. There is no response.
    #[error("unable to parse input JSON - {0}")]
    InputJson(#[from] JsonError),
    #[error(transparent)]
    Metric(#[from] MetricError),
    #[error(transparent)]
    Function(#[from] FunctionError),
}
