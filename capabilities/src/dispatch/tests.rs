//! One table per capability with every row of Tarmac's behaviour that it owns.

mod function;
mod http_client;
mod kvstore;
mod logger;
mod metrics;
mod sql;

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use super::*;
use crate::functions::FunctionError;
use crate::kv::Memory;
use crate::logger::{LevelFilter, LogSink};
use crate::metrics::{MetricNames, Reserved};

/// Keeps log lines as `level function message`.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn log(&self, level: Level, function: &str, message: &[u8]) {
        let line = format!("{} {function} {}", level.as_str(), String::from_utf8_lossy(message));
        self.0.lock().unwrap().push(line);
    }
}

/// Answers with what is queued, and remembers what was asked.
#[derive(Default)]
struct Callees {
    called: RefCell<Vec<(FunctionIndex, Vec<u8>)>>,
    failure: Option<FunctionError>,
}

impl CallFunction for Callees {
    async fn call_function(
        &self,
        function: FunctionIndex,
        payload: &[u8],
        response: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        self.called.borrow_mut().push((function, payload.to_vec()));
        response.extend_from_slice(b"callee \xff bytes");
        self.failure.clone().map_or(Ok(()), |failure| Err(failure.into()))
    }
}

/// A guest's end of the host calls.
struct Guest {
    capabilities: Capabilities,
    callees: Callees,
    lines: Arc<Lines>,
    filter: Arc<LevelFilter>,
    response: Vec<u8>,
}

impl Guest {
    fn new() -> Self {
        Guest::with_kv(Some(Kv::Memory(Memory::new(None))))
    }

    fn with_kv(kv: Option<Kv>) -> Self {
        let lines = Arc::new(Lines::default());
        let filter = Arc::new(LevelFilter::new(Some(Level::Trace)));
        let logger = Logger::new(Arc::clone(&lines) as Arc<dyn LogSink>, Arc::clone(&filter));
        let reserved =
            Reserved { names: ["go_goroutines".to_owned()].into(), prefixes: Vec::new() };
        let metrics = ShardMetrics::new(Arc::new(MetricNames::new(100, reserved)));
        let functions = [("hello", FunctionIndex(7))].into_iter().collect();
        let capabilities = Capabilities { kv, sql: None, http: None, logger, metrics, functions };
        Guest {
            capabilities,
            callees: Callees::default(),
            lines,
            filter,
            response: b"left over".to_vec(),
        }
    }

    /// The text of the error, empty on success. The payload is in `response` afterwards.
    fn call(&mut self, capability: &str, operation: &str, payload: &[u8]) -> String {
        crate::kv::tests::block_on(self.call_async(capability, operation, payload))
    }

    async fn call_async(&mut self, capability: &str, operation: &str, payload: &[u8]) -> String {
        let result = match self.capabilities.resolve(host_call("tarmac", capability, operation)) {
            Ok(operation) => {
                let (caller, callees) = (Caller { function: "caller" }, &self.callees);
                let call = self.capabilities.call(
                    operation,
                    payload,
                    &caller,
                    callees,
                    &mut self.response,
                );
                call.await
            }
            Err(error) => Err(error),
        };
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }
}

/// Runs what needs a shard's runtime.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

fn host_call<'a>(namespace: &'a str, capability: &'a str, operation: &'a str) -> HostCall<'a> {
    HostCall {
        namespace: namespace.as_bytes(),
        capability: capability.as_bytes(),
        operation: operation.as_bytes(),
    }
}

#[test]
fn host_calls_resolve_by_exact_names() {
    let (guest, without_kv) = (Guest::new(), Guest::with_kv(None));
    let check = |namespace: &str, capability: &str, operation: &str, label: Option<&str>| {
        let resolved = guest.capabilities.resolve(host_call(namespace, capability, operation));
        let found =
            resolved.clone().ok().map(|operation| Operation::LABELS[operation.label_index()]);
        assert_eq!(found, label, "{namespace}:{capability}:{operation}");
        if let Err(error) = resolved {
            assert_eq!(error.to_string(), "callback not found");
        }
        let found =
            without_kv.capabilities.resolve(host_call(namespace, capability, operation)).is_ok();
        assert_eq!(
            found,
            label.is_some() && capability != "kvstore",
            "without a store: {capability}:{operation}"
        );
    };
    check("tarmac", "kvstore", "get", Some("kvstore:get"));
    check("tarmac", "kvstore", "set", Some("kvstore:set"));
    check("tarmac", "kvstore", "delete", Some("kvstore:delete"));
    check("tarmac", "kvstore", "keys", Some("kvstore:keys"));
    for level in ["error", "warn", "info", "debug", "trace"] {
        check("tarmac", "logger", level, Some(&format!("logger:{level}")));
        check("tarmac", "logging", level, None);
        let capital = format!("{}{}", level[..1].to_uppercase(), &level[1..]);
        check("tarmac", "logging", &capital, Some(&format!("logger:{level}")));
        check("tarmac", "logger", &capital, None);
    }
    check("tarmac", "metrics", "counter", Some("metrics:counter"));
    check("tarmac", "metrics", "gauge", Some("metrics:gauge"));
    check("tarmac", "metrics", "histogram", Some("metrics:histogram"));
    check("tarmac", "function", "hello", Some("function"));
    check("tarmac", "function", "unknown", None);
    check("tarmac", "sql", "query", None);
    check("tarmac", "httpclient", "call", None);
    check("tarmac", "kvstore", "Get", None);
    check("tarmac", "kvstore", "", None);
    check("tarmac", "", "get", None);
    check("default", "kvstore", "get", None);
    check("", "kvstore", "get", None);
    check("Tarmac", "logger", "info", None);
}

#[test]
fn kv_calls_without_a_store_are_not_found() {
    let guest = Guest::with_kv(None);
    for operation in [Operation::KvGet, Operation::KvSet, Operation::KvDelete, Operation::KvKeys] {
        let mut response = b"left over".to_vec();
        let caller = Caller { function: "caller" };
        let call = guest.capabilities.call(operation, b"", &caller, &guest.callees, &mut response);
        assert_eq!(crate::kv::tests::block_on(call), Err(CallError::NotFound));
        assert_eq!(response, b"");
    }
}

/// It is moved to where it stays at every call, also at one that does not wait. What does is boxed.
#[test]
fn the_future_of_a_call_is_small() {
    let (guest, mut response) = (Guest::new(), Vec::new());
    let (caller, functions) = (Caller { function: "caller" }, &guest.callees);
    let get = Operation::KvGet;
    let call = guest.capabilities.call(get, b"", &caller, functions, &mut response);
    assert!(size_of_val(&call) <= 1024, "{} bytes", size_of_val(&call));
}

#[test]
fn only_what_never_waits_is_done_at_once() {
    let (guest, caller) = (Guest::new(), Caller { function: "caller" });
    let check = |operation: Operation, at_once: bool| {
        let mut response = Vec::new();
        let called = guest.capabilities.call_at_once(operation, b"", &caller, &mut response);
        assert_eq!(called.is_some(), at_once, "{operation:?}");
    };
    for operation in [
        Operation::KvGet,
        Operation::KvSet,
        Operation::KvDelete,
        Operation::Log(Level::Info),
        Operation::MetricsCounter,
        Operation::MetricsGauge,
        Operation::MetricsHistogram,
    ] {
        check(operation, true);
    }
    for operation in [
        Operation::KvKeys,
        Operation::Function(FunctionIndex(7)),
        Operation::SqlQuery,
        Operation::SqlExec,
        Operation::HttpCall,
    ] {
        check(operation, false);
    }
}
