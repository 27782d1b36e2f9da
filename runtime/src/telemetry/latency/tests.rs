//! The latency page in both formats, from recorded requests.

use super::{Format, render, render_capabilities};
use crate::telemetry::record::ShardRecord;
use crate::telemetry::{
    BackendStatus, Collected, Labels, Outcome, RequestTimes, RouteLabels, ShardTelemetry,
};
use airside_capabilities::backend::BackendCounts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use serde_json::Value;
use std::sync::Arc;

/// Two shards that answered 1, 2, .. 1000 us on `/hello`, and failed or refused some.
fn collected() -> Collected {
    let labels = Arc::new(Labels {
        functions: vec!["hello".to_owned()],
        routes: vec![
            RouteLabels {
                function: "hello".to_owned(),
                pattern: "/hello".to_owned(),
                methods: vec!["GET".to_owned(), "POST".to_owned()],
            },
            RouteLabels {
                function: "hello".to_owned(),
                pattern: "/idle".to_owned(),
                methods: vec!["GET".to_owned()],
            },
        ],
        operations: &["kvstore:get", "kvstore:set"],
        service_routes: Vec::new(),
    });
    let mut collected = Collected::new(Arc::clone(&labels), 2);
    for shard in 0..2_usize {
        let telemetry = ShardTelemetry::new(&labels);
        for microsecond in (1..=1_000_u64).filter(|number| number % 2 == shard as u64) {
            let host_ns = (microsecond <= 10).then_some(90);
            let total_ns = microsecond * 1_000;
            let times = RequestTimes { total_ns, wait_ns: 0, guest_ns: 700, host_ns };
            telemetry.request(0, Outcome::Answered, &times);
        }
        let times = RequestTimes { total_ns: 30_000_000_000, ..RequestTimes::default() };
        telemetry.request(0, Outcome::Timeout, &times);
        telemetry.request(0, Outcome::Shed, &times);
        telemetry.unrouted(404, 4_000);
        telemetry.host_call(1, shard == 0, 250);
        collected.add(shard, telemetry.swap(ShardRecord::new(&labels)));
    }
    collected
}

/// The cells of the only line that begins with these.
#[track_caller]
fn cells(text: &str, begin: &[&str]) -> Vec<String> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let found: Vec<_> = lines.filter(|cells| cells.starts_with(begin)).collect();
    assert_eq!(found.len(), 1, "lines with {begin:?} in\n{text}");
    found[0][begin.len()..].iter().map(|&cell| cell.to_owned()).collect()
}

#[test]
fn text_is_a_table_of_every_phase() {
    let text = render(&collected(), Format::Text);
    let total = cells(&text, &["hello", "GET,POST", "/hello", "total"]);
    assert_eq!(total[0], "1000");
    assert!(total[1].parse::<f64>().unwrap() > 0.0);
    assert_eq!(
        total[2..],
        [
            "1.000", "500.500", "500.223", "900.095", "990.207", "999.423", "1000.447", "1000.447",
            "0"
        ]
    );
    assert_eq!(cells(&text, &["hello", "GET,POST", "/hello", "guest"])[4], "0.700");
    assert_eq!(cells(&text, &["hello", "GET,POST", "/hello", "host"])[0], "10");
    assert_eq!(cells(&text, &["hello", "GET,POST", "/hello", "failed"])[0], "2");
    assert_eq!(cells(&text, &["-", "(unmatched)", "total"])[0], "2");
    let outcomes = ["1000", "0", "0", "2", "0", "2", "0", "0", "0", "0"];
    let line = text.lines().rfind(|line| line.starts_with("hello")).unwrap();
    assert_eq!(line.split_whitespace().skip(3).collect::<Vec<_>>(), outcomes);
    assert_eq!(cells(&text, &["kvstore:set"])[..2], ["1", "2"]);
    assert!(!text.contains("/idle") && !text.contains("kvstore:get"), "{text}");
    assert!(text.contains("microseconds") && text.ends_with('\n'));
}

#[test]
fn text_columns_are_aligned() {
    let text = render(&collected(), Format::Text);
    let lines: Vec<_> = text.lines().skip_while(|line| !line.starts_with("function")).collect();
    let table = lines.split(|line| line.is_empty()).next().unwrap();
    assert!(table.len() == 7 && table.iter().all(|line| line.len() == table[0].len()), "{text}");
}

#[test]
fn json_has_the_same_numbers_and_histograms_that_read_back() {
    let text = render(&collected(), Format::Json);
    let page: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page["unit"], "ns");
    assert_eq!(page["shards"], 2);
    let route = &page["routes"][0];
    assert_eq!((&route["function"], &route["route"]), (&"hello".into(), &"/hello".into()));
    assert_eq!(route["methods"], serde_json::json!(["GET", "POST"]));
    assert_eq!(route["requests"]["answered"], 1_000);
    assert_eq!((&route["requests"]["timeout"], &route["requests"]["shed"]), (&2.into(), &2.into()));
    let total = &route["phases"][0];
    assert_eq!((&total["phase"], &total["count"]), (&"total".into(), &1_000.into()));
    assert_eq!((&total["min"], &total["max"]), (&1_000.into(), &1_000_447.into()));
    assert_eq!((&total["p50"], &total["p99.9"]), (&500_223.into(), &999_423.into()));
    assert_eq!(page["host_calls"][0]["operation"], "kvstore:set");
    assert_eq!(page["host_calls"][0]["errors"], 1);
    assert_eq!(page["routes"][1]["route"], "(unmatched)");
    assert_eq!(page["routes"][1]["requests"]["not_found"], 2);

    let bytes = STANDARD.decode(total["histogram"].as_str().unwrap()).unwrap();
    let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
    let mut expected = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
    (1..=1_000).for_each(|microsecond| expected.record(microsecond * 1_000).unwrap());
    assert_eq!(histogram, expected);
    let mut sum = histogram.clone();
    sum.add(&histogram).unwrap();
    assert_eq!(sum.len(), 2_000);
}

/// A store that was called and HTTP servers that were not.
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
        status("kvstore", "redis", "cache:6379", Some(false), counts),
        status("httpclient", "http", "any host", None, BackendCounts::default()),
    ]
}

#[test]
fn each_capability_has_a_block() {
    let text = render_capabilities(&collected(), &backends(), Format::Text);
    let block: Vec<_> = text.split("\n\n").nth(1).unwrap().lines().collect();
    assert_eq!(block[0], "kvstore: redis at cache:6379, down");
    assert_eq!(
        block[1],
        "connections 5, reconnects 6; failures: unavailable 1, timeout 2, connection 3, refused 4"
    );
    assert_eq!(cells(&text, &["(all)"])[..2], ["1", "2"]);
    assert_eq!(cells(&text, &["set"])[..2], ["1", "2"]);
    assert!(!text.contains("get  ") && !text.contains("httpclient"), "{text}");

    let page = render_capabilities(&collected(), &backends(), Format::Json);
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!((&page["unit"], &page["shards"]), (&"ns".into(), &2.into()));
    let block = &page["capabilities"][0];
    assert_eq!((&block["capability"], &block["backend"]["up"]), (&"kvstore".into(), &false.into()));
    assert_eq!(block["backend"]["failures"]["refused"], 4);
    assert_eq!((&block["calls"]["count"], &block["calls"]["errors"]), (&2.into(), &1.into()));
    assert_eq!(block["operations"]["set"]["count"], 2);
}

#[test]
fn a_new_process_has_an_empty_page() {
    let empty = Collected::new(Arc::new(Labels::default()), 1);
    assert!(render(&empty, Format::Text).contains("function  route  phase"));
    let page: Value = serde_json::from_str(&render(&empty, Format::Json)).unwrap();
    assert_eq!(page["routes"], serde_json::json!([]));
}

#[test]
fn every_listed_format_is_known() {
    for name in Format::NAMES {
        assert!(Format::named(name).is_some(), "{name}");
    }
    assert_eq!(Format::named("xml"), None);
}
