//! The page in each format, from recorded requests.

mod follow;

use super::{Format, render};
use crate::telemetry::BackendStatus;
use crate::telemetry::bins::VALUE_MAX_NS;
use crate::telemetry::collected::Collected;
use crate::telemetry::kinds::Outcome;
use crate::telemetry::labels::{Labels, RouteLabels};
use crate::telemetry::shard::ShardTelemetry;
use crate::telemetry::stretch::{Capability, RequestTimes};
use airside_capabilities::backend::BackendCounts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde_json::{Value, json};
use std::sync::Arc;

const SHARDS: usize = 2;

/// Two shards and what they answered.
struct World {
    shards: Vec<ShardTelemetry>,
    collected: Collected,
}

impl World {
    fn new() -> World {
        let route = |function: &str, pattern: &str| RouteLabels {
            function: function.to_owned(),
            pattern: pattern.to_owned(),
        };
        let labels = Arc::new(Labels {
            functions: vec!["hello".to_owned(), "store".to_owned()],
            routes: vec![
                route("hello", "/hello"),
                route("store", "/store"),
                route("hello", "/idle"),
            ],
            operations: &["kvstore:get", "kvstore:set", "logger:info"],
            service_routes: Vec::new(),
        });
        let shards = (0..SHARDS).map(|_| ShardTelemetry::new(&labels)).collect();
        World { shards, collected: Collected::new(labels, SHARDS) }
    }

    /// 1, 2, .. 1000 us on `/hello`, odd ones on shard 1; 10 on `/store` with host calls; some failures, a call by a
    /// function, requests without a route.
    fn served() -> World {
        let mut world = World::new();
        for microsecond in 1..=1_000_u64 {
            let times = RequestTimes {
                total_ns: microsecond * 1_000,
                queue_ns: 90,
                guest_ns: Some(700),
                write_ns: Some(200),
                ..RequestTimes::default()
            };
            let shard = &world.shards[microsecond as usize % SHARDS];
            shard.request(0, Outcome::Answered, &times);
        }
        let shard = &world.shards[0];
        let mut times = RequestTimes { total_ns: 9_000, guest_ns: Some(500), ..Default::default() };
        times.host.add(Capability::Kvstore, 400);
        times.host.add(Capability::Logger, 50);
        (0..10).for_each(|_| shard.request(1, Outcome::Answered, &times));
        shard.request(0, Outcome::Shed, &RequestTimes { total_ns: 5_000, ..Default::default() });
        let late = RequestTimes { total_ns: 2 * VALUE_MAX_NS, ..Default::default() };
        shard.request(0, Outcome::Timeout, &late);
        shard.call(0, Outcome::Answered, &times);
        shard.unrouted(404, 4_000);
        shard.host_call(0, false, 250);
        shard.host_call(1, true, 350);
        world.collect();
        world
    }

    fn collect(&mut self) {
        for (index, shard) in self.shards.iter().enumerate() {
            let spare = self.collected.spare();
            self.collected.add(index, shard.swap(spare));
        }
    }

    fn end_interval(&mut self) {
        self.collect();
        self.collected.close_interval(self.collected.end_ns());
    }

    fn page(&self, format: Format, query: &str) -> String {
        render(&self.collected, &backends(), format, query)
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    fn json(&self, query: &str) -> Value {
        serde_json::from_str(&self.page(Format::Json, query)).unwrap()
    }

    /// Labels without their names, and counts, of all series.
    fn counts(&self, query: &str) -> Vec<(String, u64)> {
        let page = self.json(query);
        let by: Vec<_> =
            page["by"].as_array().unwrap().iter().map(|by| by.as_str().unwrap()).collect();
        let series = page["series"].as_array().unwrap().iter().map(|series| {
            let labels = by.iter().map(|by| series["labels"][by].as_str().unwrap());
            (labels.collect::<Vec<_>>().join(" "), series["count"].as_u64().unwrap())
        });
        series.collect()
    }

    #[track_caller]
    fn check(&self, query: &str, expected: &[(&str, u64)]) {
        let expected: Vec<_> =
            expected.iter().map(|(labels, count)| ((*labels).to_owned(), *count)).collect();
        assert_eq!(self.counts(query), expected, "{query}");
    }
}

fn decoded(base64: &str) -> Histogram<u64> {
    let bytes = STANDARD.decode(base64).unwrap();
    Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap()
}

fn microseconds(range: impl Iterator<Item = u64>) -> Histogram<u64> {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, VALUE_MAX_NS, 3).unwrap();
    range.for_each(|microsecond| histogram.record(microsecond * 1_000).unwrap());
    histogram
}

#[test]
fn splits_and_filters_select() {
    let world = World::served();
    world.check("by=", &[("", 1_013)]);
    world.check(
        "by=function",
        &[(" ", 1), ("hello", 1_002), ("store", 10)].map(|(a, b)| (a.trim(), b)),
    );
    world.check("by=route&status=2xx", &[("/hello", 1_000), ("/store", 10)]);
    world.check("by=status&function=hello", &[("2xx", 1_000), ("shed", 1), ("timeout", 1)]);
    world.check("by=shard&function=hello&status=2xx", &[("0", 500), ("1", 500)]);
    world.check(
        "by=phase&route=/hello&status=2xx",
        &[("total", 1_000), ("queue", 1_000), ("guest", 1_000), ("write", 1_000)],
    );
    world.check("by=&route=/hello,/store&status=2xx,shed", &[("", 1_011)]);
    world.check("by=trigger&phase=total", &[("http", 1_013), ("call", 1), ("host", 2)]);
    world.check("by=function&trigger=call", &[("hello", 1)]);
    world.check("by=&trigger=schedule", &[]);
    world.check("by=&route=/idle", &[]);
}

#[test]
fn host_time_is_one_or_split_by_capability() {
    let world = World::served();
    world.check(
        "by=phase&route=/store",
        &[("total", 10), ("queue", 10), ("guest", 10), ("host", 10)],
    );
    world.check("by=capability", &[("kvstore", 10), ("logger", 10)]);
    world.check("by=&capability=kvstore", &[("", 10)]);
    world.check(
        "by=phase,capability&route=/store",
        &[
            ("total ", 10),
            ("queue ", 10),
            ("guest ", 10),
            ("host kvstore", 10),
            ("host logger", 10),
        ],
    );
    // Host calls by themselves: by operation, or merged by capability.
    world.check("by=route,status&trigger=host", &[("kvstore:get 2xx", 1), ("kvstore:set 5xx", 1)]);
    world.check("by=capability&trigger=host", &[("kvstore", 2)]);
    world.check("by=status&trigger=host&capability=kvstore", &[("2xx", 1), ("5xx", 1)]);
    let host = |query: &str| world.json(query)["series"][0]["max"].as_u64().unwrap();
    assert_eq!((host("by=&phase=host"), host("by=&capability=logger")), (450, 50));
}

/// A store that is down and HTTP servers that were not called.
fn backends() -> [BackendStatus; 2] {
    let counts = BackendCounts { failures: [1, 2, 3, 4], connections: 5, reconnects: 6 };
    let status = |capability, name, target: &str, up, counts| BackendStatus {
        capability,
        name,
        target: Arc::from(target),
        up,
        counts,
    };
    [
        status(Capability::Kvstore, "redis", "cache:6379", Some(false), counts),
        status(Capability::Httpclient, "http", "any host", None, BackendCounts::default()),
    ]
}

#[test]
fn a_page_by_capability_ends_with_its_back_ends() {
    let world = World::served();
    let page = world.json("by=capability");
    assert_eq!(page["backends"].as_array().unwrap().len(), 2);
    let failures = json!({"unavailable": 1, "timeout": 2, "connection": 3, "refused": 4});
    let redis = json!({
        "capability": "kvstore", "name": "redis", "target": "cache:6379", "up": false,
        "connections": 5, "reconnects": 6, "failures": failures,
    });
    assert_eq!(page["backends"][0], redis);
    assert_eq!(page["backends"][1]["up"], Value::Null);
    assert_eq!(world.json("by=&capability=kvstore")["backends"], json!([redis]));
    assert_eq!(world.json("by=route")["backends"], Value::Null);

    let text = world.page(Format::Text, "by=capability&capability=kvstore");
    let rows: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let last = rows.last().unwrap();
    assert_eq!(*last, ["kvstore", "redis", "down", "cache:6379", "5", "6", "1", "2", "3", "4"]);
    assert!(!world.page(Format::Text, "by=route").contains("redis"));
}

#[test]
fn json_has_numbers_and_histograms_that_read_back() {
    let world = World::served();
    let page = world.json("status=2xx&route=/hello&phase=total");
    assert_eq!((&page["unit"], &page["shards"]), (&json!("ns"), &json!(SHARDS)));
    assert_eq!(page["only"], json!({"status": ["2xx"], "route": ["/hello"], "phase": ["total"]}));
    let series = &page["series"][0];
    assert_eq!(series["labels"]["trigger"], "http");
    assert_eq!((&series["min"], &series["max"]), (&json!(1_000), &json!(1_000_447)));
    assert_eq!((&series["p50"], &series["p99.9"]), (&json!(500_223), &json!(999_423)));
    assert!(page["start"].as_str().unwrap() < page["end"].as_str().unwrap());
    assert_eq!(decoded(series["histogram"].as_str().unwrap()), microseconds(1..=1_000));
}

#[test]
fn parts_add_up_outside() {
    let world = World::served();
    let page = world.json("by=shard&route=/hello&status=2xx");
    let mut sum = microseconds(std::iter::empty());
    for series in page["series"].as_array().unwrap() {
        sum.add(decoded(series["histogram"].as_str().unwrap())).unwrap();
    }
    assert_eq!(sum, microseconds(1..=1_000));
}

#[test]
fn values_out_of_range_are_shown() {
    let world = World::served();
    let page = world.json("by=&status=timeout");
    assert_eq!(page["series"][0]["beyond"], 1);
    assert_eq!(page["series"][0]["count"], 1);
    assert!(page["series"][0]["max"].as_u64().unwrap() >= VALUE_MAX_NS);
    let line = world.page(Format::Hgrm, "status=timeout");
    assert!(line.contains("#[Beyond  = 1 values above 3600 s]"), "{line}");
}

#[test]
fn text_is_an_aligned_table() {
    let text = World::served().page(Format::Text, "status=2xx,shed&trigger=http");
    let lines: Vec<_> = text.lines().skip_while(|line| !line.starts_with("function")).collect();
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{text}");
    let cells: Vec<Vec<_>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
    let total =
        cells.iter().find(|cells| cells.starts_with(&["hello", "/hello", "http", "total", "2xx"]));
    let total = total.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(total[5], "1000");
    let times = [
        "1.000", "500.500", "500.223", "900.095", "990.207", "999.423", "1000.447", "1000.447", "0",
    ];
    assert_eq!(total[7..], times);
    assert!(text.contains("only    trigger http, status 2xx or shed\n"), "{text}");
    assert!(text.starts_with("window  all: 2") && !text.contains("/idle"), "{text}");
}

#[test]
fn csv_has_a_row_for_each_series() {
    let text = World::served().page(Format::Csv, "by=route,status&route=/hello");
    let rows: Vec<Vec<_>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 4, "{text}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    let column = |name: &str| rows[0].iter().position(|cell| *cell == name).unwrap();
    assert_eq!((rows[1][column("route")], rows[1][column("status")]), ("/hello", "2xx"));
    assert_eq!((rows[1][column("count")], rows[1][column("p50")]), ("1000", "500223"));
    assert_eq!((rows[1][column("unit")], rows[1][column("window")]), ("ns", "all"));
}

/// Tags and histograms of an interval log, read by the crate.
fn intervals(log: &str) -> Vec<(Option<String>, Histogram<u64>)> {
    let entries = IntervalLogIterator::new(log.as_bytes()).map(Result::unwrap);
    let intervals = entries.filter_map(|entry| match entry {
        LogEntry::Interval(interval) => {
            let tag = interval.tag().map(|tag| tag.as_str().to_owned());
            Some((tag, decoded(interval.encoded_histogram())))
        }
        _ => None,
    });
    intervals.collect()
}

#[test]
fn interval_logs_read_back() {
    let mut world = World::served();
    let all = world.page(Format::Hlog, "by=&route=/hello&status=2xx");
    assert_eq!(intervals(&all), [(None, microseconds(1..=1_000))]);
    let tagged = intervals(&world.page(Format::Hlog, "route=/hello,(unmatched)&phase=total"));
    let tags: Vec<_> = tagged.iter().map(|(tag, _)| tag.as_deref().unwrap()).collect();
    // What belongs to no function comes first.
    assert_eq!(tags[0], "function=;route=(unmatched);trigger=http;phase=total;status=4xx");
    assert_eq!(tags[1], "function=hello;route=/hello;trigger=http;phase=total;status=2xx");

    // A window is written in its pieces.
    assert!(intervals(&world.page(Format::Hlog, "window=1m&by=")).is_empty());
    world.end_interval();
    world.shards[1].admin(200, 7_000);
    world.end_interval();
    world.end_interval();
    let log = world.page(
        Format::Hlog,
        "window=1m&by=trigger&trigger=admin,http&route=/hello,(admin)&status=2xx",
    );
    let [(first, hello), (second, admin)] = &intervals(&log)[..] else { panic!("{log}") };
    assert_eq!((first.as_deref(), hello), (Some("trigger=http"), &microseconds(1..=1_000)));
    assert_eq!((second.as_deref(), admin), (Some("trigger=admin"), &microseconds(7..=7)));
    assert!(log.contains("#[Nothing from "), "{log}");
    assert!(log.starts_with("#[Histogram log format version 1.3]\n#[StartTime: "), "{log}");
}

#[test]
fn a_reset_begins_anew_and_counters_go_on() {
    let mut world = World::served();
    world.check("by=&trigger=http", &[("", 1_013)]);
    let started = world.json("")["start"].clone();
    world.collected.reset();
    world.check("by=&trigger=http", &[]);
    let reset = world.json("");
    assert_eq!(reset["start"], reset["end"]);
    assert!(reset["start"].as_str() > started.as_str());
    let times = RequestTimes { total_ns: 3_000, ..RequestTimes::default() };
    world.shards[0].request(0, Outcome::Answered, &times);
    world.collect();
    world.check("by=route", &[("/hello", 1)]);
    let histogram = world.json("by=")["series"][0]["histogram"].as_str().map(decoded).unwrap();
    assert_eq!(histogram, microseconds(3..=3));
    assert_eq!(world.collected.routes(&[0]).outcome(Outcome::Answered), 1_001);
}

#[test]
fn a_new_process_has_an_empty_page() {
    let collected = Collected::new(Arc::new(Labels::default()), 1);
    for format in Format::ALL {
        let page = render(&collected, &[], format, "").unwrap();
        assert!(!page.is_empty(), "{}", format.name());
    }
    for window in ["1s", "10s", "1m", "5m", "all"] {
        let page = render(&collected, &[], Format::Json, &format!("window={window}")).unwrap();
        let page: Value = serde_json::from_str(&page).unwrap();
        assert_eq!((&page["window"], &page["series"]), (&json!(window), &json!([])));
    }
}
