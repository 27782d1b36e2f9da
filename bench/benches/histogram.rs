//! What is recorded of a request, over latencies that are spread as those of a server under load are.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use airside::telemetry::bins::{Bins, SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use airside::telemetry::{
    Capability, Collected, HostTimes, Labels, Outcome, RequestTimes, RouteLabels, ShardTelemetry,
};
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

/// A request that was answered: all of its phases and the length of its invocation. `request_with_host_calls` had calls of
/// two capabilities.
fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("histogram");
    let (values, mut at) = (latencies(), 0);
    let mut next = || {
        at = (at + 1) % VALUES;
        let total_ns = values[at];
        RequestTimes {
            total_ns,
            queue_ns: total_ns >> 7,
            guest_ns: Some(total_ns >> 2),
            write_ns: Some(total_ns >> 1),
            host: HostTimes::default(),
        }
    };
    let labels = Labels { functions: vec![String::from("hello")], ..Labels::default() };
    let telemetry = ShardTelemetry::new(&labels);
    let route = labels.unmatched();
    let record = |times: &RequestTimes| {
        telemetry.invocation(0, times.guest_ns.unwrap_or_default() + times.host.total_ns());
        telemetry.request(route, Outcome::Answered, times);
    };
    group.bench_function(BenchmarkId::new("airside", "request"), |bencher| {
        bencher.iter(|| record(black_box(&next())));
    });
    group.bench_function(BenchmarkId::new("airside", "request_with_host_calls"), |bencher| {
        bencher.iter(|| {
            let mut times = next();
            times.host.add(Capability::Kvstore, times.total_ns >> 3);
            times.host.add(Capability::Logger, times.total_ns >> 5);
            record(black_box(&times));
        });
    });
    let mut phases: [_; 5] = std::array::from_fn(|_| histogram());
    group.bench_function(BenchmarkId::new("hdrhistogram", "request"), |bencher| {
        bencher.iter(|| {
            let times = black_box(next());
            let guest_ns = times.guest_ns.unwrap_or_default();
            let write_ns = times.write_ns.unwrap_or_default();
            let values = [times.total_ns, times.queue_ns, guest_ns, write_ns, guest_ns];
            phases.iter_mut().zip(values).for_each(|(phase, value)| phase.saturating_record(value));
        });
    });
    group.finish();
}

/// What the control thread does each second with the record of one shard: adds it to the totals and to the interval. Of a
/// thousand functions, all or none had 100 requests.
fn collect(criterion: &mut Criterion) {
    const FUNCTIONS: usize = 1_000;
    let mut group = criterion.benchmark_group("collect");
    let values = latencies();
    for (name, requests) in [("idle", 0), ("busy", 100)] {
        let functions = (0..FUNCTIONS).map(|index| format!("function{index}"));
        let route = |function: &String| RouteLabels {
            function: function.clone(),
            pattern: format!("/{function}"),
        };
        let functions: Vec<String> = functions.collect();
        let routes = functions.iter().map(route).collect();
        let labels = Arc::new(Labels { functions, routes, ..Labels::default() });
        let telemetry = ShardTelemetry::new(&labels);
        let mut collected = Collected::new(Arc::clone(&labels), 1);
        let fill = || {
            for route in 0..FUNCTIONS {
                for total_ns in &values[..requests] {
                    let times = RequestTimes {
                        total_ns: *total_ns,
                        queue_ns: total_ns >> 7,
                        guest_ns: Some(total_ns >> 2),
                        write_ns: Some(total_ns >> 1),
                        host: HostTimes::default(),
                    };
                    telemetry.request(route, Outcome::Answered, &times);
                }
            }
        };
        group.sample_size(10);
        group.bench_function(BenchmarkId::new("airside", name), |bencher| {
            bencher.iter_custom(|rounds| {
                let mut spent = Duration::ZERO;
                for _ in 0..rounds {
                    fill();
                    let started = Instant::now();
                    let spare = collected.spare();
                    collected.add(0, telemetry.swap(spare));
                    collected.close_interval(collected.end_ns());
                    spent += started.elapsed();
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, value, request, collect);
criterion_main!(benches);
