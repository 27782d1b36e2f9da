//! From a host call's names to the operation, and from the operation to the capability that runs
//! it. Names are compared as bytes of the guest's memory: nothing is allocated to find out what is
//! asked for.

mod http_client;
mod kvstore;
mod sql;

use futures_util::FutureExt;

use crate::boxed::pinned;
use crate::error::CallError;
use crate::functions::{FunctionIndex, FunctionNames};
use crate::http_client::HttpClient;
use crate::kv::Kv;
use crate::logger::{Level, Logger};
use crate::metrics::ShardMetrics;
use crate::payload::requests;
use crate::sql::Sql;

/// The names of a host call, in waPC's order: binding, namespace, operation.
#[derive(Debug, Clone, Copy)]
pub struct HostCall<'a> {
    pub namespace: &'a [u8],
    pub capability: &'a [u8],
    pub operation: &'a [u8],
}

/// What a guest can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    KvGet,
    KvSet,
    KvDelete,
    KvKeys,
    Log(Level),
    MetricsCounter,
    MetricsGauge,
    MetricsHistogram,
    Function(FunctionIndex),
    SqlQuery,
    SqlExec,
    HttpCall,
}

impl Operation {
    /// Names for telemetry, at the positions that [`Self::label_index`] gives. All functions have
    /// one.
    pub const LABELS: [&'static str; 16] = [
        "kvstore:get",
        "kvstore:set",
        "kvstore:delete",
        "kvstore:keys",
        "logger:error",
        "logger:warn",
        "logger:info",
        "logger:debug",
        "logger:trace",
        "metrics:counter",
        "metrics:gauge",
        "metrics:histogram",
        "function",
        "sql:query",
        "sql:exec",
        "httpclient:call",
    ];

    pub fn label_index(self) -> usize {
        match self {
            Operation::KvGet => 0,
            Operation::KvSet => 1,
            Operation::KvDelete => 2,
            Operation::KvKeys => 3,
            Operation::Log(level) => 4 + level as usize,
            Operation::MetricsCounter => 9,
            Operation::MetricsGauge => 10,
            Operation::MetricsHistogram => 11,
            Operation::Function(_) => 12,
            Operation::SqlQuery => 13,
            Operation::SqlExec => 14,
            Operation::HttpCall => 15,
        }
    }
}

/// Who makes the call.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Name of the function, for log lines.
    pub function: &'a str,
}

/// Runs another function on the same shard. The runtime's part of the function capability.
#[expect(
    async_fn_in_trait,
    reason = "the future stays on its shard, so callers need no Send bound"
)]
pub trait CallFunction {
    /// Fills `response`, which is empty, with what the callee answers.
    /// A function that could not be run or that failed is a [`crate::functions::FunctionError`].
    async fn call_function(
        &self,
        function: FunctionIndex,
        payload: &[u8],
        response: &mut Vec<u8>,
    ) -> Result<(), CallError>;
}

/// Everything that guests of one shard may ask for.
#[derive(Debug)]
pub struct Capabilities {
    /// Without a store, the guest's kv operations are not found.
    pub kv: Option<Kv>,
    /// Without a database, the guest's sql operations are not found.
    pub sql: Option<Sql>,
    /// Without a client, the guest's calls over HTTP are not found.
    pub http: Option<HttpClient>,
    pub logger: Logger,
    /// The shard's metrics, to take records from.
    pub metrics: ShardMetrics,
    pub functions: FunctionNames,
}

/// For operations that call none.
struct NoFunctions;

impl CallFunction for NoFunctions {
    async fn call_function(
        &self,
        _function: FunctionIndex,
        _payload: &[u8],
        _response: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        Err(CallError::NotFound)
    }
}

/// The only namespace; guests that name another are calling some other host.
const NAMESPACE: &[u8] = b"tarmac";

impl Capabilities {
    pub fn resolve(&self, call: HostCall<'_>) -> Result<Operation, CallError> {
        if call.namespace != NAMESPACE {
            return Err(CallError::NotFound);
        }
        let operation = match call.capability {
            b"kvstore" => self.kv.as_ref().and_then(|_| kv_operation(call.operation)),
            b"sql" => self.sql.as_ref().and_then(|_| sql_operation(call.operation)),
            b"httpclient" => self.http.as_ref().and_then(|_| http_operation(call.operation)),
            b"logger" => logger_level(call.operation).map(Operation::Log),
            b"logging" => logging_level(call.operation).map(Operation::Log),
            b"metrics" => metrics_operation(call.operation),
            b"function" => self.functions.get(call.operation).map(Operation::Function),
            _ => None,
        };
        operation.ok_or(CallError::NotFound)
    }

    /// Runs one operation if it is of a kind that never waits, as [`Self::call`] does. `None`: it may.
    pub fn call_at_once(
        &self,
        operation: Operation,
        payload: &[u8],
        caller: &Caller<'_>,
        response: &mut Vec<u8>,
    ) -> Option<Result<(), CallError>> {
        match (operation, &self.kv) {
            (Operation::KvGet, Some(Kv::Memory(_) | Kv::Embedded(_)))
            | (Operation::KvSet | Operation::KvDelete, Some(Kv::Memory(_))) => {}
            (
                Operation::Log(_)
                | Operation::MetricsCounter
                | Operation::MetricsGauge
                | Operation::MetricsHistogram,
                _,
            ) => {}
            _ => return None,
        }
        self.call(operation, payload, caller, &NoFunctions, response).now_or_never()
    }

    /// Runs one operation. `response` is cleared, then filled; after [`CallError::Status`] it holds
    /// that status encoded, after any other error nothing.
    pub async fn call(
        &self,
        operation: Operation,
        payload: &[u8],
        caller: &Caller<'_>,
        functions: &impl CallFunction,
        response: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        response.clear();
        match operation {
            Operation::KvGet => kvstore::get(self.kv()?, payload, response).await,
            Operation::KvSet => kvstore::set(self.kv()?, payload, response).await,
            Operation::KvDelete => kvstore::delete(self.kv()?, payload, response).await,
            Operation::KvKeys => kvstore::keys(self.kv()?, payload, response).await,
            Operation::SqlQuery => sql::query(self.sql()?, payload, response).await,
            Operation::SqlExec => sql::exec(self.sql()?, payload, response).await,
            // Boxed, because it would make every call's future many times as large.
            Operation::HttpCall => {
                let http = self.http()?;
                pinned(|| http_client::call(http, payload, response)).await
            }
            Operation::Log(level) => {
                self.logger.log(level, caller.function, payload);
                Ok(())
            }
            Operation::MetricsCounter => Ok(self.metrics.counter(&requests::counter(payload)?)?),
            Operation::MetricsGauge => {
                let (name, action) = requests::gauge(payload)?;
                Ok(self.metrics.gauge(&name, &action)?)
            }
            Operation::MetricsHistogram => {
                let (name, value) = requests::histogram(payload)?;
                Ok(self.metrics.histogram(&name, value)?)
            }
            Operation::Function(function) => {
                let called = functions.call_function(function, payload, response).await;
                called.inspect_err(|_| response.clear())
            }
        }
    }

    fn kv(&self) -> Result<&Kv, CallError> {
        self.kv.as_ref().ok_or(CallError::NotFound)
    }

    fn sql(&self) -> Result<&Sql, CallError> {
        self.sql.as_ref().ok_or(CallError::NotFound)
    }

    fn http(&self) -> Result<&HttpClient, CallError> {
        self.http.as_ref().ok_or(CallError::NotFound)
    }
}

fn kv_operation(operation: &[u8]) -> Option<Operation> {
    match operation {
        b"get" => Some(Operation::KvGet),
        b"set" => Some(Operation::KvSet),
        b"delete" => Some(Operation::KvDelete),
        b"keys" => Some(Operation::KvKeys),
        _ => None,
    }
}

fn sql_operation(operation: &[u8]) -> Option<Operation> {
    match operation {
        b"query" => Some(Operation::SqlQuery),
        b"exec" => Some(Operation::SqlExec),
        _ => None,
    }
}

fn http_operation(operation: &[u8]) -> Option<Operation> {
    (operation == b"call").then_some(Operation::HttpCall)
}

/// Operations of the logger as Tarmac registers them.
fn logger_level(operation: &[u8]) -> Option<Level> {
    match operation {
        b"error" => Some(Level::Error),
        b"warn" => Some(Level::Warn),
        b"info" => Some(Level::Info),
        b"debug" => Some(Level::Debug),
        b"trace" => Some(Level::Trace),
        _ => None,
    }
}

/// The same as the newer guest SDK calls them.
fn logging_level(operation: &[u8]) -> Option<Level> {
    match operation {
        b"Error" => Some(Level::Error),
        b"Warn" => Some(Level::Warn),
        b"Info" => Some(Level::Info),
        b"Debug" => Some(Level::Debug),
        b"Trace" => Some(Level::Trace),
        _ => None,
    }
}

fn metrics_operation(operation: &[u8]) -> Option<Operation> {
    match operation {
        b"counter" => Some(Operation::MetricsCounter),
        b"gauge" => Some(Operation::MetricsGauge),
        b"histogram" => Some(Operation::MetricsHistogram),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
