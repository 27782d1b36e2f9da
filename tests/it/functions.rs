//! Functions and their limits: what a guest does wrong is that guest's failure and nobody else's.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use airside_tests::harness::{Response, Server, Setup, WAIT, poll_until, root};
use serde_json::{Value, json};

use crate::it::load::{Flood, call, metric};

/// What stands before every text about a failed function.
const FAILED: &str = "failed to execute wasm module - ";

#[track_caller]
fn check_failure(response: &Response, status: u16, text: &str) {
    assert_eq!((response.status, response.text()), (status, format!("{FAILED}{text}")));
}

#[test]
fn a_trap_ends_its_request_only() {
    let server = Setup::new().guest("trap").guest("trap_once").set("shards", 1).start();
    let mut client = server.client();
    for _ in 0..5 {
        check_failure(&client.get("/trap"), 500, "guest trapped");
    }
    assert_eq!(client.get("/trap_once").text(), "1");
    assert_eq!(client.get("/trap_once").text(), "2");
    check_failure(&client.post("/trap_once", "x"), 500, "guest trapped");
    // Another instance, as the trapped one's state is not to be trusted.
    assert_eq!(client.get("/trap_once").text(), "1");
    poll_until("the trace in the log", WAIT, || server.log().contains("unreachable").then_some(()));
}

#[test]
fn the_guest_s_error_is_the_answer() {
    let server = Setup::new().guest("error").guest("status").start();
    let mut client = server.client();
    check_failure(&client.post("/error", "it failed"), 500, "it failed");
    check_failure(&client.post("/error", "again <é>"), 500, "again <é>");
    let unsuccessful = "call to \"handler\" was unsuccessful";
    check_failure(&client.post("/status", "0"), 500, unsuccessful);
    assert_eq!(client.post("/status", "1").text(), "response");
}

#[test]
fn an_endless_loop_ends_at_its_deadline() {
    let server = Setup::new().guest_with("spin", json!({ "timeout_ms": 300 })).start();
    let mut client = server.client();
    for _ in 0..3 {
        let started = Instant::now();
        check_failure(&client.get("/spin"), 504, "the guest ran longer than 300 ms (timeout_ms)");
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(300) && took < WAIT, "{took:?}");
    }
}

#[test]
fn the_setting_is_the_timeout_of_functions_without_one() {
    let server = Setup::new().guest("spin").set("function_timeout_ms", 200).start();
    check_failure(&server.get("/spin"), 504, "the guest ran longer than 200 ms (timeout_ms)");
}

#[test]
fn memory_is_limited() {
    let limit = 4 << 20;
    let keys = json!({ "memory_bytes_max": limit });
    let setup = Setup::new().guest_with("grow", keys.clone()).guest_with("grow_touch", keys);
    let server = setup.guest("echo").start();
    let mut client = server.client();
    let text = format!("the guest reached its memory limit of {limit} bytes (memory_bytes_max)");
    for path in ["/grow", "/grow_touch", "/grow"] {
        check_failure(&client.get(path), 500, &text);
    }
    assert_eq!(client.post("/echo", "still here").text(), "still here");
}

#[test]
fn bad_functions_do_not_harm_a_good_one() {
    let server = Setup::new()
        .guest("hello")
        .guest("trap")
        .guest_with("spin", json!({ "timeout_ms": 100 }))
        .guest_with("grow_touch", json!({ "memory_bytes_max": 8 << 20 }))
        .set("shards", 1)
        .start();
    // Fails when one answer is not a 200.
    let healthy = Flood::start(server.address(), "/hello", 2);
    for (path, status, times) in [("/trap", 500, 100), ("/grow_touch", 500, 30), ("/spin", 504, 5)]
    {
        let mut client = server.client();
        for _ in 0..times {
            assert_eq!(client.get(path).status, status, "{path}");
        }
    }
    assert!(healthy.stop() > 0);
}

#[test]
fn an_instance_is_used_again() {
    let server = Setup::new().guest("global").set("shards", 1).start();
    let mut client = server.client();
    for expected in ["1", "2", "3", "4"] {
        assert_eq!(client.get("/global").text(), expected);
    }
    assert_eq!(server.get("/global").text(), "5");
}

/// A server whose only instance of `spin` is taken for a second, and the connection that took it.
fn busy(setup: Setup) -> (Server, airside_tests::harness::Client) {
    let keys = json!({ "timeout_ms": 2000, "pool_size": 1 });
    let server = setup.guest_with("spin", keys).guest("hello").set("shards", 1).start();
    let mut first = server.client();
    first.request("GET", "/spin");
    poll_until("the call to run", WAIT, || {
        (metric(&server, "airside_instances_in_use", &[("function", "spin")]) == Some(1.0))
            .then_some(())
    });
    (server, first)
}

#[test]
fn waiting_for_an_instance_has_an_end() {
    let (server, mut first) = busy(Setup::new().set("function_wait_ms", 200));
    let started = Instant::now();
    let response = server.get("/spin");
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    let text = "could not fetch module from pool - no instance within 200 ms";
    check_failure(&response, 503, text);
    assert_eq!(server.get("/hello").status, 200);
    assert_eq!(first.receive().status, 504);
}

#[test]
fn a_full_queue_sheds_at_once() {
    let (server, mut first) = busy(Setup::new().set("function_queue_max", 1));
    let mut waiting = server.client();
    waiting.request("GET", "/spin");
    poll_until("the queue to fill", WAIT, || {
        (metric(&server, "airside_instance_waits", &[("function", "spin")]) == Some(1.0))
            .then_some(())
    });
    let mut shed = server.client();
    let started = Instant::now();
    let response = shed.get("/spin");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let text = "1 invocations are waiting for an instance already (function_queue_max)";
    check_failure(&response, 503, text);
    let retry = response.header("retry-after").unwrap();
    assert!(retry.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{retry}");
    // The connection is fine, and so are those who came before.
    assert_eq!(shed.get("/hello").status, 200);
    assert_eq!(first.receive().status, 504);
    assert_eq!(waiting.receive().status, 504);
    let spin = [("function", "spin"), ("route", "/spin"), ("outcome", "shed")];
    assert_eq!(metric(&server, "airside_requests_total", &spin), Some(1.0));
}

#[test]
fn functions_call_functions() {
    let server = Setup::new()
        .guest("call")
        .guest("hello")
        .guest("error")
        .guest("trap")
        .guest("echo")
        .callable("hello")
        .callable("error")
        .callable("trap")
        .start();
    let mut client = server.client();
    let rows = [
        (call("function", "hello", "x"), "1Hello, World!".to_owned()),
        (call("function", "error", "no"), format!("0{FAILED}no\n")),
        (call("function", "trap", ""), format!("0{FAILED}guest trapped\n")),
        // Served by a route, but not to be called by functions; and not there at all.
        (call("function", "echo", ""), "0callback not found\n".to_owned()),
        (call("function", "nobody", ""), "0callback not found\n".to_owned()),
    ];
    for (payload, expected) in rows {
        let response = client.post("/call", &payload);
        let row = String::from_utf8_lossy(&payload).into_owned();
        assert_eq!((response.status, response.text()), (200, expected), "{row}");
    }
}

#[test]
fn functions_call_each_other_so_deep_and_no_deeper() {
    let server =
        Setup::new().guest("recurse").callable("recurse").set("function_depth_max", 4).start();
    let mut client = server.client();
    for _ in 0..3 {
        let response = client.get("/recurse");
        assert_eq!(response.status, 500);
        let text = response.text();
        let end = "functions call each other more than 4 deep (function_depth_max)";
        assert!(text.starts_with(FAILED) && text.ends_with(end), "{text}");
    }
}

#[test]
fn a_function_that_waits_for_itself_is_told_so() {
    let setup = Setup::new().guest_with("recurse", json!({ "pool_size": 1 })).callable("recurse");
    let server = setup.set("function_wait_ms", 200).set("shards", 1).start();
    let response = server.get("/recurse");
    assert_eq!(response.status, 500);
    let text = response.text();
    assert!(
        text.ends_with("could not fetch module from pool - no instance within 200 ms"),
        "{text}"
    );
}

#[test]
fn the_first_deadline_of_a_chain_counts() {
    // The outer function's limit, the inner one's, the outer one's status and text.
    let inner = format!("0{FAILED}the guest ran longer than 300 ms (timeout_ms)\n");
    let outer = format!("{FAILED}the guest ran longer than 300 ms (timeout_ms)");
    for (outer_ms, inner_ms, status, text) in [(60_000, 300, 200, inner), (300, 60_000, 504, outer)]
    {
        let server = Setup::new()
            .guest_with("call", json!({ "timeout_ms": outer_ms }))
            .guest_with("spin", json!({ "timeout_ms": inner_ms }))
            .callable("spin")
            .start();
        let started = Instant::now();
        let response = server.post("/call", call("function", "spin", ""));
        assert!(started.elapsed() < WAIT, "{:?}", started.elapsed());
        assert_eq!((response.status, response.text()), (status, text), "{outer_ms} {inner_ms}");
    }
}

/// The files in a server's folder of compiled code, with what changes when one is written again.
fn artifacts(setup: &Setup) -> Vec<(String, SystemTime, u64)> {
    let entries = fs::read_dir(setup.path("artifacts")).unwrap();
    let mut artifacts: Vec<_> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, metadata.modified().unwrap(), std::os::unix::fs::MetadataExt::ino(&metadata))
        })
        .collect();
    artifacts.sort();
    artifacts
}

#[test]
fn modules_are_compiled_once() {
    let server = Setup::new().guest("hello").guest("echo").start();
    assert_eq!(server.get("/hello").status, 200);
    let setup = server.stop();
    let made = artifacts(&setup);
    assert_eq!(made.len(), 2, "{made:?}");
    let server = setup.start();
    assert_eq!(server.get("/hello").status, 200);
    assert_eq!(artifacts(&server.stop()), made);
}

#[test]
fn modules_that_cannot_be_served_are_errors_at_the_start() {
    let spin = json!({ "timeout_ms": 300 });
    let rows: [(&str, Value, &str); 8] = [
        ("init_trap", json!({}), "wapc_init"),
        ("start_exit_3", json!({}), "_start"),
        ("no_guest_call", json!({}), "__guest_call"),
        ("wrong_guest_call", json!({}), "__guest_call"),
        ("unknown_import", json!({}), "__no_such_function"),
        ("nomem", json!({}), "memory"),
        ("secret_read", json!({ "memory_bytes_max": 65536 }), "memory_bytes_max"),
        ("spin_init", spin, "timeout_ms"),
    ];
    for (guest, keys, part) in rows {
        let finished = Setup::new().guest("hello").guest_with(guest, keys).run();
        let error = &finished.stderr;
        assert_eq!(finished.code, Some(64), "{guest}: {error}");
        assert!(error.contains(guest) && error.contains(part), "{guest}: no {part:?} in: {error}");
        assert!(!error.contains("function hello"), "{guest}: {error}");
    }
}

#[test]
fn files_that_are_no_modules_are_errors_at_the_start() {
    let rows: [(&str, &[u8]); 4] = [
        ("empty", b""),
        ("cut", b"\0asm\x01\0\0\0\x01"),
        ("text", b"(module)"),
        ("elf", b"\x7fELF\x02\x01\x01"),
    ];
    for (name, bytes) in rows {
        let finished = Setup::new().function(name, bytes, json!({})).run();
        let expected = format!("function {name}: not a valid WebAssembly module");
        assert_eq!(finished.code, Some(64), "{name}: {}", finished.stderr);
        assert!(finished.stderr.contains(&expected), "{name}: {}", finished.stderr);
    }
}

#[test]
fn a_guest_s_memory_is_nobody_else_s() {
    let keys = || json!({ "pool_size": 1 });
    let server = Setup::new()
        .guest_with("secret_write", keys())
        .guest_with("secret_read", keys())
        .set("shards", 1)
        .start();
    let mut client = server.client();
    for _ in 0..20 {
        assert_eq!(client.post("/secret_write", "a secret").text(), "kept");
        assert_eq!(client.get("/secret_read").text(), "clean");
    }
}

#[test]
fn the_guests_of_every_language_are_served() {
    // Each with the configuration that lies beside it, as its reader starts it.
    let mut languages = Vec::new();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("tarmac.json").exists() {
            languages.push(folder);
        }
    }
    assert!(!languages.is_empty());
    for folder in languages {
        let setup = Setup::new().in_folder(&folder).set("enable_kvstore", true);
        let setup = setup.set("kvstore_type", "in-memory");
        let server = setup.set("wasm_function_config", "tarmac.json").start();
        let shown = folder.display();
        assert_eq!(server.post("/echo", "any \0 bytes").text(), "any \0 bytes", "{shown}");
        for expected in ["1", "2", "3"] {
            let response = server.post("/counter", "");
            assert_eq!((response.status, response.text().as_str()), (200, expected), "{shown}");
        }
        server.stop();
    }
}
