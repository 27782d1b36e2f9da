//! What is collected of several shards is what they recorded.

use super::Collected;
use crate::telemetry::bins::VALUE_MAX_NS;
use crate::telemetry::kinds::Outcome;
use crate::telemetry::labels::{Labels, RouteLabels};
use crate::telemetry::record::Instances;
use crate::telemetry::shard::ShardTelemetry;
use crate::telemetry::stretch::{Phase, RequestTimes};
use hdrhistogram::Histogram;
use std::sync::Arc;

fn labels() -> Arc<Labels> {
    Arc::new(Labels {
        functions: vec!["f".to_owned()],
        routes: vec![RouteLabels { function: "f".to_owned(), pattern: "/".to_owned() }],
        operations: &["kvstore:get"],
        service_routes: Vec::new(),
    })
}

fn collect(collected: &mut Collected, shards: &[ShardTelemetry]) {
    for (index, shard) in shards.iter().enumerate() {
        let spare = collected.spare();
        collected.add(index, shard.swap(spare));
    }
}

#[track_caller]
fn check(shard_count: usize, collect_every: u64) {
    let labels = labels();
    let shards: Vec<_> = (0..shard_count).map(|_| ShardTelemetry::new(&labels)).collect();
    let mut collected = Collected::new(Arc::clone(&labels), shard_count);
    let mut whole = Histogram::<u64>::new_with_bounds(1, VALUE_MAX_NS, 3).unwrap();
    let mut value = 1_u64;
    for round in 1..=5_000 {
        value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let total_ns = value >> (24 + round % 40);
        let times = RequestTimes { total_ns, ..RequestTimes::default() };
        shards[(value >> 7) as usize % shard_count].request(0, Outcome::Answered, &times);
        whole.saturating_record(total_ns);
        if round % collect_every == 0 {
            collect(&mut collected, &shards);
        }
    }
    collect(&mut collected, &shards);
    let route = collected.routes(&[0]);
    assert_eq!(route.requests(), 5_000);
    assert_eq!(route.phase_of_all(Phase::Total).get().unwrap().to_histogram(), whole);
    assert!(collected.spares.len() == 1, "asking in turn needs one spare");
}

#[test]
fn shards_add_up_to_one_histogram_of_all_values() {
    check(1, 5_000);
    check(1, 7);
    check(2, 1_000);
    check(3, 13);
    check(16, 100);
}

#[test]
fn gauges_are_the_last_ones_of_each_shard() {
    let labels = labels();
    let shards = [ShardTelemetry::new(&labels), ShardTelemetry::new(&labels)];
    let mut collected = Collected::new(Arc::clone(&labels), 2);
    shards[0].instances(0, Instances { live: 4, in_use: 4, waiting: 9 });
    shards[1].instances(0, Instances { live: 2, in_use: 1, waiting: 0 });
    collect(&mut collected, &shards);
    shards[0].instances(0, Instances { live: 3, in_use: 1, waiting: 0 });
    collect(&mut collected, &shards);
    collect(&mut collected, &shards);
    let expected = Instances { live: 5, in_use: 2, waiting: 0 };
    assert_eq!(collected.function(0).instances(), expected);
}

#[test]
fn the_end_is_the_last_collection() {
    let labels = labels();
    let shard = [ShardTelemetry::new(&labels)];
    let mut collected = Collected::new(labels, 1);
    assert_eq!(collected.end_ns(), collected.start_ns());
    collect(&mut collected, &shard);
    assert!(collected.end_ns() > collected.start_ns());
    let passed = collected.date_of(collected.end_ns()).duration_since(collected.started_at());
    assert_eq!(passed.unwrap().as_nanos() as u64, collected.end_ns() - collected.start_ns());
}
