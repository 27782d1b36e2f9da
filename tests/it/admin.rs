//! The pages for operators: health, readiness, metrics.

use std::collections::BTreeMap;

use airside_tests::harness::{Family, Server, Setup, parse_metrics};

use crate::it::load::call;

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
fn profiles_are_not_to_be_had() {
    let server = Setup::new().guest("hello").start();
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
            &[("function", "hello"), ("route", "/hello"), ("phase", "total"), ("status", "2xx")],
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
