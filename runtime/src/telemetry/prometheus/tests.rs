//! The metrics page, read back by a small parser of its own.

use super::{
    Extras, GuestMetric, GuestValue, MetricsFormat, RESERVED_NAMES, RESERVED_PREFIXES, render,
};
use crate::telemetry::record::ShardRecord;
use crate::telemetry::{
    BackendStatus, Capability, Collected, ConnectionEvent, FunctionFault, Instances, Labels,
    Outcome, RequestTimes, RouteLabels, ServiceRoute, ShardTelemetry, process,
};
use airside_capabilities::backend::BackendCounts;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A page as its reader sees it: values by series, types by family.
#[derive(Default)]
struct Page {
    values: BTreeMap<String, f64>,
    types: HashMap<String, String>,
}

/// Reads the text format by its rules, independently of the writer, and fails on what they forbid.
#[track_caller]
fn parse(text: &str) -> Page {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut page = Page::default();
    let mut helped = HashSet::new();
    let mut finished = HashSet::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let name = help.split(' ').next().unwrap();
            assert!(helped.insert(name.to_owned()), "second HELP: {line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(helped.contains(name), "TYPE follows HELP: {line}");
            assert!(["counter", "gauge", "histogram", "summary"].contains(&kind), "{line}");
            assert!(page.types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            finished.insert(std::mem::replace(&mut current, name.to_owned()));
        } else {
            let (name, labels, value) = parse_sample(line);
            let kind = &page.types[&current];
            assert!(belongs(name, &current, kind), "{line} in family {current}");
            assert!(!finished.contains(&current), "family is in one piece: {line}");
            assert!(page.values.insert(format!("{name}{{{labels}}}"), value).is_none(), "{line}");
        }
    }
    page
}

fn belongs(name: &str, family: &str, kind: &str) -> bool {
    match (name.strip_prefix(family), kind) {
        (Some(suffix), "histogram") => ["_bucket", "_sum", "_count"].contains(&suffix),
        (Some(suffix), "summary") => ["", "_sum", "_count"].contains(&suffix),
        (suffix, _) => suffix == Some(""),
    }
}

/// Name, labels as `name=value,..` without escapes, value.
#[track_caller]
fn parse_sample(line: &str) -> (&str, String, f64) {
    let name_end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(name_end);
    assert!(name_is_valid(name, true), "{line}");
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").unwrap();
            assert!(name_is_valid(label, false), "{line}");
            let (value, after) = parse_quoted(after);
            labels.push(format!("{label}={value}"));
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    let unique: HashSet<_> = labels.iter().map(|label| label.split('=').next()).collect();
    assert_eq!(unique.len(), labels.len(), "a label twice: {line}");
    let value = rest.strip_prefix(' ').unwrap().replace("Inf", "inf");
    (name, labels.join(","), value.parse().unwrap())
}

fn name_is_valid(name: &str, colon: bool) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
    !name.is_empty() && name.chars().all(valid) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn parse_quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    loop {
        match characters.next().unwrap() {
            (end, '"') => return (value, &text[end + 1..]),
            (_, '\\') => value.push(match characters.next().unwrap().1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                other => panic!("escape {other}"),
            }),
            (_, plain) => value.push(plain),
        }
    }
}

fn route(function: &str, pattern: &str) -> RouteLabels {
    RouteLabels { function: function.to_owned(), pattern: pattern.to_owned() }
}

fn labels() -> Arc<Labels> {
    let service_route = |kind| ServiceRoute { service: "demo \"1\"".to_owned(), kind };
    Arc::new(Labels {
        functions: vec!["hello".to_owned(), "store".to_owned()],
        routes: vec![
            route("hello", "/hello/:name"),
            route("hello", "/hello/:name"),
            route("store", "/hello/:name"),
        ],
        operations: &["kvstore:get", "function"],
        service_routes: ["http", "http", "http", "init"].into_iter().map(service_route).collect(),
    })
}

/// The store of `kvstore:get`, down.
fn redis() -> BackendStatus {
    let counts = BackendCounts { failures: [1, 2, 3, 4], connections: 5, reconnects: 6 };
    let target = Arc::from("cache:6379");
    BackendStatus {
        capability: Capability::Kvstore,
        name: "redis",
        target,
        up: Some(false),
        counts,
    }
}

fn text(collected: &Collected, extras: &Extras<'_>) -> String {
    String::from_utf8(render(collected, extras, MetricsFormat::Text)).unwrap()
}

/// One page of two shards that did a bit of everything.
fn page(guest_metrics: Vec<GuestMetric<'_>>) -> Page {
    let labels = labels();
    let mut collected = Collected::new(Arc::clone(&labels), 2);
    for shard in 0..2 {
        let telemetry = ShardTelemetry::new(&labels);
        for route in 0..3 {
            let mut times = RequestTimes {
                total_ns: 20_000,
                queue_ns: 1,
                guest_ns: Some(9),
                ..RequestTimes::default()
            };
            times.host.add(Capability::Kvstore, 3);
            telemetry.request(route, Outcome::Answered, &times);
        }
        let times = RequestTimes { total_ns: 40_000_000, ..RequestTimes::default() };
        telemetry.request(0, Outcome::Trap, &times);
        telemetry.request(0, Outcome::Shed, &times);
        telemetry.unrouted(404, 2_000);
        telemetry.invocation(0, 1_000_000);
        telemetry.instances(1, Instances { live: 3, in_use: 2, waiting: 1 });
        telemetry.function_fault(0, FunctionFault::Trap);
        telemetry.host_call(0, true, 2_000_000);
        telemetry.connection(ConnectionEvent::Accepted);
        telemetry.connection(ConnectionEvent::AcceptFailed);
        telemetry.rejected(431);
        telemetry.rejected(777);
        collected.add(shard, telemetry.swap(ShardRecord::new(&labels)));
    }
    let extras = Extras {
        process: process::read(),
        log_lines_dropped: 7,
        backends: vec![redis()],
        guest_metrics,
    };
    parse(&text(&collected, &extras))
}

#[test]
fn the_page_is_valid_and_has_every_value() {
    let page = page(Vec::new());
    let check = |series: &str, expected: f64| {
        let value = page.values.get(series);
        let value = value.unwrap_or_else(|| panic!("{series} in {:#?}", page.values.keys()));
        assert!((value - expected).abs() <= expected * 0.001, "{series}: {value}");
    };
    check("http_server{path=/hello/:name,quantile=0.5}", 0.02);
    check("http_server_count{path=/hello/:name}", 10.0);
    check("http_server_sum{path=/hello/:name}", 6.0 * 0.02 + 4.0 * 40.0);
    check("http_server_count{path=(unmatched)}", 2.0);
    check("wasm_functions{route=hello:handler,quantile=0.99}", 1.0);
    check("wasm_callbacks{callback=kvstore:get,quantile=0.9}", 2.0);
    check("wasm_callbacks_count{callback=kvstore:get}", 2.0);
    check("service_routes{service=demo \"1\",type=http}", 3.0);
    check("service_routes{service=demo \"1\",type=init}", 1.0);
    let duration = |suffix: &str, labels: &str| {
        format!(
            "airside_request_duration_seconds{suffix}{{function=hello,route=/hello/:name,{labels}}}"
        )
    };
    check(&duration("_count", "phase=total,status=2xx"), 4.0);
    check(&duration("_sum", "phase=total,status=2xx"), 80e-6);
    check(&duration("_bucket", "phase=total,status=2xx,le=1e-05"), 0.0);
    check(&duration("_bucket", "phase=total,status=2xx,le=2.5e-05"), 4.0);
    check(&duration("_bucket", "phase=total,status=2xx,le=60"), 4.0);
    check(
        &duration("_bucket", "phase=total,status=2xx,le=+inf".replace("inf", "Inf").as_str()),
        4.0,
    );
    check(&duration("_bucket", "phase=total,status=trap,le=0.025"), 0.0);
    check(&duration("_bucket", "phase=total,status=trap,le=0.05"), 2.0);
    let requests = |outcome: &str| {
        format!("airside_requests_total{{function=hello,route=/hello/:name,outcome={outcome}}}")
    };
    check(&requests("answered"), 4.0);
    check(&requests("trap"), 2.0);
    check(&requests("shed"), 2.0);
    check("airside_requests_total{function=,route=(unmatched),outcome=not_found}", 2.0);
    check("airside_host_call_duration_seconds_count{operation=kvstore:get}", 2.0);
    check("airside_host_call_errors_total{operation=kvstore:get}", 2.0);
    check("airside_backend_call_duration_seconds_count{backend=redis}", 2.0);
    check("airside_backend_failures_total{backend=redis,kind=unavailable}", 1.0);
    check("airside_backend_failures_total{backend=redis,kind=refused}", 4.0);
    check("airside_backend_connections{backend=redis}", 5.0);
    check("airside_backend_reconnects_total{backend=redis}", 6.0);
    check("airside_backend_up{backend=redis}", 0.0);
    check("airside_instances{function=store}", 6.0);
    check("airside_instances_in_use{function=store}", 4.0);
    check("airside_instance_waits{function=store}", 2.0);
    check("airside_traps_total{function=hello}", 2.0);
    check("airside_timeouts_total{function=hello}", 0.0);
    check("airside_connections{}", 2.0);
    check("airside_accept_errors_total{}", 2.0);
    check("airside_rejected_requests_total{status=431}", 2.0);
    check("airside_rejected_requests_total{status=other}", 2.0);
    check("airside_log_lines_dropped_total{}", 7.0);
    check("airside_shards{}", 2.0);
    for name in ["cpu_seconds_total", "resident_memory_bytes", "open_fds", "start_time_seconds"] {
        assert!(page.values[&format!("process_{name}{{}}")] > 0.0, "{name}");
    }
}

#[test]
fn buckets_never_fall() {
    let page = page(Vec::new());
    let mut series: HashMap<String, Vec<(f64, f64)>> = HashMap::new();
    for (name, &count) in page.values.iter().filter(|(name, _)| name.contains("_bucket{")) {
        let (labels, bound) = name.trim_end_matches('}').rsplit_once("le=").unwrap();
        let bound = bound.replace("Inf", "inf").parse().unwrap();
        series.entry(labels.to_owned()).or_default().push((bound, count));
    }
    assert!(!series.is_empty());
    for (labels, mut buckets) in series {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{labels}");
        assert!(buckets.last().unwrap().0.is_infinite(), "{labels}");
    }
}

#[test]
fn guests_have_metrics_but_no_name_of_ours() {
    let metric = |name, value| GuestMetric { name, value };
    let quantiles = vec![(0.5, 10.0), (0.99, f64::NAN)];
    let page = page(vec![
        metric("visits", GuestValue::Counter(3.0)),
        metric("level", GuestValue::Gauge(-2.0)),
        metric("size", GuestValue::Summary { count: 4, sum: 42.5, quantiles }),
        metric("7up", GuestValue::Counter(1.0)),
        metric("http_server", GuestValue::Counter(666.0)),
        metric("http_server_count", GuestValue::Counter(666.0)),
        metric("airside_new", GuestValue::Counter(666.0)),
        metric("size_sum", GuestValue::Gauge(666.0)),
        metric("_up", GuestValue::Gauge(666.0)),
    ]);
    let check = |series: &str, expected: f64| {
        assert!((page.values[series] - expected).abs() < 1e-9, "{series}");
    };
    check("visits{}", 3.0);
    check("level{}", -2.0);
    check("size{quantile=0.5}", 10.0);
    check("size_sum{}", 42.5);
    check("size_count{}", 4.0);
    check("_up{}", 1.0);
    check("airside_guest_metrics_hidden{}", 5.0);
    assert!(!page.values.values().any(|&value| (value - 666.0).abs() < 1e-9));
    assert_eq!(page.types["size"], "summary");
}

#[test]
fn every_name_of_ours_is_reserved() {
    for series in page(Vec::new()).values.keys() {
        let name = series.split('{').next().unwrap();
        let by_prefix = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        assert!(by_prefix || RESERVED_NAMES.contains(&name), "{name}");
    }
}

#[test]
fn a_new_process_has_a_valid_page() {
    let collected = Collected::new(Arc::new(Labels::default()), 1);
    let page = parse(&text(&collected, &Extras::default()));
    assert!((page.values["airside_connections{}"]).abs() < f64::EPSILON);
}
