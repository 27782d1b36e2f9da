//! Guests' metrics: names, kinds, and what the shards add up to.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const MINUTE_NS: u64 = 60_000_000_000;

fn shard(names_max: usize) -> ShardMetrics {
    let names = ["go_goroutines", "summary_count"].map(str::to_owned).into();
    let reserved = Reserved { names, prefixes: vec!["airside_".to_owned()] };
    ShardMetrics::new(Arc::new(MetricNames::new(names_max, reserved)))
}

/// What one scrape of the shards gives.
fn collect(
    collected: &mut CollectedMetrics,
    shards: &[&ShardMetrics],
    now_ns: u64,
) -> Vec<(String, SampleValue)> {
    for shard in shards {
        collected.merge(&mut shard.swap(MetricsRecord::default()), now_ns);
    }
    collected.iter(now_ns).map(|sample| (sample.name.to_owned(), sample.value)).collect()
}

#[test]
fn names_are_checked() {
    let check = |name: &str, expected: Result<(), MetricError>| {
        assert_eq!(shard(10).counter(name), expected, "{name:?}");
    };
    check("a", Ok(()));
    check("_a:B9", Ok(()));
    check("", Err(MetricError::InvalidName));
    check("a b", Err(MetricError::InvalidName));
    check("a-b", Err(MetricError::InvalidName));
    check("é", Err(MetricError::InvalidName));
    check("9a", Err(MetricError::InvalidName));
    check("go_goroutines", Err(MetricError::NameInUse));
    check("airside_requests", Err(MetricError::NameInUse));
}

#[test]
fn a_name_is_of_one_kind_on_all_shards() {
    let names = Arc::new(MetricNames::new(10, Reserved::default()));
    let (one, two) = (ShardMetrics::new(Arc::clone(&names)), ShardMetrics::new(names));
    one.counter("c").unwrap();
    one.gauge("g", "inc").unwrap();
    one.histogram("h", 1.0).unwrap();
    for _ in 0..2 {
        for shard in [&one, &two] {
            assert_eq!(shard.gauge("c", "inc"), Err(MetricError::NameInUse));
            assert_eq!(shard.histogram("g", 1.0), Err(MetricError::NameInUse));
            assert_eq!(shard.counter("h"), Err(MetricError::NameInUse));
        }
    }
    two.counter("c").unwrap();
}

/// Prometheus refuses all metrics of a process in which two families have a series of the same
/// name.
#[test]
fn series_of_summaries_do_not_collide() {
    let summary_first = shard(10);
    summary_first.histogram("h", 1.0).unwrap();
    assert_eq!(summary_first.counter("h_count"), Err(MetricError::NameInUse));
    assert_eq!(summary_first.gauge("h_sum", "inc"), Err(MetricError::NameInUse));
    let counter_first = shard(10);
    counter_first.counter("h_sum").unwrap();
    assert_eq!(counter_first.histogram("h", 1.0), Err(MetricError::NameInUse));
    assert_eq!(counter_first.histogram("summary", 1.0), Err(MetricError::NameInUse));
}

#[test]
fn gauge_actions_are_checked_after_the_name_and_before_its_kind() {
    let shard = shard(10);
    shard.counter("c").unwrap();
    assert_eq!(shard.gauge("a b", "up"), Err(MetricError::InvalidName));
    assert_eq!(shard.gauge("c", "INC"), Err(MetricError::InvalidAction));
    assert_eq!(shard.gauge("c", "inc"), Err(MetricError::NameInUse));
    assert_eq!(shard.gauge("new", ""), Err(MetricError::InvalidAction));
    shard.counter("new").unwrap();
}

#[test]
fn number_of_names_is_bounded() {
    let shard = shard(2);
    shard.counter("a").unwrap();
    shard.counter("b").unwrap();
    let error = shard.counter("c").unwrap_err();
    assert_eq!(error.to_string(), "too many metric names: the limit is 2");
    shard.counter("a").unwrap();
}

#[test]
fn shards_add_up_over_scrapes() {
    let names = Arc::new(MetricNames::new(10, Reserved::default()));
    let (one, two) = (ShardMetrics::new(Arc::clone(&names)), ShardMetrics::new(names));
    let mut collected = CollectedMetrics::default();
    one.counter("c").unwrap();
    two.counter("c").unwrap();
    two.gauge("g", "dec").unwrap();
    one.gauge("g", "inc").unwrap();
    one.gauge("g", "inc").unwrap();
    let counter = |count| ("c".to_owned(), SampleValue::Counter(count));
    let gauge = |value| ("g".to_owned(), SampleValue::Gauge(value));
    assert_eq!(collect(&mut collected, &[&one, &two], 0), [counter(2), gauge(1)]);
    assert_eq!(collect(&mut collected, &[&one, &two], 0), [counter(2), gauge(1)]);
    two.counter("c").unwrap();
    two.gauge("g", "dec").unwrap();
    two.gauge("g", "dec").unwrap();
    assert_eq!(collect(&mut collected, &[&one, &two], 0), [counter(3), gauge(-1)]);
}

#[test]
fn a_swap_gives_only_what_was_touched() {
    let shard = shard(100);
    for number in 0..50 {
        shard.counter(&format!("c{number}")).unwrap();
    }
    assert_eq!(shard.swap(MetricsRecord::default()).changes.len(), 50);
    shard.counter("c7").unwrap();
    shard.counter("c7").unwrap();
    assert_eq!(shard.swap(MetricsRecord::default()).changes.len(), 1);
}

fn summary(
    collected: &mut CollectedMetrics,
    shard: &ShardMetrics,
    now_ns: u64,
) -> ([(f64, f64); 3], f64, u64) {
    match collect(collected, &[shard], now_ns).pop() {
        Some((_, SampleValue::Summary { quantiles, sum, count })) => (quantiles, sum, count),
        other => panic!("no summary: {other:?}"),
    }
}

#[test]
fn summaries_have_quantiles_within_one_percent() {
    let (shard, mut collected) = (shard(1), CollectedMetrics::default());
    for value in 1..=10_000 {
        shard.histogram("h", f64::from(value)).unwrap();
    }
    let (quantiles, sum, count) = summary(&mut collected, &shard, 0);
    assert_eq!((sum, count), (50_005_000.0, 10_000));
    for ((quantile, value), expected) in quantiles.into_iter().zip([5_000.0, 9_000.0, 9_900.0]) {
        assert!((value / expected - 1.0).abs() < 0.011, "{quantile}: {value}");
    }
}

#[test]
fn quantiles_forget_after_ten_minutes_and_totals_do_not() {
    let (shard, mut collected) = (shard(1), CollectedMetrics::default());
    let median = |collected: &mut CollectedMetrics, minute: u64| {
        let (quantiles, sum, count) = summary(collected, &shard, minute * MINUTE_NS);
        (quantiles[0].1.round(), sum, count)
    };
    shard.histogram("h", 100.0).unwrap();
    shard.histogram("h", 100.0).unwrap();
    assert_eq!(median(&mut collected, 1).1, 200.0);
    shard.histogram("h", -3.0).unwrap();
    let (value, ..) = median(&mut collected, 9);
    assert!((99.0..=101.0).contains(&value), "{value}");
    assert_eq!(median(&mut collected, 11), (-3.0, 197.0, 3));
    let (value, sum, count) = median(&mut collected, 30);
    assert!(value.is_nan());
    assert_eq!((sum, count), (197.0, 3));
}

#[test]
fn values_that_are_not_finite_are_left_out() {
    let (shard, mut collected) = (shard(1), CollectedMetrics::default());
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.0] {
        shard.histogram("h", value).unwrap();
    }
    let (_, sum, count) = summary(&mut collected, &shard, 0);
    assert_eq!((sum, count), (2.0, 1));
}

proptest! {
    #[test]
    fn any_values_are_summarised(
        batches in prop::collection::vec(prop::collection::vec(any::<f64>(), 0..20), 0..6),
    ) {
        let (shard, mut collected) = (shard(1), CollectedMetrics::default());
        shard.histogram("h", 0.0).unwrap();
        let mut finite = 1;
        for (minute, batch) in batches.iter().enumerate() {
            for &value in batch {
                shard.histogram("h", value).unwrap();
                finite += u64::from(value.is_finite());
            }
            let (quantiles, _, count) = summary(&mut collected, &shard, minute as u64 * MINUTE_NS);
            prop_assert_eq!(count, finite);
            prop_assert!(quantiles.is_sorted_by(|one, next| one.1 <= next.1));
        }
    }
}
