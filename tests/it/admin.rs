//! The pages for operators: health, readiness, metrics, latency.

use std::collections::BTreeMap;

use airside_tests::harness::{Family, Server, Setup, parse_metrics};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::Value;

use crate::it::load::{Flood, call, clients_on_two_shards};

#[test]
fn health_and_readiness_answer() {
    let server = Setup::new().guest("hello").start();
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.get("/ready").status, 200);
    let server = Setup::new().guest("hello").set("enable_maintenance_mode", true).start();
    assert_eq!(server.get("/health").status, 200);
    let response = server.get("/ready");
    assert_eq!((response.status, response.text().as_str()), (503, "maintenance mode\n"));
    // Not ready is a word to the load balancer; requests that come are served.
    assert_eq!(server.get("/hello").status, 200);
}

#[test]
fn a_page_of_unknown_format_is_not_acceptable() {
    let server = Setup::new().guest("hello").start();
    for (query, status) in
        [("", 200), ("?format=text", 200), ("?format=json", 200), ("?format=xml", 406)]
    {
        assert_eq!(server.get(&format!("/debug/latency{query}")).status, status, "{query}");
    }
    assert_eq!(server.get("/debug/pprof/").status, 403);
    assert_eq!(server.get("/debug/pprof/heap").status, 403);
}

fn families(server: &Server) -> BTreeMap<String, Family> {
    let response = server.get("/metrics");
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    parse_metrics(&response.text()).unwrap_or_else(|why| panic!("{why}"))
}

/// A family's name and type, and one of its samples with its labels and value; none: any value.
type MetricRow<'r> = (&'r str, &'r str, &'r str, &'r [(&'r str, &'r str)], Option<f64>);

#[test]
fn metrics_have_the_names_of_tarmac_and_our_own() {
    let server = Setup::new().guest("hello").guest("call").callable("hello").start();
    for _ in 0..3 {
        assert_eq!(server.get("/hello?client-made=1").status, 200);
    }
    assert_eq!(server.post("/call", call("logger", "info", "x")).text(), "1");
    assert_eq!(server.post("/call", call("function", "hello", "")).text(), "1Hello, World!");
    let families = families(&server);
    let rows: [MetricRow<'_>; 12] = [
        ("http_server", "summary", "http_server_count", &[("path", "/hello")], Some(3.0)),
        (
            "http_server",
            "summary",
            "http_server",
            &[("path", "/hello"), ("quantile", "0.99")],
            None,
        ),
        (
            "wasm_functions",
            "summary",
            "wasm_functions_count",
            &[("route", "hello:handler")],
            Some(4.0),
        ),
        (
            "wasm_functions",
            "summary",
            "wasm_functions",
            &[("route", "call:handler"), ("quantile", "0.5")],
            None,
        ),
        (
            "wasm_callbacks",
            "summary",
            "wasm_callbacks_count",
            &[("callback", "logger:info")],
            Some(1.0),
        ),
        (
            "service_routes",
            "gauge",
            "service_routes",
            &[("service", "test"), ("type", "http")],
            Some(2.0),
        ),
        (
            "service_routes",
            "gauge",
            "service_routes",
            &[("service", "test"), ("type", "function")],
            Some(1.0),
        ),
        (
            "airside_requests_total",
            "counter",
            "airside_requests_total",
            &[("function", "hello"), ("route", "/hello"), ("outcome", "answered")],
            Some(3.0),
        ),
        (
            "airside_request_duration_seconds",
            "histogram",
            "airside_request_duration_seconds_count",
            &[("function", "hello"), ("route", "/hello"), ("phase", "total")],
            Some(3.0),
        ),
        (
            "airside_host_call_duration_seconds",
            "histogram",
            "airside_host_call_duration_seconds_count",
            &[("operation", "logger:info")],
            Some(1.0),
        ),
        ("process_cpu_seconds_total", "counter", "process_cpu_seconds_total", &[], None),
        ("process_resident_memory_bytes", "gauge", "process_resident_memory_bytes", &[], None),
    ];
    for (name, kind, sample, labels, expected) in rows {
        let family = families.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(family.kind, kind, "{name}");
        let value =
            family.value(sample, labels).unwrap_or_else(|| panic!("no {sample} {labels:?}"));
        if let Some(expected) = expected {
            assert!(value == expected, "{sample} {labels:?} is {value}");
        }
    }
    // Nothing that a client sends makes a series.
    assert!(!format!("{families:?}").contains("client-made"));
    check_histograms(&families);
}

/// Buckets grow, and the last holds all.
fn check_histograms(families: &BTreeMap<String, Family>) {
    for (name, family) in families.iter().filter(|(_, family)| family.kind == "histogram") {
        let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in family.samples.iter().filter(|s| s.name.ends_with("_bucket")) {
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le").expect("a bucket has a bound");
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
            series.entry(format!("{labels:?}")).or_default().push((bound, sample.value));
        }
        assert!(!series.is_empty(), "{name} has no buckets");
        for (labels, buckets) in series {
            let grows = buckets.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1);
            assert!(grows, "{name} {labels}: {buckets:?}");
            assert!(buckets.last().unwrap().0.is_infinite(), "{name} {labels}");
        }
    }
}

/// The entry of a route on the latency page.
fn route<'p>(page: &'p Value, route: &str) -> &'p Value {
    let routes = page["routes"].as_array().expect("routes");
    routes.iter().find(|entry| entry["route"] == route).unwrap_or_else(|| panic!("{page}"))
}

fn phase<'r>(route: &'r Value, name: &str) -> &'r Value {
    let phases = route["phases"].as_array().expect("phases");
    phases.iter().find(|entry| entry["phase"] == name).unwrap_or_else(|| panic!("{route}"))
}

fn latency(server: &Server) -> Value {
    serde_json::from_str(&server.get("/debug/latency?format=json").text()).unwrap()
}

#[test]
fn the_latency_page_counts_every_request() {
    const REQUESTS: u64 = 500;
    let server = Setup::new().guest("hello").guest("error").guest("trap").guest("call").start();
    let mut clients = [server.client(), server.client(), server.client(), server.client()];
    for _ in 0..REQUESTS / 4 {
        clients.iter_mut().for_each(|client| assert_eq!(client.get("/hello").status, 200));
    }
    clients[0].post("/error", "x");
    clients[0].get("/trap");
    clients[0].post("/call", call("logger", "info", "x"));
    let page = latency(&server);
    let hello = route(&page, "/hello");
    assert_eq!(hello["function"], "hello");
    assert_eq!(hello["requests"]["answered"], REQUESTS);
    for name in ["total", "wait", "guest"] {
        check_phase(phase(hello, name), REQUESTS);
    }
    assert_eq!(route(&page, "/error")["requests"]["guest_error"], 1);
    assert_eq!(route(&page, "/trap")["requests"]["trap"], 1);
    // Failures do not mix with answers.
    check_phase(phase(route(&page, "/error"), "failed"), 1);
    assert_eq!(route(&page, "/error")["phases"].as_array().unwrap().len(), 1);
    check_phase(phase(route(&page, "/call"), "host"), 1);
    assert_eq!(page["host_calls"][0]["operation"], "logger:info");
}

/// The numbers agree with the histogram that stands beside them.
#[track_caller]
fn check_phase(phase: &Value, count: u64) {
    assert_eq!(phase["count"], count, "{phase}");
    let bytes = STANDARD.decode(phase["histogram"].as_str().unwrap()).unwrap();
    let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
    assert_eq!(histogram.len(), count);
    let number = |name: &str| phase[name].as_u64().unwrap();
    let quantiles = ["min", "p50", "p90", "p99", "p99.9", "p99.99", "max"].map(number);
    assert!(quantiles.is_sorted(), "{quantiles:?}");
    assert!(quantiles[6] < 60_000_000_000, "{quantiles:?}");
    let median = histogram.value_at_quantile(0.5);
    assert!(histogram.equivalent(median, number("p50")), "{median} {quantiles:?}");
}

#[test]
fn the_latency_page_is_a_table_too() {
    let server = Setup::new().guest("hello").start();
    (0..7).for_each(|_| assert_eq!(server.get("/hello").status, 200));
    let text = server.get("/debug/latency").text();
    let header = text.lines().find(|line| line.contains("p99.99")).expect("a header");
    for column in ["count", "rate", "min", "mean", "p50", "p90", "p99", "p99.9", "max"] {
        assert!(header.contains(column), "no {column}: {header}");
    }
    let row = text.lines().find(|line| line.contains("/hello") && line.contains("total"));
    assert!(row.expect("a row").split_whitespace().any(|cell| cell == "7"), "{text}");
}

#[test]
fn scrapes_under_load_lose_nothing() {
    let server = Setup::new().guest("hello").guest("global").start();
    let flood = Flood::start(server.address(), "/hello", 4);
    let labels = [("function", "hello"), ("route", "/hello"), ("outcome", "answered")];
    let mut last = 0.0;
    for _ in 0..50 {
        let families = families(&server);
        let name = "airside_requests_total";
        let count = families[name].value(name, &labels).unwrap();
        assert!(count >= last, "{count} after {last}");
        last = count;
        latency(&server);
    }
    let answered = u64::try_from(flood.stop()).unwrap();
    let page = latency(&server);
    let hello = route(&page, "/hello");
    assert_eq!(hello["requests"]["answered"], answered);
    check_phase(phase(hello, "total"), answered);
}

#[test]
fn both_shards_are_on_the_page() {
    if airside_tests::harness::cpus().len() < 2 {
        return;
    }
    let server = Setup::new().guest("hello").guest("global").set("shards", 2).start();
    let (mut first, mut second) = clients_on_two_shards(&server);
    for _ in 0..10 {
        assert_eq!(first.get("/hello").status, 200);
        assert_eq!(second.get("/hello").status, 200);
    }
    let page = latency(&server);
    assert_eq!(page["shards"], 2);
    check_phase(phase(route(&page, "/hello"), "total"), 20);
}

#[test]
fn requests_without_a_route_are_counted() {
    let server = Setup::new().guest("hello").start();
    assert_eq!(server.get("/nowhere").status, 404);
    let mut client = server.client();
    client.request("DELETE", "/hello");
    assert_eq!(client.receive().status, 405);
    client.send("nonsense\r\n\r\n");
    assert_eq!(client.receive().status, 400);
    let families = families(&server);
    let requests = &families["airside_requests_total"];
    let outcomes = |outcome: &str| -> f64 {
        let with = |s: &&airside_tests::harness::Sample| s.labels["outcome"] == outcome;
        requests.samples.iter().filter(with).map(|sample| sample.value).sum()
    };
    assert_eq!((outcomes("not_found"), outcomes("method_not_allowed")), (1.0, 1.0));
    let rejected = "airside_rejected_requests_total";
    assert_eq!(families[rejected].value(rejected, &[("status", "400")]), Some(1.0));
}
