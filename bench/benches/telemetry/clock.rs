//! One read of the clock that all lengths of time are taken from; each request reads it several times.

use std::time::Instant;

use airside::telemetry::clock;
use criterion::Criterion;

pub(crate) fn clock(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("clock");
    group.bench_function("airside", |bencher| bencher.iter(clock::now_ns));
    group.bench_function("std::time::Instant", |bencher| bencher.iter(Instant::now));
    group.finish();
}
