//! Guests written in WAT, called as the request path calls them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use airside_capabilities::functions::{FunctionIndex, FunctionNames};
use airside_capabilities::logger::{Level, LevelFilter, LogSink};
use airside_capabilities::metrics::{MetricNames, Reserved};
use crossbeam::queue::SegQueue;
use tokio::runtime::{Builder, LocalOptions};

use super::artifact::ArtifactCache;
use super::epoch::EpochTicker;
use super::prepare::{self, Definition};
use super::*;
use crate::config::ModuleSource;
use crate::telemetry::Labels;

mod isolation;
mod reset;
mod retire;

/// The parts that every guest has: it fetches its request to 1024 and 2048.
const PRELUDE: &str = r#"
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wapc" "__guest_error" (func $error (param i32 i32)))
  (import "wapc" "__console_log" (func $console (param i32 i32)))
  (import "wapc" "__host_call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))
  (memory (export "memory") 2 100)"#;

/// A guest whose `__guest_call` has this body, with the operation at 1024 and the payload at 2048.
fn guest(body: &str) -> String {
    format!(
        "(module {PRELUDE} (func (export \"__guest_call\") (param $op i32) (param $len i32) (result i32)
           (call $request (i32.const 1024) (i32.const 2048)) {body}))"
    )
}

#[derive(Default)]
struct Lines(SegQueue<String>);

impl LogSink for Lines {
    fn log(&self, level: Level, function: &str, message: &[u8]) {
        let message = String::from_utf8_lossy(message);
        self.0.push(format!("{} {function}: {message}", level.as_str()));
    }
}

struct World {
    guests: Rc<Guests>,
    lines: Arc<Lines>,
    _ticker: EpochTicker,
}

const TIMEOUT: Duration = Duration::from_millis(200);
const MEMORY_BYTES_MAX: u64 = 4 * 64 * 1024;

fn definition(index: usize, wat: &str) -> Definition {
    Definition {
        name: format!("f{index}"),
        source: ModuleSource::Embedded(wat::parse_str(wat).unwrap().leak()),
        instances: 2,
        queue_max: 1,
        wait: Duration::from_millis(50),
        timeout: TIMEOUT,
        memory_bytes_max: MEMORY_BYTES_MAX,
        isolation: Isolation::Reuse,
    }
}

/// A shard's guests, functions `f0`, `f1` and so on, all of them callable.
async fn world(wats: &[String]) -> Result<World, LoadError> {
    let definitions: Vec<_> = wats.iter().enumerate().map(|(i, wat)| definition(i, wat)).collect();
    world_of(&definitions).await
}

async fn world_of(definitions: &[Definition]) -> Result<World, LoadError> {
    let dir = tempfile::tempdir().unwrap();
    let (cache, _) = ArtifactCache::open(dir.path()).unwrap();
    let prepared = prepare::prepare(definitions, &cache, 1, 2).unwrap();
    let engine = engine::shard(prepared.pool).unwrap();
    let ticker = EpochTicker::start(vec![engine.clone()]).unwrap();
    let lines = Arc::<Lines>::default();
    let filter = Arc::new(LevelFilter::new(Some(Level::Trace)));
    let log = Logger::new(Arc::clone(&lines) as Arc<dyn LogSink>, filter);
    let names: FunctionNames =
        (0..definitions.len()).map(|i| (format!("f{i}"), FunctionIndex(i as u32))).collect();
    let metrics = ShardMetrics::new(Arc::new(MetricNames::new(10, Reserved::default())));
    let labels = Labels {
        functions: definitions.iter().map(|d| d.name.clone()).collect(),
        operations: &airside_capabilities::Operation::LABELS,
        ..Labels::default()
    };
    let surroundings = Surroundings {
        capabilities: Capabilities {
            kv: None,
            sql: None,
            http: None,
            logger: log.clone(),
            metrics,
            functions: names,
        },
        backends: Vec::new(),
        telemetry: Rc::new(ShardTelemetry::new(&labels)),
        log,
        epoch: ticker.handle(0).unwrap(),
        depth_max: 4,
    };
    let guests = Guests::load(&engine, &prepared.functions, surroundings).await?;
    Ok(World { guests, lines, _ticker: ticker })
}

impl World {
    async fn call(&self, function: usize, payload: &[u8]) -> Result<String, InvokeError> {
        let mut response = Vec::new();
        let mut times = CallTimes::default();
        let payload = Bytes::copy_from_slice(payload);
        self.guests.invoke(function, payload, &mut response, &mut times).await?;
        Ok(String::from_utf8(response).unwrap())
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    runtime.unwrap().block_on(test);
}

/// One guest, one call.
#[track_caller]
fn check(wat: &str, payload: &str, expected: Result<&str, &str>) {
    run(async {
        let world = world(&[wat.to_owned()]).await.unwrap();
        let answer = world.call(0, payload.as_bytes()).await.map_err(|error| error.to_string());
        assert_eq!(answer.as_deref().map_err(String::as_str), expected);
    });
}

const ECHO: &str = "(call $response (i32.const 2048) (local.get $len)) (i32.const 1)";
const OPERATION: &str = "(call $response (i32.const 1024) (local.get $op)) (i32.const 1)";

#[test]
fn answers_are_what_the_guest_gave() {
    check(&guest(ECHO), "payload", Ok("payload"));
    check(&guest(ECHO), "", Ok(""));
    check(&guest(OPERATION), "x", Ok("handler"));
    check(&guest("(i32.const 1)"), "x", Ok(""));
    check(
        &guest(&format!("(call $response (i32.const 0) (i32.const 5)) {ECHO}")),
        "last one counts",
        Ok("last one counts"),
    );
    check(&guest("(call $response (i32.const -1) (i32.const 0)) (i32.const 1)"), "x", Ok(""));
}

#[test]
fn errors_are_what_the_guest_said() {
    let error = "(call $error (i32.const 2048) (local.get $len))";
    check(&guest(&format!("{error} (i32.const 0)")), "no such thing", Err("no such thing"));
    check(&guest(&format!("{error} {ECHO}")), "an error wins", Err("an error wins"));
    check(&guest("(i32.const 0)"), "x", Err("call to \"handler\" was unsuccessful"));
}

#[test]
fn a_bad_pointer_traps_the_guest() {
    for body in [
        "(call $response (i32.const -1) (i32.const 1))",
        "(call $response (i32.const 131071) (i32.const 2))",
        "(call $response (i32.const 1) (i32.const -1))",
        "(call $error (i32.const 131072) (i32.const 1))",
        "(call $console (i32.const 131072) (i32.const 1))",
        "(call $request (i32.const -1) (i32.const 0))",
        "(drop (call $host (i32.const -1) (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) \
         (i32.const 0) (i32.const 0)))",
        "(unreachable)",
    ] {
        check(&guest(&format!("{body} (i32.const 1)")), "x", Err("guest trapped"));
    }
}

#[test]
fn limits_end_a_guest_with_an_error_that_names_them() {
    let spin = "(loop $l (br $l)) (i32.const 1)";
    check(&guest(spin), "x", Err("the guest ran longer than 200 ms (timeout_ms)"));
    let grow = "(loop $l (drop (memory.grow (i32.const 1))) (br $l)) (i32.const 1)";
    let text = "the guest reached its memory limit of 262144 bytes (memory_bytes_max)";
    check(&guest(grow), "x", Err(text));
}

#[test]
fn a_failed_instance_is_replaced_and_a_good_one_reused() {
    let body = "(global.set $n (i32.add (global.get $n) (i32.const 1)))
      (if (i32.eq (i32.load8_u (i32.const 2048)) (i32.const 33)) (then unreachable))
      (i32.store8 (i32.const 0) (i32.add (global.get $n) (i32.const 48)))
      (call $response (i32.const 0) (i32.const 1)) (i32.const 1)";
    let wat = guest(body).replace("(memory", "(global $n (mut i32) (i32.const 0)) (memory");
    run(async {
        let world = world(&[wat]).await.unwrap();
        assert_eq!(world.call(0, b"a").await.unwrap(), "1");
        assert_eq!(world.call(0, b"a").await.unwrap(), "2");
        assert_eq!(world.call(0, b"!").await, Err(InvokeError::Trap));
        tokio::task::yield_now().await;
        assert_eq!(world.call(0, b"a").await.unwrap(), "1");
        let line = world.lines.0.pop().unwrap();
        assert!(line.starts_with("error f0: ") && line.contains("unreachable"), "{line}");
    });
}

/// Calls function `f1` of the same shard with the payload, and answers with its answer or error.
const RELAY: &str =
    "(if (result i32) (call $host (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 8)
     (i32.const 14) (i32.const 2) (i32.const 2048) (local.get $len))
   (then (call $host_response (i32.const 4096))
     (call $response (i32.const 4096) (call $host_response_len)) (i32.const 1))
   (else (call $host_error (i32.const 4096))
     (call $error (i32.const 4096) (call $host_error_len)) (i32.const 0)))";

fn relay(callee: &str) -> String {
    guest(RELAY)
        .replace("(memory", &format!("(data (i32.const 0) \"tarmacfunction{callee}\") (memory"))
}

#[test]
fn functions_call_each_other_on_their_shard() {
    let check = |callee: &str, wat: String, expected: Result<&str, &str>| {
        run(async {
            let world = world(&[relay(callee), wat]).await.unwrap();
            let answer = world.call(0, b"hi").await.map_err(|error| error.to_string());
            assert_eq!(answer.as_deref().map_err(String::as_str), expected);
        });
    };
    check("f1", guest(ECHO), Ok("hi"));
    check("f9", guest(ECHO), Err("callback not found"));
    check("f1", guest("(unreachable)"), Err("failed to execute wasm module - guest trapped"));
    // A function that calls itself has two instances only: the third call finds none.
    let deep = world_text_of_a_chain();
    assert!(deep.contains("could not fetch module from pool"), "{deep}");
}

/// Otherwise a long guest that calls others would pause for its own calls.
#[test]
fn a_call_from_a_guest_is_no_request_that_wants_the_core() {
    run(async {
        let world = world(&[relay("f1"), guest(ECHO)]).await.unwrap();
        for requests in 1..=3 {
            world.call(0, b"hi").await.unwrap();
            assert_eq!(world.guests.lane.begun_so_far(), requests);
        }
    });
}

fn world_text_of_a_chain() -> String {
    let text = Cell::new(String::new());
    run(async {
        let world = world(&[relay("f0")]).await.unwrap();
        text.set(world.call(0, b"hi").await.unwrap_err().to_string());
    });
    text.into_inner()
}

#[test]
fn a_chain_of_functions_has_a_limit() {
    let wats: Vec<String> = (1..=6).map(|next| relay(&format!("f{next}"))).collect();
    run(async {
        let world = world(&wats).await.unwrap();
        let error = world.call(0, b"hi").await.unwrap_err().to_string();
        assert!(error.contains("more than 4 deep (function_depth_max)"), "{error}");
    });
}

#[test]
fn a_long_guest_leaves_the_core_to_others() {
    run(async {
        let spin = guest("(loop $l (br $l)) (i32.const 1)");
        let world = Rc::new(world(&[spin, guest(ECHO)]).await.unwrap());
        let long = Rc::clone(&world);
        let long = tokio::task::spawn_local(async move { long.call(0, b"").await });
        let (mut answered, mut was_long) = (0, false);
        while !long.is_finished() {
            assert_eq!(world.call(1, b"hi").await.unwrap(), "hi");
            answered += 1;
            was_long |= world.guests.any_long();
            tokio::task::yield_now().await;
        }
        assert_eq!(long.await.unwrap(), Err(InvokeError::Timeout { timeout_ms: 200 }));
        assert!(answered > 1000, "{answered}");
        assert!(was_long && !world.guests.any_long(), "answers wait for others but beside it");
    });
}

#[test]
fn who_finds_no_instance_waits_for_a_bounded_time_in_a_bounded_queue() {
    run(async {
        let spin = guest("(loop $l (br $l)) (i32.const 1)");
        let world = Rc::new(world(&[spin]).await.unwrap());
        let call = || {
            let world = Rc::clone(&world);
            tokio::task::spawn_local(async move { world.call(0, b"").await })
        };
        let calls = [call(), call(), call(), call()];
        let [a, b, waited, refused] = calls;
        assert_eq!(refused.await.unwrap(), Err(InvokeError::QueueFull { queue_max: 1 }));
        let wait = Duration::from_millis(50);
        assert_eq!(waited.await.unwrap(), Err(InvokeError::NoInstance { waited: wait }));
        for spun in [a, b] {
            assert_eq!(spun.await.unwrap(), Err(InvokeError::Timeout { timeout_ms: 200 }));
        }
    });
}

#[test]
fn start_exports_run_once_and_in_order() {
    let start = |name: &str, digit: u8| {
        format!(
            "(func (export \"{name}\") (i32.store (i32.const 0) (i32.add (i32.mul (i32.load (i32.const 0))
               (i32.const 10)) (i32.const {digit}))))"
        )
    };
    let answer =
        "(i32.store8 (i32.const 8) (i32.add (i32.rem_u (i32.load (i32.const 0)) (i32.const 100))
        (i32.const 20))) (call $response (i32.const 8) (i32.const 1)) (i32.const 1)";
    let starts = [start("wapc_init", 3), start("_start", 2), start("_initialize", 1)].concat();
    let wat = guest(answer).replace(
        "(func (export \"__guest_call\")",
        &format!("{starts} (func (export \"__guest_call\")"),
    );
    // 1 then 2 then 3 is 123; 23 + 20 is '+'.
    check(&wat, "", Ok("+"));
}

#[test]
fn output_goes_to_the_log_line_by_line() {
    let wasi = |module: &str| {
        let import = format!(
            "(import \"{module}\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))"
        );
        let body = "(i32.store (i32.const 16) (i32.const 2048)) (i32.store (i32.const 20) (local.get $len))
          (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))
          (call $console (i32.const 2048) (i32.const 3)) (i32.const 1)";
        guest(body).replacen("(import", &format!("{import} (import"), 1)
    };
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        run(async {
            let world = world(&[wasi(module)]).await.unwrap();
            world.call(0, b"one\ntwo\nrest").await.unwrap();
            let lines: Vec<String> = std::iter::from_fn(|| world.lines.0.pop()).collect();
            let expected = ["info f0: one", "info f0: two", "info f0: one", "info f0: rest"];
            assert_eq!(lines, expected, "{module}");
        });
    }
}

#[test]
fn a_guest_that_cannot_start_says_why() {
    let check = |start: &str, expected: Option<&str>| {
        let import = "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))";
        let start = format!("(func (export \"_start\") {start})");
        let wat = guest(ECHO).replacen("(import", &format!("{import} (import"), 1).replace(
            "(func (export \"__guest_call\")",
            &format!("{start} (func (export \"__guest_call\")"),
        );
        run(async {
            let error = world(&[wat]).await.err().map(|error| error.to_string());
            match (&error, expected) {
                (None, None) => {}
                (Some(error), Some(text)) => assert!(error.contains(text), "{error}"),
                other => panic!("{other:?}"),
            }
        });
    };
    check("(call $exit (i32.const 0))", None);
    check("(call $exit (i32.const 3))", Some("function f0: _start failed"));
    check("unreachable", Some("function f0: _start failed"));
    check("(loop $l (br $l))", Some("function f0: "));
}

/// Answers how often it was called, as a digit.
fn counting() -> String {
    let body = "(global.set $n (i32.add (global.get $n) (i32.const 1)))
      (i32.store8 (i32.const 0) (i32.add (global.get $n) (i32.const 48)))
      (call $response (i32.const 0) (i32.const 1)) (i32.const 1)";
    guest(body).replace("(memory", "(global $n (mut i32) (i32.const 0)) (memory")
}

#[test]
fn a_start_on_demand_that_never_ends_is_ended() {
    // `f1` has two instances by then, of which each says once that it was never called: two starts go well, and those
    // made later loop.
    let start = "(func (export \"_start\")
        (drop (call $host (i32.const 0) (i32.const 6) (i32.const 6) (i32.const 8) (i32.const 14) (i32.const 2)
          (i32.const 0) (i32.const 0)))
        (call $host_response (i32.const 4096))
        (if (i32.ne (i32.load8_u (i32.const 4096)) (i32.const 49)) (then (loop $l (br $l)))))";
    let wat = guest("(unreachable)")
        .replace("(memory", "(data (i32.const 0) \"tarmacfunctionf1\") (memory")
        .replace(
            "(func (export \"__guest_call\")",
            &format!("{start} (func (export \"__guest_call\")"),
        );
    run(async {
        let world = world(&[wat, counting()]).await.unwrap();
        assert_eq!(world.call(0, b"").await, Err(InvokeError::Trap));
        tokio::task::yield_now().await;
        assert_eq!(world.call(0, b"").await, Err(InvokeError::Trap));
        let text = String::from("its start took longer than 200 ms (timeout_ms)");
        assert_eq!(world.call(0, b"").await, Err(InvokeError::Start(text)));
        assert!(world.call(1, b"").await.is_ok());
    });
}

/// It is part of the task of each connection, the idle ones too, of which there may be tens of thousands.
#[test]
fn a_call_s_future_is_small() {
    run(async {
        let world = world(&[guest(ECHO)]).await.unwrap();
        let (mut response, mut times) = (Vec::new(), CallTimes::default());
        let call = world.guests.invoke(0, Bytes::new(), &mut response, &mut times);
        let bytes = std::mem::size_of_val(&call);
        assert!(bytes <= 768, "{bytes}");
    });
}
