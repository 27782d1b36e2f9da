//! Spectra against those that HdrHistogram 2.2.2 (Java) wrote for the same values.

use super::{fixed, spectrum};
use crate::telemetry::bins::Bins;

#[track_caller]
fn check(values: impl Iterator<Item = u64>, expected: &str) {
    let mut bins = Bins::default();
    values.for_each(|value| bins.record(value));
    let spectrum = spectrum(&bins);
    for (line, expected) in spectrum.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(spectrum, expected);
}

#[test]
fn spectra_are_those_of_hdrhistogram() {
    check((1..=1_000).map(|microsecond| microsecond * 1_000), include_str!("linear.hgrm"));
    let mut state = 1_u64;
    let spread = std::iter::from_fn(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(((state >> 33) % 100_000) << ((state >> 20) & 7))
    });
    check(spread.take(20_000), include_str!("spread.hgrm"));
    check(std::iter::empty(), include_str!("empty.hgrm"));
}

#[test]
fn many_values_in_one_bin_stand_for_each_level() {
    let mut bins = Bins::default();
    (0..1_000_000).for_each(|_| bins.record(5_000));
    bins.record(9_000);
    let spectrum = spectrum(&bins);
    let last = spectrum.lines().rfind(|line| !line.starts_with('#')).unwrap();
    assert!(last.trim().starts_with("9.007 1.000000000000    1000001"), "{last}");
}

#[test]
fn ties_are_rounded_up() {
    let check = |number, decimals, expected| assert_eq!(fixed(number, decimals), expected);
    check(0.0, 3, "0.000");
    check(1.0, 12, "1.000000000000");
    check(0.999_780_273_437_5, 12, "0.999780273438");
    check(0.5, 2, "0.50");
    check(12_779.519, 3, "12779.519");
    check(9.999_5, 3, "10.000");
    check(1.234_49, 3, "1.234");
    check(4_551.111_111, 2, "4551.11");
}
