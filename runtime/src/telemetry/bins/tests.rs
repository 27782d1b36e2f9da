//! The bins against `hdrhistogram`: counts, quantiles, merging, the exchange format.

use super::{Bins, CHUNK_BINS, VALUE_MAX_NS, bin_highest, bin_lowest, bin_of};
use hdrhistogram::Histogram;
use proptest::prelude::{any, prop};
use proptest::{prop_assert_eq, proptest};

const QUANTILES: [f64; 6] = [0.5, 0.9, 0.99, 0.999, 0.9999, 1.0];

fn recorded(values: &[u64]) -> Bins {
    let mut bins = Bins::default();
    values.iter().for_each(|&value| bins.record(value));
    bins
}

fn oracle(values: &[u64]) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, VALUE_MAX_NS, 3).unwrap();
    values.iter().for_each(|&value| histogram.saturating_record(value));
    histogram
}

/// Latencies as they come: mostly within a few octaves, some anywhere, some out of range.
fn latencies() -> impl proptest::strategy::Strategy<Value = Vec<u64>> {
    let value = proptest::prop_oneof![
        8 => 0_u64..5_000,
        8 => 5_000_u64..2_000_000,
        2 => 0..=VALUE_MAX_NS,
        1 => any::<u64>(),
    ];
    prop::collection::vec(value, 1..400)
}

proptest! {
    #[test]
    fn answers_as_the_crate_does(values in latencies()) {
        let bins = recorded(&values);
        let histogram = oracle(&values);
        prop_assert_eq!(bins.to_histogram(), histogram.clone());
        prop_assert_eq!(bins.count(), histogram.len());
        prop_assert_eq!(bins.min_ns(), histogram.min());
        prop_assert_eq!(bins.max_ns(), histogram.max());
        prop_assert_eq!(bins.quantiles_ns(QUANTILES), QUANTILES.map(|q| histogram.value_at_quantile(q)));
        let bounds = [0, 1_000, 10_000, 1_000_000, VALUE_MAX_NS];
        prop_assert_eq!(bins.counts_up_to(bounds), bounds.map(|bound| histogram.count_between(0, bound)));
        let clamped = values.iter().map(|&value| u128::from(value.min(VALUE_MAX_NS)));
        prop_assert_eq!(bins.sum_ns(), clamped.sum::<u128>());
        prop_assert_eq!(bins.beyond(), values.iter().filter(|&&value| value > VALUE_MAX_NS).count() as u64);
    }

    #[test]
    fn parts_add_up_to_the_whole(values in latencies(), parts in 1_usize..5) {
        let mut sum = Bins::default();
        for part in values.chunks(values.len().div_ceil(parts)) {
            sum.add(&recorded(part));
        }
        prop_assert_eq!(sum.to_histogram(), oracle(&values));
        prop_assert_eq!(sum.sum_ns(), recorded(&values).sum_ns());
        prop_assert_eq!(sum.beyond(), recorded(&values).beyond());
    }

    #[test]
    fn a_cleared_one_is_as_new(before in latencies(), after in latencies()) {
        let mut bins = recorded(&before);
        bins.clear();
        prop_assert_eq!((bins.count(), bins.beyond(), bins.sum_ns()), (0, 0, 0));
        prop_assert_eq!(bins.to_histogram(), oracle(&[]));
        after.iter().for_each(|&value| bins.record(value));
        prop_assert_eq!(bins.to_histogram(), oracle(&after));
    }
}

#[test]
fn bins_follow_each_other_without_gap() {
    assert_eq!(bin_lowest(0), 0);
    for bin in 0..=bin_of(VALUE_MAX_NS) {
        assert_eq!((bin_of(bin_lowest(bin)), bin_of(bin_highest(bin))), (bin, bin));
        let width = bin_highest(bin) - bin_lowest(bin) + 1;
        assert!(width == 1 || width * 1000 <= bin_lowest(bin), "bin {bin} is {width} wide");
    }
}

#[test]
fn an_empty_one_answers_zero() {
    let bins = Bins::default();
    assert_eq!((bins.count(), bins.min_ns(), bins.max_ns()), (0, 0, 0));
    assert_eq!(bins.quantiles_ns(QUANTILES), [0; 6]);
    assert_eq!(bins.counts_up_to([1, VALUE_MAX_NS]), [0, 0]);
    assert!(bins.mean_ns().abs() < f64::EPSILON);
}

#[test]
fn a_bin_counts_beyond_32_bits() {
    let mut bins = recorded(&[100, 5_000_000]);
    let (place, offset) = (bins.places[100 / CHUNK_BINS], 100 % CHUNK_BINS);
    bins.chunks[usize::from(place) - 1][offset] = u32::MAX;
    bins.count = u64::from(u32::MAX) + 1;
    bins.record(100);
    assert_eq!(bins.counts_up_to([100, VALUE_MAX_NS]), [1 << 32, (1 << 32) + 1]);
    let mut sum = Bins::default();
    sum.add(&bins);
    sum.add(&bins);
    assert_eq!(sum.counts_up_to([100]), [1 << 33]);
    assert_eq!(sum.quantiles_ns([0.5, 1.0]), [100, bin_highest(bin_of(5_000_000))]);
}
