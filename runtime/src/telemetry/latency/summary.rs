//! The numbers that tables show of a histogram.

use crate::telemetry::bins::Bins;
use std::time::Duration;

/// The percentiles between minimum and maximum.
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 0.9999];
pub(super) const QUANTILE_NAMES: [&str; QUANTILES.len()] = ["p50", "p90", "p99", "p99.9", "p99.99"];
/// What the percentiles are, for a reader.
pub(super) const QUANTILES_ARE: &str =
    "pN: the highest value of the bin in which N % of all values are reached";

/// All times in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) rate_per_second: f64,
    pub(super) min: u64,
    pub(super) mean: f64,
    pub(super) quantiles: [u64; QUANTILES.len()],
    pub(super) max: u64,
    /// Values above what is told apart; they count as the largest one.
    pub(super) beyond: u64,
}

impl Summary {
    pub(super) fn of(bins: &Bins, window: Duration) -> Summary {
        let seconds = window.as_secs_f64();
        Summary {
            count: bins.count(),
            rate_per_second: if seconds > 0.0 { bins.count() as f64 / seconds } else { 0.0 },
            min: bins.min_ns(),
            mean: bins.mean_ns(),
            quantiles: bins.quantiles_ns(QUANTILES),
            max: bins.max_ns(),
            beyond: bins.beyond(),
        }
    }

    /// The names of [`Summary::times`].
    pub(super) fn time_names() -> impl Iterator<Item = &'static str> {
        ["min", "mean"].into_iter().chain(QUANTILE_NAMES).chain(["max"])
    }

    /// All times in ascending order, but that the mean is the second.
    pub(super) fn times(&self) -> impl Iterator<Item = f64> {
        let quantiles = self.quantiles.map(|value| value as f64);
        [self.min as f64, self.mean].into_iter().chain(quantiles).chain([self.max as f64])
    }
}
