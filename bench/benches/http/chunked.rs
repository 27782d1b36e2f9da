//! A chunked body of 16 KiB taken apart, in few large chunks and in many small ones.

use std::hint::black_box;

use airside::http::ChunkedDecoder;
use bench::requests::LIMITS;
use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput};

const BODY_BYTES: usize = 16 * 1024;

/// [`BODY_BYTES`] of data in chunks of one size.
fn encoded(chunk_bytes: usize) -> Vec<u8> {
    let chunk =
        [format!("{chunk_bytes:x}\r\n").as_bytes(), &vec![b'x'; chunk_bytes], b"\r\n"].concat();
    [&chunk.repeat(BODY_BYTES / chunk_bytes)[..], b"0\r\n\r\n"].concat()
}

pub(crate) fn chunked(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunked");
    group.throughput(Throughput::Bytes(BODY_BYTES as u64));
    for chunk_bytes in [4096, 64] {
        let input = encoded(chunk_bytes);
        let mut body = BytesMut::with_capacity(BODY_BYTES);
        group.bench_function(BenchmarkId::new("airside", chunk_bytes), |bencher| {
            bencher.iter(|| {
                body.clear();
                let mut decoder = ChunkedDecoder::new();
                decoder.decode(black_box(&input), &mut body, LIMITS.body_bytes_max)
            });
        });
        assert_eq!(body.len(), BODY_BYTES);
    }
    group.finish();
}
