//! What it costs to know how long requests take: the clock, the histograms, and their collection.

use criterion::{criterion_group, criterion_main};

mod clock;
mod collect;
mod histogram;
mod labels;
mod latencies;
mod record;

#[global_allocator]
static ALLOCATOR: bench::Allocator = bench::Allocator;

criterion_group!(
    benches,
    clock::clock,
    histogram::value,
    record::request,
    record::many_routes,
    collect::collect
);
criterion_main!(benches);
