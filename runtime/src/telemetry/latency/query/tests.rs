//! Queries: what is understood, and what a client is told that is not understood.

use super::{Dimension, Query, requested_format};
use crate::telemetry::labels::{Labels, RouteLabels};
use crate::telemetry::latency::dimension::Values;
use crate::telemetry::latency::format::Format;
use crate::telemetry::latency::window::Window;
use std::time::Duration;

fn values() -> Values {
    let labels = Labels {
        functions: vec!["hello".to_owned(), "a, b".to_owned()],
        routes: vec![RouteLabels { function: "hello".to_owned(), pattern: "/x/:y".to_owned() }],
        operations: &["kvstore:get"],
        service_routes: Vec::new(),
    };
    Values::of(&labels, 2)
}

fn parse(query: &str, format: Format) -> Result<Query, String> {
    Query::parse(query, format, &values()).map_err(|error| error.to_string())
}

#[track_caller]
fn check_filter(query: &str, expected: &[(&str, &[&str])]) {
    let parsed = parse(query, Format::Json).unwrap();
    let values = values();
    let filters: Vec<_> = parsed.filters(&values).collect();
    let expected: Vec<_> = expected.iter().map(|(name, values)| (*name, values.to_vec())).collect();
    assert_eq!(filters, expected, "{query}");
}

#[test]
fn several_values_merge() {
    check_filter("", &[]);
    check_filter("status=2xx,5xx&shard=1", &[("status", &["2xx", "5xx"]), ("shard", &["1"])]);
    check_filter("phase=guest&phase=host", &[("phase", &["guest", "host"])]);
    check_filter("route=/x/:y,%28unmatched)", &[("route", &["/x/:y", "(unmatched)"])]);
    check_filter("function=a%2C%20b", &[("function", &["a, b"])]);
    check_filter("trigger=schedule,init", &[("trigger", &["schedule", "init"])]);
    check_filter("&&format=json&", &[]);
}

#[test]
fn unlike_things_are_added_up_only_when_asked() {
    check_filter("by=", &[("trigger", &["http"]), ("phase", &["total"])]);
    check_filter("by=function", &[("trigger", &["http"]), ("phase", &["total"])]);
    check_filter("by=phase,trigger", &[]);
    check_filter("by=capability", &[("trigger", &["http"]), ("phase", &["host"])]);
    check_filter(
        "by=&capability=sql",
        &[("trigger", &["http"]), ("phase", &["host"]), ("capability", &["sql"])],
    );
    check_filter(
        "by=&phase=queue,write&trigger=call",
        &[("trigger", &["call"]), ("phase", &["queue", "write"])],
    );
}

#[test]
fn splits_and_windows_are_read() {
    let parsed = parse("by=shard,function,shard&window=10s", Format::Text).unwrap();
    assert_eq!(parsed.by, [Dimension::Function, Dimension::Shard]);
    assert_eq!(parsed.window, Window::TenSeconds);
    assert_eq!(parse("", Format::Csv).unwrap().by.len(), 5);
    assert!(parse("", Format::Hgrm).unwrap().by.is_empty());
    assert_eq!(parse("follow=2s", Format::Hlog).unwrap().follow, Some(Duration::from_secs(2)));
    assert_eq!(requested_format("a=1&format=xml&format=csv").as_deref(), Some("xml"));
    assert_eq!(requested_format("formats=csv"), None);
}

#[test]
fn what_is_not_known_is_named() {
    let check = |query: &str, format: Format, begin: &str| {
        let error = parse(query, format).unwrap_err();
        assert!(error.starts_with(begin), "{query}: {error}");
    };
    check("colour=red", Format::Json, "colour: no such parameter; there are format, window, by");
    check("window=2s", Format::Json, "window: \"2s\" is not known; known: 1s, 10s, 1m, 5m, all");
    check("window=1s,10s", Format::Json, "window: \"1s,10s\" is not known");
    check("by=function,age", Format::Json, "by: \"age\" is not known; known: function, route");
    check("function=bye", Format::Json, "function: \"bye\" is not known; known: hello, a, b");
    check("route=/x/1", Format::Json, "route: \"/x/1\" is not known; known: /x/:y, (unmatched)");
    check("shard=2", Format::Json, "shard: \"2\" is not known; known: 0, 1");
    check("status=200", Format::Json, "status: \"200\" is not known; known: 2xx, 3xx, 4xx, 5xx");
    check("follow=1s", Format::Json, "follow: goes with format=hlog only");
    check("follow=11s", Format::Hlog, "follow: \"11s\" is not known; known: 1s to 10s");
    check("follow=0s", Format::Hlog, "follow:");
    check("follow=1s&window=1m", Format::Hlog, "window: goes with follow only if it is all");
    check("by=function", Format::Hgrm, "by: does not go with format=hgrm");
}
