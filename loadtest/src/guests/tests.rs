//! The guests on the waPC project's own host: they do what the scenarios believe they do.

use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

use super::{
    ECHO, ENDLESS_GROWTH, ENDLESS_LOOP, HELLO, TRAP, compile, dirty, host_call, kv_get, kv_set,
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
    let module = compile(guest).unwrap();
    let engine = WasmtimeEngineProviderBuilder::new().module_bytes(&module).build().unwrap();
    WapcHost::new(Box::new(engine), Some(Box::new(answer))).unwrap()
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
}

#[test]
fn bad_guests_fail() {
    check(TRAP, "", Err(""));
    // The oracle has no memory limit and no deadline, so these two are only loaded.
    let _ = load(ENDLESS_GROWTH);
    let _ = load(ENDLESS_LOOP);
}
