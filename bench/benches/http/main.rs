//! HTTP: from a request's bytes to its route, from an answer to a response's bytes, and whole requests over a connection
//! in memory.

use criterion::{criterion_group, criterion_main};

mod chunked;
mod encode;
mod parse;
mod request;
mod route;
mod sniff;

#[global_allocator]
static ALLOCATOR: bench::Allocator = bench::Allocator;

criterion_group!(
    benches,
    parse::parse,
    route::route,
    chunked::chunked,
    sniff::sniff,
    encode::encode,
    request::hello,
    request::head
);
criterion_main!(benches);
