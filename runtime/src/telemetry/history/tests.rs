//! Intervals: what a window holds, what is merged, what is forgotten.

use super::History;
use crate::telemetry::bins::Bins;
use crate::telemetry::labels::Labels;
use crate::telemetry::record::ShardRecord;
use crate::telemetry::shard::ShardTelemetry;

const SECOND_NS: u64 = 1_000_000_000;

/// A history of this many seconds, in each of which two shards recorded the number of the second as a length.
fn history(seconds: u64, memory_bytes_max: usize) -> History {
    let labels = Labels::default();
    let shards = [ShardTelemetry::new(&labels), ShardTelemetry::new(&labels)];
    let mut history = History::bounded(0, memory_bytes_max);
    for second in 1..=seconds {
        for (index, shard) in shards.iter().enumerate() {
            shard.admin(200, second);
            history.add(index, &shard.swap(ShardRecord::new(&labels)));
        }
        history.close_interval(second * SECOND_NS);
    }
    history
}

/// Number of values in a window, its start and its end in seconds.
fn window(history: &History, seconds: u64) -> (u64, u64, u64) {
    let intervals = history.window(seconds * SECOND_NS);
    let mut bins = Bins::default();
    let histograms = intervals.iter().flat_map(|interval| interval.histograms.values());
    histograms.for_each(|histogram| bins.add_sparse(histogram));
    let follow = intervals.windows(2).all(|two| two[0].end_ns == two[1].start_ns);
    assert!(follow, "no gap and no overlap");
    let start_ns =
        intervals.first().map_or_else(|| history.closed_ns(), |interval| interval.start_ns);
    (bins.count(), start_ns / SECOND_NS, history.closed_ns() / SECOND_NS)
}

#[test]
fn a_window_is_its_newest_intervals() {
    let check = |seconds, length, start| {
        let expected = (2 * (seconds - start), start, seconds);
        let history = history(seconds, usize::MAX);
        assert_eq!(window(&history, length), expected, "{length} s of {seconds}");
    };
    check(0, 1, 0);
    check(3, 1, 2);
    check(3, 10, 0);
    check(25, 10, 15);
    // The tenth second that ends a block of ten is merged only when ten newer ones are there.
    check(70, 60, 10);
    check(75, 60, 10);
    check(79, 60, 10);
    check(80, 60, 20);
    for seconds in [400, 427, 1_000] {
        let (count, start, end) = window(&history(seconds, usize::MAX), 300);
        assert!((300..360).contains(&(end - start)) && count == 2 * (end - start), "{start} {end}");
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let history = history(10_000, usize::MAX);
    let (count, start, end) = window(&history, u64::MAX / SECOND_NS);
    assert!(history.tiers.iter().map(|tier| tier.len()).sum::<usize>() < 35);
    assert!(end - start < 420 && count == 2 * (end - start));
}

#[test]
fn beyond_the_bound_the_oldest_go() {
    let one = history(1, usize::MAX).tiers[0][0].memory_bytes;
    assert!(one > 0);
    let history = history(500, 15 * one);
    let bytes: usize = history.tiers.iter().flatten().map(|interval| interval.memory_bytes).sum();
    assert!(bytes <= 15 * one, "{bytes}");
    assert_eq!(window(&history, 10), (20, 490, 500));
    let (count, start, _) = window(&history, 60);
    assert!(start > 440 && count == 2 * (500 - start));
}

#[test]
fn intervals_since_a_moment_begin_then() {
    let history = history(15, usize::MAX);
    let since = history.since(12 * SECOND_NS);
    assert_eq!(since.iter().map(|one| one.start_ns / SECOND_NS).collect::<Vec<_>>(), [12, 13, 14]);
    assert!(history.since(15 * SECOND_NS).is_empty());
}
