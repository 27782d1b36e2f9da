//! Runs a row of the table on the `wapc` crate and `wasmtime-provider`.

use super::double::Double;
use super::{MEMORY_BYTES_MAX, OPERATION, Outcome, Row, Start, TABLE_ELEMENTS_MAX};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;
use wapc::WapcHost;
use wapc::errors::Error;
use wasmtime_provider::wasmtime::{Config, Engine};
use wasmtime_provider::{EpochDeadlines, ResourceLimits, WasmtimeEngineProviderBuilder};

/// One epoch.
const TICK: Duration = Duration::from_millis(10);
/// 1 s.
const DEADLINE_TICKS: u64 = 100;

/// Starts the guest of `row`, compiled to `module`, and calls it with each payload, until one ends
/// in a way that leaves the instance in no state for the next.
pub(crate) fn run(row: &Row, module: &[u8]) -> (Start, Vec<Outcome>) {
    let Some(host) = start(row, module) else {
        return (Start::Failed, Vec::new());
    };
    let mut outcomes = Vec::new();
    for row_call in &row.calls {
        outcomes.push(call(&host, &row_call.payload));
        if let Some(Outcome::Trap | Outcome::Deadline | Outcome::HostPanic) = outcomes.last() {
            break;
        }
    }
    (Start::Ready, outcomes)
}

fn start(row: &Row, module: &[u8]) -> Option<WapcHost> {
    let mut builder = WasmtimeEngineProviderBuilder::new()
        .module_bytes(module)
        .enable_resource_limits(ResourceLimits {
            max_memory_size: Some(MEMORY_BYTES_MAX),
            max_table_elements: Some(TABLE_ELEMENTS_MAX),
        });
    // Only where it must be: with epochs on, the provider has every start section trap, as it sets
    // the first deadline after it.
    if row.endless {
        builder = builder.engine(ticking_engine()).enable_epoch_interruptions(EpochDeadlines {
            wapc_init: DEADLINE_TICKS,
            wapc_func: DEADLINE_TICKS,
        });
    }
    let provider = builder.build().ok()?;
    let double = Double::default();
    let host_call =
        move |_: u64, binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            double.host_call(binding, namespace, operation, payload).map_err(Into::into)
        };
    WapcHost::new(Box::new(provider), Some(Box::new(host_call))).ok()
}

/// An engine whose epoch advances for as long as it lives.
fn ticking_engine() -> Engine {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).expect("a valid configuration");
    let ticked = engine.weak();
    thread::spawn(move || {
        while let Some(engine) = ticked.upgrade() {
            engine.increment_epoch();
            thread::sleep(TICK);
        }
    });
    engine
}

fn call(host: &WapcHost, payload: &[u8]) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| host.call(OPERATION, payload))) {
        Ok(Ok(answer)) => Outcome::Answer(answer),
        Ok(Err(Error::GuestCallFailure(text))) => classify(&text),
        Ok(Err(error)) => panic!("no failure of a guest: {error}"),
        Err(_) => Outcome::HostPanic,
    }
}

/// The crate tells its failures apart by their text alone.
fn classify(text: &str) -> Outcome {
    match text {
        "No error message set for call failure"
        | "No error message OR response set for call success" => Outcome::Unsuccessful,
        "guest code interrupted, execution deadline exceeded" => Outcome::Deadline,
        _ if text.starts_with("error while executing at wasm backtrace") => Outcome::Trap,
        _ => Outcome::GuestError(text.as_bytes().to_vec()),
    }
}
