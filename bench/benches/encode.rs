//! A response's head into the connection's buffer, the cached `Date` line included.

use std::hint::black_box;

use airside::http::{DateCache, Encoder, ResponseHead, Status, Version};
use airside::telemetry::clock;
use criterion::{Criterion, criterion_group, criterion_main};

const OK: ResponseHead<'_> = ResponseHead {
    status: Status::OK,
    content_type: Some("text/plain; charset=utf-8"),
    content_length: Some(13),
    chunked: false,
    extra: &[],
    keep_alive: true,
    version: Version::Http11,
};

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    let encoder = Encoder::new("airside");
    let not_found = ResponseHead { status: Status::NOT_FOUND, keep_alive: false, ..OK };
    let moved = ResponseHead {
        status: Status::PERMANENT_REDIRECT,
        extra: &[("Location", "/users/42?verbose=1")],
        ..OK
    };
    for (name, head) in [("200", OK), ("404, close", not_found), ("308, Location", moved)] {
        let (mut date, mut output) = (DateCache::new(), Vec::new());
        let now_ns = clock::now_ns();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                output.clear();
                encoder.head(&mut output, date.line(black_box(now_ns)), black_box(&head));
                output.len()
            });
        });
        assert!(output.ends_with(b"\r\n\r\n"));
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
