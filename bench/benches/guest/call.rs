//! A call of a guest on a warm instance, checkout and telemetry included, beside wasmtime with nothing around it, and
//! beside the `wapc` crate on wasmtime-provider: its plain host, and its asynchronous one, whose guests can wait as ours can.

use std::hint::black_box;

use bench::guests::{self, ECHO, HELLO, HELLO_ANSWER};
use bench::reactor;
use bench::shard::LoneShard;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion};
use wapc::{WapcHost, WapcHostAsync};
use wasmtime_provider::WasmtimeEngineProviderBuilder;

use crate::bare::Bare;

const OPERATION: &str = airside::guest::HANDLER;
const PAYLOAD: Bytes = Bytes::from_static(&[b'x'; 1024]);

pub(crate) fn call(criterion: &mut Criterion) {
    of(criterion, "hello", HELLO, Bytes::new(), HELLO_ANSWER);
    of(criterion, "echo 1 KiB", ECHO, PAYLOAD, &PAYLOAD);
}

fn of(criterion: &mut Criterion, name: &str, wat: &str, payload: Bytes, expected: &[u8]) {
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

    let bare = lone.reactor.block_on(Bare::new(wat));
    let mut bare = bare.expect("the guest starts");
    group.bench_function(BenchmarkId::new("wasmtime", name), |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&lone.reactor, calls, async || {
                black_box(bare.call(payload.clone()).await.expect("the guest answers").len());
            })
        });
    });
    let answer = lone.reactor.block_on(bare.call(payload.clone()));
    assert_eq!(answer.expect("the guest answers"), expected);

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
