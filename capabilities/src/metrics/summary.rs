//! Distributions: a sketch with 1 % relative error, and the summary over the last ten minutes that
//! is made of such.

use std::fmt;

use sketches_ddsketch::{Config, DDSketch};

/// The quantiles of every summary, as in Tarmac.
pub const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// Relative error of quantiles.
const ACCURACY: f64 = 0.01;
/// Eight bytes each; at 1 % they span nine decimal orders of magnitude. Beyond, the smallest values
/// are merged.
const BINS_MAX: u32 = 1024;
/// Values nearer to zero count as zero.
const VALUE_MIN: f64 = 1e-9;

/// Quantiles are of the last five slices of two minutes, as those of Prometheus clients are by
/// default; count and sum are of all time.
const SLICES: u64 = 5;
const SLICE_NS: u64 = 120 * 1_000_000_000;

/// Observed values. Those that are not finite are left out: a single one would make the sum useless
/// for ever.
#[derive(Clone)]
pub(super) struct Distribution(DDSketch);

impl Default for Distribution {
    fn default() -> Self {
        Distribution(DDSketch::new(Config::new(ACCURACY, BINS_MAX, VALUE_MIN)))
    }
}

impl Distribution {
    pub(super) fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.0.add(value);
        }
    }

    fn merge(&mut self, other: &Distribution) {
        // Fails only for another configuration, and there is one.
        let merged = self.0.merge(&other.0);
        debug_assert!(merged.is_ok());
    }

    fn count(&self) -> u64 {
        self.0.count() as u64
    }

    fn sum(&self) -> f64 {
        self.0.sum().unwrap_or(0.0)
    }

    /// NaN when there are no values.
    fn quantile(&self, quantile: f64) -> f64 {
        self.0.quantile(quantile).ok().flatten().unwrap_or(f64::NAN)
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distribution").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// What all shards observed of one histogram.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) sum: f64,
    slices: [Slice; SLICES as usize],
}

#[derive(Debug, Default)]
struct Slice {
    /// Which slice of time since the clock's zero.
    number: u64,
    values: Distribution,
}

impl Summary {
    /// Values count as observed when they are merged.
    pub(super) fn merge(&mut self, values: &Distribution, now_ns: u64) {
        self.count += values.count();
        self.sum += values.sum();
        let number = now_ns / SLICE_NS;
        let slice = &mut self.slices[(number % SLICES) as usize];
        if slice.number != number {
            *slice = Slice { number, values: Distribution::default() };
        }
        slice.values.merge(values);
    }

    /// The value at each of [`QUANTILES`], NaN when nothing was observed lately.
    pub(super) fn quantiles(&self, now_ns: u64) -> [(f64, f64); QUANTILES.len()] {
        let now = now_ns / SLICE_NS;
        let mut recent = Distribution::default();
        for slice in self.slices.iter().filter(|slice| slice.number + SLICES > now) {
            recent.merge(&slice.values);
        }
        QUANTILES.map(|quantile| (quantile, recent.quantile(quantile)))
    }
}
