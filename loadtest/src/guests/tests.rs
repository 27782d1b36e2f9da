//! The guests on the waPC project's own host: they do what the scenarios believe they do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

use super::{
    ECHO, ENDLESS_GROWTH, ENDLESS_LOOP, HELLO, HELLO_COMPONENT, JSON, JSON_TEXT, TRAP, compile,
    dirty, host_call, host_calls, kv_get, kv_set,
};

type HostResult = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

/// Answers every host call with what it was asked for; a payload `fail` gives an error.
fn answer(_: u64, binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> HostResult {
    let payload = std::str::from_utf8(payload)?;
    if payload == "fail" {
        return Err("no such key".into());
    }
    Ok(format!("{binding}/{namespace}/{operation}({payload})").into_bytes())
}

/// A valid module with the imports and exports of waPC, or this panics.
#[track_caller]
fn load(guest: &str) -> WapcHost {
    load_with(guest, Box::new(answer))
}

#[track_caller]
fn load_with(guest: &str, host: Box<wapc::HostCallback>) -> WapcHost {
    let module = compile(guest).unwrap();
    let engine = WasmtimeEngineProviderBuilder::new().module_bytes(&module).build().unwrap();
    WapcHost::new(Box::new(engine), Some(host)).unwrap()
}

#[track_caller]
fn check(guest: &str, payload: &str, want: Result<&str, &str>) {
    let got = load(guest).call("handler", payload.as_bytes());
    match (got, want) {
        (Ok(got), Ok(want)) => assert_eq!(String::from_utf8(got).unwrap(), want),
        (Err(got), Err(want)) => assert!(got.to_string().contains(want), "{got}"),
        (got, want) => panic!("got {got:?}, want {want:?}"),
    }
}

#[test]
fn guests_answer() {
    check(HELLO, "", Ok("Hello, World!"));
    check(HELLO, "ignored", Ok("Hello, World!"));
    check(ECHO, "", Ok(""));
    check(ECHO, "payload", Ok("payload"));
    let large = "x".repeat(128 << 10);
    check(ECHO, &large, Ok(&large));
    for pages in [0, 3, 16, 32] {
        check(&dirty(pages), "", Ok("Hello, World!"));
    }
    check(&kv_set(), "payload", Ok("tarmac/kvstore/set(payload)"));
    check(&kv_get(), "payload", Ok("tarmac/kvstore/get(payload)"));
    check(&kv_get(), "fail", Err("no such key"));
    let query = host_call("sql", "query", b"SELECT \"a\"");
    check(&query, "ignored", Ok("tarmac/sql/query(SELECT \"a\")"));
    check(&host_call("kvstore", "get", b"fail"), "", Err("no such key"));
    check(&host_calls(5, "kvstore", "get", b"k"), "", Ok("tarmac/kvstore/get(k)"));
}

#[test]
fn several_host_calls_are_made() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let host: Box<wapc::HostCallback> = Box::new(move |_, _, _, _, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Vec::new())
    });
    load_with(&host_calls(5, "kvstore", "get", b"k"), host).call("handler", b"").unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 5);
}

#[test]
fn json_is_transformed() {
    check(JSON, "", Ok(""));
    check(JSON, r#" { "a\"b\\" : [ 1 , true, "x\ny" ] } "#, Ok(r#"{"A\"B\\":[1,true,"X\nY"]}"#));
    let answer = load(JSON).call("handler", JSON_TEXT.as_bytes()).unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["CUSTOMER"]["NAME"], "ZO\u{eb} \"THE OWL\" WINTER");
    assert_eq!(answer["LINES"][3]["NAME"], "LADDER\n2 M");
}

#[test]
fn the_component_is_one() {
    // The head of a component differs from that of a module in these bytes.
    assert_eq!(compile(HELLO_COMPONENT).unwrap()[4..8], [0x0d, 0, 1, 0]);
}

#[test]
fn bad_guests_fail() {
    check(TRAP, "", Err(""));
    // The oracle has no memory limit and no deadline, so these two are only loaded.
    let _ = load(ENDLESS_GROWTH);
    let _ = load(ENDLESS_LOOP);
}
