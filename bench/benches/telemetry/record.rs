//! All that is recorded of a request that was answered: its phases, the length of its invocation and its outcome; beside
//! it the same values in histograms of the `hdrhistogram` crate, which count no outcomes.

use std::hint::black_box;

use airside::telemetry::{Capability, Outcome, RequestTimes, ShardTelemetry};
use criterion::{BenchmarkId, Criterion};
use hdrhistogram::Histogram;

use crate::labels::labels;
use crate::latencies::{VALUES, hdrhistogram, latencies, request_of};

/// Total, queue, guest, write, and the invocation.
const PHASES: usize = 5;
/// The host calls, and those of each capability that was called.
const HOST: usize = 3;
/// So many that their histograms are not all in the nearest cache.
const ROUTES: usize = 100;

pub(crate) fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("histogram");
    let (values, mut at) = (latencies(), 0);
    let mut next = || {
        at = (at + 1) % VALUES;
        values[at]
    };
    let telemetry = ShardTelemetry::new(&labels(1));
    group.bench_function(BenchmarkId::new("airside", "request"), |bencher| {
        bencher.iter(|| record(&telemetry, 0, black_box(&request_of(next()))));
    });
    group.bench_function(BenchmarkId::new("airside", "request_with_host_calls"), |bencher| {
        bencher.iter(|| record(&telemetry, 0, black_box(&with_host_calls(next()))));
    });

    let mut phases: [_; PHASES] = std::array::from_fn(|_| hdrhistogram());
    group.bench_function(BenchmarkId::new("hdrhistogram", "request"), |bencher| {
        bencher.iter(|| fill(&mut phases, black_box(&request_of(next()))));
    });
    let mut host: [_; HOST] = std::array::from_fn(|_| hdrhistogram());
    group.bench_function(BenchmarkId::new("hdrhistogram", "request_with_host_calls"), |bencher| {
        bencher.iter(|| {
            let times = black_box(with_host_calls(next()));
            fill(&mut phases, &times);
            let values = [times.host.total_ns(), times.total_ns >> 3, times.total_ns >> 5];
            host.iter_mut().zip(values).for_each(|(host, value)| host.saturating_record(value));
        });
    });
    group.finish();
}

/// Requests of one route after the other.
pub(crate) fn many_routes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("histogram");
    let (values, mut at) = (latencies(), 0);
    let mut next = || {
        at = (at + 1) % VALUES;
        (at % ROUTES, values[at])
    };
    let telemetry = ShardTelemetry::new(&labels(ROUTES));
    group.bench_function(BenchmarkId::new("airside", "request of 100 routes"), |bencher| {
        bencher.iter(|| {
            let (route, total_ns) = next();
            record(&telemetry, route, black_box(&request_of(total_ns)));
        });
    });
    let phases = || std::array::from_fn(|_| hdrhistogram());
    let mut routes: Vec<[_; PHASES]> = (0..ROUTES).map(|_| phases()).collect();
    group.bench_function(BenchmarkId::new("hdrhistogram", "request of 100 routes"), |bencher| {
        bencher.iter(|| {
            let (route, total_ns) = next();
            fill(&mut routes[route], black_box(&request_of(total_ns)));
        });
    });
    group.finish();
}

fn with_host_calls(total_ns: u64) -> RequestTimes {
    let mut times = request_of(total_ns);
    times.host.add(Capability::Kvstore, total_ns >> 3);
    times.host.add(Capability::Logger, total_ns >> 5);
    times
}

fn record(telemetry: &ShardTelemetry, route: usize, times: &RequestTimes) {
    telemetry.invocation(route, times.guest_ns.unwrap_or_default() + times.host.total_ns());
    telemetry.request(route, Outcome::Answered, times);
}

fn fill(phases: &mut [Histogram<u64>; PHASES], times: &RequestTimes) {
    let guest_ns = times.guest_ns.unwrap_or_default();
    let write_ns = times.write_ns.unwrap_or_default();
    let values = [times.total_ns, times.queue_ns, guest_ns, write_ns, guest_ns];
    phases.iter_mut().zip(values).for_each(|(phase, value)| phase.saturating_record(value));
}
