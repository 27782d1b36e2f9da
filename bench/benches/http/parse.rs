//! A request's head from bytes. httparse, which ours stands on for the fields, checks only the syntax;
//! ours also decides target, framing and keep-alive, and refuses what two servers may read in two ways. hyper's parser is
//! not public: see `request.rs`.

use std::hint::black_box;

use airside::http::{Parsed, parse_head};
use bench::requests::{CHROME, CURL, LIMITS, WRK};
use criterion::{BenchmarkId, Criterion};

const HEADERS_MAX: usize = 32;

pub(crate) fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (client, request) in [("wrk", WRK), ("curl", CURL), ("Chrome", CHROME)] {
        assert!(matches!(parse_head(request, &LIMITS), Ok(Parsed::Complete(_))), "{client}");
        group.bench_function(BenchmarkId::new("airside", client), |bencher| {
            bencher.iter(|| parse_head(black_box(request), &LIMITS));
        });
        group.bench_function(BenchmarkId::new("httparse", client), |bencher| {
            bencher.iter(|| {
                let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
                let mut parsed = httparse::Request::new(&mut headers);
                let status = parsed.parse(black_box(request));
                black_box(&parsed);
                status
            });
        });
    }
    group.finish();
}
