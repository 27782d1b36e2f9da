//! The metrics page as a real Prometheus sees it: in each of the formats that it can ask for, and as its own linter reads
//! it.

use airside_tests::harness::services::Prometheus;
use airside_tests::harness::{Server, Setup, WAIT, parse_metrics, poll_until};
use serde_json::Value;

use crate::it::load::call;

const REQUESTS: usize = 12;

/// Waits until a query gives this value.
#[track_caller]
fn check(prometheus: &Prometheus, query: &str, expected: f64) {
    poll_until(&format!("{query} to be {expected}"), WAIT, || {
        ((prometheus.value(query)? - expected).abs() < 1e-9).then_some(())
    });
}

/// A server that did a bit of everything, guests' own metrics included.
fn server() -> Server {
    let server = Setup::new().guest("hello").guest("call").guest("trap").start();
    let mut client = server.client();
    (0..REQUESTS).for_each(|_| assert_eq!(client.get("/hello").status, 200));
    client.post("/call", call("logger", "info", "x"));
    client.post("/call", call("metrics", "counter", r#"{"name":"visits"}"#));
    client.post("/call", call("metrics", "histogram", r#"{"name":"sizes","value":3.5}"#));
    client.get("/trap");
    server
}

fn metrics(server: &Server, accept: &str) -> (String, Vec<u8>) {
    let mut client = server.client();
    client.send(format!("GET /metrics HTTP/1.1\r\nHost: test\r\nAccept: {accept}\r\n\r\n"));
    let response = client.receive();
    assert_eq!(response.status, 200);
    (response.header("content-type").expect("a type").to_owned(), response.body)
}

#[test]
fn open_metrics_is_scraped() {
    let server = server();
    let (content_type, body) = metrics(&server, "application/openmetrics-text;version=1.0.0");
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(body.ends_with(b"\n# EOF\n"));
    let prometheus = Prometheus::start(server.address(), &[]);
    check(&prometheus, "up", 1.0);
    let hello = r#"function="hello",route="/hello""#;
    check(
        &prometheus,
        &format!(r#"airside_requests_total{{{hello},outcome="answered"}}"#),
        REQUESTS as f64,
    );
    let total = format!(r#"{hello},phase="total",status="2xx""#);
    let bucket = format!(r#"airside_request_duration_seconds_bucket{{{total},le="60.0"}}"#);
    check(&prometheus, &bucket, REQUESTS as f64);
    check(&prometheus, "visits", 1.0);
    check(&prometheus, "sizes_count", 1.0);
    check(&prometheus, r#"http_server_count{path="/hello"}"#, REQUESTS as f64);
    let known = prometheus.get("/api/v1/targets/metadata").expect("what it knows of the metrics");
    for (metric, kind, unit) in [
        ("airside_request_duration_seconds", "histogram", "seconds"),
        ("airside_requests", "counter", ""),
        ("process_resident_memory_bytes", "gauge", "bytes"),
        ("visits", "unknown", ""),
    ] {
        let found = known.as_array().into_iter().flatten().find(|one| one["metric"] == metric);
        let found = found.unwrap_or_else(|| panic!("no {metric} in {known}"));
        assert_eq!((&found["type"], &found["unit"]), (&kind.into(), &unit.into()), "{metric}");
    }
}

#[test]
fn native_histograms_are_scraped() {
    let server = server();
    let accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;q=0.3";
    let (content_type, _) = metrics(&server, accept);
    assert!(content_type.starts_with("application/vnd.google.protobuf;"), "{content_type}");
    let prometheus = Prometheus::start(server.address(), &["native-histograms"]);
    check(&prometheus, "up", 1.0);
    let total = r#"{function="hello",route="/hello",phase="total",status="2xx"}"#;
    let histogram = format!("airside_request_duration_seconds{total}");
    check(&prometheus, &format!("histogram_count({histogram})"), REQUESTS as f64);
    check(&prometheus, &format!("histogram_fraction(0, 60, {histogram})"), 1.0);
    check(&prometheus, "visits", 1.0);
    check(&prometheus, "airside_shards", cpus() as f64);

    // A bucket is 9.05 % wide, and a bin of ours at most 0.1 %.
    let page = server.get("/debug/latency?format=json&by=&route=/hello").text();
    let page: Value = serde_json::from_str(&page).expect("JSON");
    let exact = page["series"][0]["p50"].as_f64().expect("a median") / 1e9;
    let median =
        prometheus.value(&format!("histogram_quantile(0.5,{histogram})")).expect("a value");
    assert!(median > exact / 1.1 && median < exact * 1.1, "{median} beside {exact}");
}

fn cpus() -> usize {
    airside_tests::harness::cpus().len().min(2)
}

#[test]
fn the_linter_has_nothing_to_say() {
    let server = server();
    let (content_type, body) = metrics(&server, "*/*");
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert!(parse_metrics(&String::from_utf8(body.clone()).expect("text")).is_ok());
    let said = Prometheus::lint(&body);
    // Names are a guest's own choice, and Tarmac's are what they are.
    let ours: Vec<&str> = said.lines().filter(|line| !line.starts_with("visits ")).collect();
    assert!(ours.is_empty(), "{said}");
}
