//! A function's part of a request: an instance for it, its call, what it asks of its host, and how that is encoded.

use criterion::{criterion_group, criterion_main};

mod bare;
mod call;
mod checkout;
mod host_call;
mod payload;

#[global_allocator]
static ALLOCATOR: bench::Allocator = bench::Allocator;

criterion_group!(
    benches,
    checkout::checkout,
    call::call,
    host_call::in_guest,
    host_call::in_wapc,
    host_call::outside_guest,
    payload::airside,
    payload::prost,
    payload::serde_json
);
criterion_main!(benches);
