//! [`NativeHistogram`]: a histogram in Prometheus' exponential buckets, of which only those in use are sent.
//!
//! Schema 3: eight buckets for each doubling, each 9.05 % wider than the one before, so that a quantile is off by that much
//! at most. A bin of ours lies in the bucket of its middle, which is off by at most 0.1 % more. The latency page has the
//! bins themselves.

use super::NANOSECONDS_PER_SECOND;
use crate::telemetry::bins::Bins;

pub(super) const SCHEMA: i32 = 3;
/// Values up to this many seconds, one nanosecond, count as none.
pub(super) const ZERO_THRESHOLD: f64 = 1e-9;

/// Counts by bucket. Bucket `i` holds the values above `2^((i-1)/8)` up to `2^(i/8)` seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NativeHistogram {
    pub(super) zero_count: u64,
    /// Runs of buckets in use: how many empty ones come before, from bucket 0 for the first run, and how many follow.
    pub(super) spans: Vec<(i32, u32)>,
    /// The count of each bucket of the runs, as the difference to the one before.
    pub(super) deltas: Vec<i64>,
}

impl NativeHistogram {
    pub(crate) fn of(bins: &Bins) -> NativeHistogram {
        let mut native = NativeHistogram::default();
        // Bucket and count of the last run's last bucket, and up to where that bucket goes.
        let mut last: Option<(i32, i64)> = None;
        let mut last_upper = 0.0;
        let mut before = 0;
        for (lowest, highest, count) in bins.filled_ranges() {
            let middle = (lowest as f64 + highest as f64) / 2.0 / NANOSECONDS_PER_SECOND;
            if middle <= ZERO_THRESHOLD {
                native.zero_count += count;
                continue;
            }
            let count = count as i64;
            // Most bins are in the bucket of the bin before: a comparison tells, not a logarithm.
            if let (Some((_, sum)), Some(delta)) = (&mut last, native.deltas.last_mut())
                && middle <= last_upper
            {
                *sum += count;
                *delta += count;
                continue;
            }
            let bucket = bucket_of(middle).max(last.map_or(i32::MIN, |(previous, _)| previous + 1));
            let gap = last.map_or(bucket, |(previous, _)| bucket - previous - 1);
            before = last.map_or(before, |(_, sum)| sum);
            match native.spans.last_mut() {
                Some((_, length)) if gap == 0 => *length += 1,
                _ => native.spans.push((gap, 1)),
            }
            native.deltas.push(count - before);
            last = Some((bucket, count));
            last_upper = upper_seconds(bucket);
        }
        native
    }
}

fn bucket_of(seconds: f64) -> i32 {
    (seconds.log2() * f64::from(1 << SCHEMA)).ceil() as i32
}

fn upper_seconds(bucket: i32) -> f64 {
    (f64::from(bucket) / f64::from(1 << SCHEMA)).exp2()
}

#[cfg(test)]
mod tests {
    use super::{NativeHistogram, SCHEMA, bucket_of};
    use crate::telemetry::bins::{Bins, VALUE_MAX_NS};
    use proptest::prelude::prop;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    /// Buckets with their counts, as a reader gets them.
    fn buckets(native: &NativeHistogram) -> Vec<(i32, i64)> {
        let (mut bucket, mut count, mut deltas) = (0, 0, native.deltas.iter());
        let mut found = Vec::new();
        for &(gap, length) in &native.spans {
            bucket += gap;
            for _ in 0..length {
                count += deltas.next().unwrap();
                found.push((bucket, count));
                bucket += 1;
            }
        }
        assert!(deltas.next().is_none());
        found
    }

    fn of(values: &[u64]) -> NativeHistogram {
        let mut bins = Bins::default();
        values.iter().for_each(|&value| bins.record(value));
        NativeHistogram::of(&bins)
    }

    #[test]
    fn buckets_begin_above_their_lower_bound() {
        let check = |seconds, expected| assert_eq!(bucket_of(seconds), expected, "{seconds}");
        check(1.0, 0);
        check(1.000_1, 1);
        check(2.0, 8);
        check(0.5, -8);
        check(0.499, -8);
        check(0.6, -5);
    }

    #[test]
    fn runs_and_gaps_are_told_apart() {
        // 1 s and a little more, nothing up to 4 s, nothing for what is no time at all.
        let native = of(&[0, 1, 990_000_000, 990_000_000, 1_050_000_000, 4_100_000_000]);
        assert_eq!(native.zero_count, 2);
        assert_eq!(native.spans, [(0, 2), (15, 1)]);
        assert_eq!(native.deltas, [2, -1, 0]);
        assert_eq!(buckets(&native), [(0, 2), (1, 1), (17, 1)]);
        assert_eq!(of(&[]), NativeHistogram::default());
    }

    proptest! {
        #[test]
        fn every_value_lies_in_its_bucket_or_next_to_its_edge(values in prop::collection::vec(2_u64..VALUE_MAX_NS, 1..200)) {
            let native = of(&values);
            let buckets = buckets(&native);
            prop_assert!(buckets.iter().all(|(_, count)| *count > 0));
            prop_assert!(buckets.is_sorted_by(|one, two| one.0 < two.0));
            prop_assert_eq!(buckets.iter().map(|(_, count)| *count).sum::<i64>(), values.len() as i64);
            for value in values {
                let seconds = value as f64 / 1e9;
                let fits = buckets.iter().any(|(bucket, _)| {
                    let bound = |bucket: i32| (f64::from(bucket) / f64::from(1 << SCHEMA)).exp2();
                    seconds > bound(bucket - 1) * 0.999 && seconds < bound(*bucket) * 1.001
                });
                prop_assert!(fits, "{value} in {buckets:?}");
            }
        }
    }
}
