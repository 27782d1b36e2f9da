//! `isolation` in `tarmac.json`: what a call finds of the calls before it, through the whole server.

use airside_tests::harness::{Server, Setup, WAIT, poll_until};
use serde_json::{Value, json};

use crate::it::load::{Flood, call, metric};

/// The guest as `fresh` and as `reuse`, each with these further keys.
fn both(keys: &Value) -> Setup {
    let wasm = airside_tests::harness::wasm("remember");
    ["fresh", "reuse"].into_iter().fold(Setup::new().set("shards", 1), |setup, isolation| {
        let mut keys = keys.clone();
        keys["isolation"] = json!(isolation);
        setup.function(isolation, &wasm, keys)
    })
}

#[test]
fn a_secret_stays_with_reuse_and_goes_with_fresh() {
    let server = both(&json!({})).start();
    let mut client = server.client();
    assert_eq!(client.post("/reuse", "a secret").text(), "");
    assert_eq!(client.post("/reuse", "another").text(), "a secret");
    assert_eq!(client.get("/reuse").text(), "another");
    for _ in 0..20 {
        assert_eq!(client.post("/fresh", "a secret").text(), "");
    }
    // Those that came in one piece have no pause in which the next instance could be made.
    let request = "POST /fresh HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\na secret";
    client.send(request.repeat(50));
    for _ in 0..50 {
        let response = client.receive();
        assert_eq!((response.status, response.text().as_str()), (200, ""));
    }
}

#[test]
fn failures_of_fresh_calls_leave_nothing_behind() {
    let server = both(&json!({ "timeout_ms": 200, "pool_size": 1 })).start();
    let mut client = server.client();
    for (payload, status) in [("trap", 500), ("spin", 504), ("trap", 500), ("a secret", 200)] {
        assert_eq!(client.post("/fresh", payload).status, status, "{payload}");
        let response = client.get("/fresh");
        assert_eq!((response.status, response.text().as_str()), (200, ""), "after {payload}");
    }
    settles_at(&server, "fresh", 1.0);
}

/// None of the function's instances is in use, and so many are kept ready.
#[track_caller]
fn settles_at(server: &Server, function: &str, live: f64) {
    let label = [("function", function)];
    poll_until("the pool to settle", WAIT, || {
        let in_use = metric(server, "airside_instances_in_use", &label);
        let all = metric(server, "airside_instances", &label);
        ((in_use, all) == (Some(0.0), Some(live))).then_some(())
    });
}

#[test]
fn functions_call_fresh_functions() {
    let setup = both(&json!({})).callable("fresh").callable("reuse").guest("call");
    let server = setup.start();
    let mut client = server.client();
    let mut nested = |function| client.post("/call", call("function", function, "inner")).text();
    for _ in 0..5 {
        assert_eq!(nested("fresh"), "1");
    }
    assert_eq!((nested("reuse").as_str(), nested("reuse").as_str()), ("1", "1inner"));
}

#[test]
fn fresh_calls_keep_to_the_pool_s_size() {
    let keys = json!({ "timeout_ms": 2000, "pool_size": 2 });
    let server = both(&keys).set("function_wait_ms", 200).start();
    let mut busy = [server.client(), server.client()];
    for client in &mut busy {
        client.send("POST /fresh HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nspin");
    }
    poll_until("both calls to run", WAIT, || {
        let in_use = metric(&server, "airside_instances_in_use", &[("function", "fresh")]);
        (in_use == Some(2.0)).then_some(())
    });
    let refused = server.get("/fresh");
    assert_eq!(refused.status, 503);
    assert!(refused.text().ends_with("no instance within 200 ms"), "{}", refused.text());
    for client in &mut busy {
        assert_eq!(client.receive().status, 504);
    }
    assert_eq!(server.get("/fresh").status, 200);
    // More connections than instances: each call waits for its own, and none fails.
    let flood = Flood::start(server.address(), "/fresh", 4);
    let all = metric(&server, "airside_instances", &[("function", "fresh")]);
    assert!(all.is_some_and(|all| all <= 3.0), "{all:?}");
    assert!(flood.stop() > 0);
}

#[test]
fn check_says_which_functions_are_fresh_and_what_else_there_is() {
    let finished = both(&json!({})).arguments(&["check"]).run();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let line = |name: &str| {
        let start = format!("function   {name}: ");
        finished.stdout.lines().find(|line| line.starts_with(&start)).unwrap_or_default()
    };
    assert!(line("fresh").ends_with("100 instances, a fresh one for each call"), "{finished:?}");
    assert!(line("reuse").ends_with("100 instances"), "{finished:?}");

    let finished = Setup::new().guest_with("hello", json!({ "isolation": "none" })).run();
    assert_eq!(finished.code, Some(64), "{finished:?}");
    let said = "services.test.functions.hello.isolation = \"none\" (in ";
    let error = &finished.stderr;
    assert!(error.contains(said) && error.contains("must be reuse or fresh"), "{error}");
}
