//! The table of guests, held against our server over HTTP and against the `wapc` crate in this process.

use airside_tests::harness::{Response, Setup, example, root, wasm};
use serde_json::json;

use crate::guests::{Call, Outcome, Row, Start, provider, rows};

/// What the functions that the table's guests call are: `tests/guests/echo.wat`, and the demo's hello, which greets its
/// payload.
fn setup(row: &Row, module: &[u8]) -> Setup {
    let hello = example("demo").into_iter().find(|path| path.ends_with("hello.wasm"));
    let keys = if row.endless { json!({ "timeout_ms": 1000 }) } else { json!({}) };
    Setup::new()
        .function("row", module, keys)
        .function("echo", &wasm("echo"), json!({}))
        .function_at("hello", &hello.expect("the demo greets"), json!({}))
        .callable("echo")
        .callable("hello")
        .set("shards", 1)
        .set("enable_kvstore", true)
        .set("kvstore_type", "in-memory")
        .set("http_body_bytes_max", 64 << 20)
}

fn check_start(row: &Row, module: &[u8]) {
    let finished = setup(row, module).run();
    assert_eq!(finished.code, Some(64), "{}: {}", row.guest, finished.stderr);
    assert!(finished.stderr.contains("function row: "), "{}: {}", row.guest, finished.stderr);
}

/// A trap for want of memory says so instead.
fn is_trap(text: &str) -> bool {
    text == "guest trapped" || text.starts_with("the guest reached its memory limit of ")
}

fn check_call(row: &Row, number: usize, call: &Call, response: &Response) {
    let failed = response.text();
    let failed = failed.strip_prefix("failed to execute wasm module - ").unwrap_or("no such text");
    let as_told = match &call.outcome.airside {
        Outcome::Answer(answer) => response.status == 200 && response.body == *answer,
        Outcome::GuestError(text) => {
            response.status == 500 && failed == String::from_utf8_lossy(text)
        }
        Outcome::Unsuccessful => response.status == 500 && failed.ends_with("was unsuccessful"),
        Outcome::Trap => response.status == 500 && is_trap(failed),
        Outcome::Deadline => response.status == 504,
        Outcome::HostPanic => false,
    };
    let shown: String = format!("{:?}", call.outcome.airside).chars().take(500).collect();
    let body: String = response.text().chars().take(500).collect();
    assert!(as_told, "{} call {number}: {shown} but {} {body}", row.guest, response.status);
}

#[test]
fn the_server_does_what_the_table_says() {
    for row in rows() {
        let module = row.module(&root());
        if row.start.airside == Start::Failed {
            check_start(&row, &module);
            continue;
        }
        let server = setup(&row, &module).start();
        let mut client = server.client();
        for (number, call) in row.calls.iter().enumerate() {
            let response = client.post("/row", &call.payload);
            check_call(&row, number, call, &response);
        }
    }
}

#[test]
fn the_oracle_does_what_the_table_says() {
    for row in rows() {
        let (start, outcomes) = provider::run(&row, &row.module(&root()));
        assert_eq!(start, *row.start.provider(), "{}", row.guest);
        for (number, (outcome, call)) in outcomes.iter().zip(&row.calls).enumerate() {
            assert!(outcome == call.outcome.provider(), "{} call {number}: {outcome:?}", row.guest);
        }
    }
}
