//! One value into one histogram.

use std::hint::black_box;

use airside::telemetry::bins::Bins;
use criterion::{BenchmarkId, Criterion};

use crate::latencies::{VALUES, hdrhistogram, latencies};

pub(crate) fn value(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("histogram");
    let (values, mut at) = (latencies(), 0);
    let mut next = || {
        at = (at + 1) % VALUES;
        values[at]
    };
    let mut bins = Bins::default();
    group.bench_function(BenchmarkId::new("airside", "value"), |bencher| {
        bencher.iter(|| bins.record(black_box(next())));
    });
    let mut histogram = hdrhistogram();
    group.bench_function(BenchmarkId::new("hdrhistogram", "value"), |bencher| {
        bencher.iter(|| histogram.saturating_record(black_box(next())));
    });
    group.finish();
}
