//! What the control thread does each second with the record of one shard: adds it to the totals and to the interval. Of a
//! thousand functions, all or none had 100 requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use airside::telemetry::{Collected, Outcome, ShardTelemetry};
use criterion::{BenchmarkId, Criterion};

use crate::labels::labels;
use crate::latencies::{latencies, request_of};

const FUNCTIONS: usize = 1_000;
/// A round is a millisecond and more.
const SAMPLES: usize = 10;

pub(crate) fn collect(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("collect");
    group.sample_size(SAMPLES);
    let values = latencies();
    for (name, requests) in [("idle", 0), ("busy", 100)] {
        let labels = Arc::new(labels(FUNCTIONS));
        let telemetry = ShardTelemetry::new(&labels);
        let mut collected = Collected::new(Arc::clone(&labels), 1);
        let fill = || {
            for route in 0..FUNCTIONS {
                for total_ns in &values[..requests] {
                    telemetry.request(route, Outcome::Answered, &request_of(*total_ns));
                }
            }
        };
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
