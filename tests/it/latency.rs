//! The latency page beside what clients did.

mod follow;
mod formats;
mod windows;

use airside_tests::harness::{Server, Setup, WAIT, poll_until};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::Value;
use std::time::Instant;

use crate::it::load::{Flood, call, clients_on_two_shards};

/// The page as JSON.
#[track_caller]
fn page(server: &Server, query: &str) -> Value {
    let response = server.get(&format!("/debug/latency?format=json&{query}"));
    assert_eq!(response.status, 200, "{}", response.text());
    serde_json::from_str(&response.text()).unwrap()
}

/// The series that have these labels.
fn series<'p>(page: &'p Value, labels: &[(&str, &str)]) -> Vec<&'p Value> {
    let series = page["series"].as_array().expect("series").iter();
    let has = |one: &&Value| labels.iter().all(|(name, value)| one["labels"][name] == *value);
    series.filter(has).collect()
}

/// Number of values in the series that have these labels.
fn count(page: &Value, labels: &[(&str, &str)]) -> u64 {
    series(page, labels).iter().map(|one| one["count"].as_u64().expect("a count")).sum()
}

fn decoded(base64: &str) -> Histogram<u64> {
    let bytes = STANDARD.decode(base64).expect("base64");
    Deserializer::new().deserialize(&mut &bytes[..]).expect("a histogram")
}

/// The numbers of a series agree with the histogram that stands beside them.
#[track_caller]
fn check_series(series: &Value, count: u64) {
    assert_eq!(series["count"], count, "{series}");
    let histogram = decoded(series["histogram"].as_str().unwrap());
    assert_eq!(histogram.len(), count);
    let number = |name: &str| series[name].as_u64().unwrap();
    let quantiles = ["min", "p50", "p90", "p99", "p99.9", "p99.99", "max"].map(number);
    assert!(quantiles.is_sorted(), "{quantiles:?}");
    assert!(quantiles[6] < 60_000_000_000, "{quantiles:?}");
    let median = histogram.value_at_quantile(0.5);
    assert!(histogram.equivalent(median, number("p50")), "{median} {quantiles:?}");
}

#[test]
fn every_request_counts_where_it_belongs() {
    const REQUESTS: u64 = 500;
    let server = Setup::new().guest("hello").guest("error").guest("trap").guest("call").start();
    let mut clients = [server.client(), server.client(), server.client(), server.client()];
    for _ in 0..REQUESTS / 4 {
        clients.iter_mut().for_each(|client| assert_eq!(client.get("/hello").status, 200));
    }
    clients[0].post("/error", "x");
    clients[0].get("/trap");
    clients[0].get("/nowhere");
    clients[0].post("/call", call("logger", "info", "x"));
    let page = page(&server, "");
    let hello = [("function", "hello"), ("route", "/hello"), ("trigger", "http")];
    for phase in ["total", "queue", "guest", "write"] {
        let labels = [&hello[..], &[("phase", phase), ("status", "2xx")]].concat();
        let [one] = series(&page, &labels)[..] else { panic!("{phase}: {page}") };
        check_series(one, REQUESTS);
    }
    let total =
        |route, status| count(&page, &[("route", route), ("phase", "total"), ("status", status)]);
    assert_eq!((total("/error", "5xx"), total("/error", "2xx")), (1, 0));
    assert_eq!((total("/trap", "trap"), total("/trap", "5xx")), (1, 0));
    assert_eq!(total("(unmatched)", "4xx"), 1);
    assert_eq!(count(&page, &[("route", "/call"), ("phase", "host")]), 1);
    assert_eq!(count(&page, &[("route", "/hello"), ("phase", "host")]), 0);
    let log = [("trigger", "host"), ("route", "logger:info"), ("status", "2xx")];
    assert_eq!(count(&page, &log), 1);
    // Nothing that a client sends makes a series.
    assert!(!page.to_string().contains("nowhere"));
}

#[test]
fn phases_add_up_to_the_total() {
    let server = Setup::new().guest("call").start();
    let mut client = server.client();
    (0..50).for_each(|_| drop(client.post("/call", call("logger", "info", "x"))));
    let page = page(&server, "by=phase&route=/call");
    let mean = |phase| {
        let one = series(&page, &[("phase", phase)]);
        assert_eq!(one[0]["count"], 50, "{phase}");
        one[0]["mean"].as_f64().unwrap()
    };
    let parts: f64 = ["queue", "guest", "host", "write"].map(mean).iter().sum();
    let total = mean("total");
    assert!((total - parts).abs() < total * 1e-9, "{parts} of {total}");
}

#[test]
fn waiting_for_the_client_is_no_phase() {
    let server = Setup::new().guest("echo").guest("hello").start();
    let mut client = server.client();
    client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nab");
    // Once another request was answered, on whichever shard, time has passed.
    let asked = Instant::now();
    (0..20).for_each(|_| assert_eq!(server.get("/hello").status, 200));
    let waited_ns = asked.elapsed().as_nanos() as f64;
    client.send("cd");
    assert_eq!(client.receive().text(), "abcd");
    let page = page(&server, "by=phase&route=/echo");
    let mean = |phase| series(&page, &[("phase", phase)])[0]["mean"].as_f64().unwrap();
    let parts = mean("queue") + mean("guest") + mean("write");
    // Reading the head came before the wait, so some of the wait may have been before the first byte was read.
    assert!(mean("total") - parts > waited_ns * 0.5, "{page} {waited_ns}");
}

#[test]
fn calls_between_functions_are_apart() {
    let server = Setup::new().guest("hello").guest("call").callable("hello").start();
    for _ in 0..3 {
        let answer = server.post("/call", call("function", "hello", ""));
        assert_eq!(answer.text(), "1Hello, World!");
    }
    let all = page(&server, "by=function,trigger&phase=total");
    assert_eq!(count(&all, &[("function", "call"), ("trigger", "http")]), 3);
    assert_eq!(count(&all, &[("function", "hello"), ("trigger", "call")]), 3);
    assert_eq!(count(&all, &[("function", "hello"), ("trigger", "http")]), 0);
    // Who does not ask for calls gets what clients sent.
    assert_eq!(count(&page(&server, "by="), &[]), 3);
    let host = page(&server, "by=function,capability");
    assert_eq!(count(&host, &[("function", "call"), ("capability", "function")]), 3);
}

#[test]
fn refused_requests_have_a_class() {
    let limits = serde_json::json!({ "pool_size": 1, "timeout_ms": 300 });
    let server = Setup::new()
        .guest_with("spin", limits)
        .set("shards", 1)
        .set("function_queue_max", 0)
        .start();
    let mut busy = server.client();
    busy.request("GET", "/spin");
    let shed = poll_until("a request to be shed", WAIT, || {
        let status = server.get("/spin").status;
        (status == 503).then_some(status)
    });
    assert_eq!(shed, 503);
    assert_eq!(busy.receive().status, 504);
    let page = page(&server, "by=status,phase&function=spin");
    let shed = count(&page, &[("status", "shed"), ("phase", "total")]);
    let timeout = count(&page, &[("status", "timeout"), ("phase", "total")]);
    assert!(shed >= 1 && timeout >= 1, "{page}");
    assert_eq!(count(&page, &[("status", "shed"), ("phase", "guest")]), 0);
    assert_eq!(count(&page, &[("status", "timeout"), ("phase", "guest")]), timeout);
}

#[test]
fn pages_under_load_lose_nothing() {
    let server = Setup::new().guest("hello").guest("global").start();
    let flood = Flood::start(server.address(), "/hello", 4);
    let mut last = 0;
    for round in 0..50 {
        let page = page(&server, "by=route&route=/hello");
        let count = count(&page, &[]);
        assert!(count >= last, "{count} after {last} in round {round}");
        last = count;
        assert_eq!(server.get("/metrics").status, 200);
    }
    let answered = u64::try_from(flood.stop()).unwrap();
    let page = page(&server, "by=&route=/hello");
    let [all] = series(&page, &[])[..] else { panic!("{page}") };
    check_series(all, answered);
}

#[test]
fn shards_are_apart_and_add_up() {
    if airside_tests::harness::cpus().len() < 2 {
        return;
    }
    let server = Setup::new().guest("hello").guest("global").set("shards", 2).start();
    let (mut first, mut second) = clients_on_two_shards(&server);
    server.post("/debug/latency", "");
    for _ in 0..10 {
        assert_eq!(first.get("/hello").status, 200);
        assert_eq!(second.get("/hello").status, 200);
    }
    let page = page(&server, "by=shard&route=/hello");
    assert_eq!(page["shards"], 2);
    let mut sum = decoded(series(&page, &[("shard", "0")])[0]["histogram"].as_str().unwrap());
    assert_eq!(sum.len(), 10);
    sum.add(decoded(series(&page, &[("shard", "1")])[0]["histogram"].as_str().unwrap())).unwrap();
    assert_eq!(sum.len(), 20);
}
