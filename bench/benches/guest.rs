//! A call of a guest on a warm instance, checkout and telemetry included, beside the `wapc` crate on wasmtime-provider
//! with the same guest: its plain host, and its asynchronous one, whose guests can wait as ours can.

use std::hint::black_box;

use bench::guests::{self, ECHO, HELLO, HELLO_ANSWER};
use bench::reactor;
use bench::shard::LoneShard;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use wapc::{WapcHost, WapcHostAsync};
use wasmtime_provider::WasmtimeEngineProviderBuilder;

const OPERATION: &str = airside::guest::HANDLER;
const PAYLOAD: Bytes = Bytes::from_static(&[b'x'; 1024]);

fn guest(criterion: &mut Criterion) {
    call(criterion, "hello", HELLO, Bytes::new(), HELLO_ANSWER);
    call(criterion, "echo 1 KiB", ECHO, PAYLOAD, &PAYLOAD);
}

fn call(criterion: &mut Criterion, name: &str, wat: &str, payload: Bytes, expected: &[u8]) {
    let mut group = criterion.benchmark_group("guest");
    let lone = LoneShard::new(wat).expect("the guest loads");
    lone.reactor.block_on(lone.invoke(payload.clone(), |answer| assert_eq!(answer, expected)));
    group.bench_function(BenchmarkId::new("airside", name), |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&lone.reactor, calls, async || {
                lone.invoke(payload.clone(), |answer| black_box(answer).len()).await;
            })
        });
    });

    let wasm = guests::compile(wat).expect("the guest compiles");
    let provider = WasmtimeEngineProviderBuilder::new().module_bytes(&wasm);
    let engine = provider.build().expect("the guest loads");
    let host = WapcHost::new(Box::new(engine), None).expect("the guest starts");
    assert_eq!(host.call(OPERATION, &payload).expect("the guest answers"), expected);
    group.bench_function(BenchmarkId::new("wapc", name), |bencher| {
        bencher.iter(|| host.call(OPERATION, &payload).expect("the guest answers"));
    });

    let engine = provider.build_async().expect("the guest loads");
    let host = lone.reactor.block_on(WapcHostAsync::new(Box::new(engine), None));
    let host = host.expect("the guest starts");
    group.bench_function(BenchmarkId::new("wapc async", name), |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&lone.reactor, calls, async || {
                host.call(OPERATION, &payload).await.expect("the guest answers");
            })
        });
    });
    group.finish();
}

criterion_group!(benches, guest);
criterion_main!(benches);
