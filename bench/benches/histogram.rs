//! What is recorded of a request, over latencies that are spread as those of a server under load are.

use std::hint::black_box;

use airside::telemetry::bins::{Bins, SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use airside::telemetry::{Labels, Outcome, RequestTimes, ShardTelemetry};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hdrhistogram::Histogram;

/// A power of two, so that going round costs next to nothing.
const VALUES: usize = 4096;

/// From 4 us to 8 ms in nanoseconds, each octave half as frequent as the one before.
fn latencies() -> [u64; VALUES] {
    let mut state = 1_u64;
    std::array::from_fn(|_| {
        // Knuth's MMIX generator, whose high bits are the random ones.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let octave = (state >> 48 | 1 << 10).trailing_zeros();
        (4_000 + (state >> 20) % 4_000) << octave
    })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, VALUE_MAX_NS, SIGNIFICANT_DIGITS).expect("valid bounds")
}

fn value(criterion: &mut Criterion) {
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
    let mut histogram = histogram();
    group.bench_function(BenchmarkId::new("hdrhistogram", "value"), |bencher| {
        bencher.iter(|| histogram.saturating_record(black_box(next())));
    });
    group.finish();
}

/// A request that was answered without a host call: total, wait and guest.
fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("histogram");
    let (values, mut at) = (latencies(), 0);
    let mut next = || {
        at = (at + 1) % VALUES;
        let total_ns = values[at];
        RequestTimes { total_ns, wait_ns: total_ns >> 7, guest_ns: total_ns >> 2, host_ns: None }
    };
    let telemetry = ShardTelemetry::new(&Labels::default());
    let route = Labels::default().unmatched();
    group.bench_function(BenchmarkId::new("airside", "request"), |bencher| {
        bencher.iter(|| telemetry.request(route, Outcome::Answered, black_box(&next())));
    });
    let mut phases = [histogram(), histogram(), histogram()];
    group.bench_function(BenchmarkId::new("hdrhistogram", "request"), |bencher| {
        bencher.iter(|| {
            let times = black_box(next());
            let values = [times.total_ns, times.wait_ns, times.guest_ns];
            phases.iter_mut().zip(values).for_each(|(phase, value)| phase.saturating_record(value));
        });
    });
    group.finish();
}

criterion_group!(benches, value, request);
criterion_main!(benches);
