//! One `kvstore/get` of the memory store from the outside in: in a whole invocation, within a guest (which asks many
//! times, so that the invocation around them does not count), in the capabilities alone, and of the store alone.

use std::hint::black_box;

use airside_capabilities::{Caller, HostCall};
use bench::guests::{self, kv_get};
use bench::kv::{self, DATA, KEY, NoFunctions};
use bench::reactor;
use bench::shard::LoneShard;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

const GET: HostCall<'_> =
    HostCall { namespace: b"tarmac", capability: b"kvstore", operation: b"get" };
const MANY: u32 = 1000;

fn in_guest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host_call");
    let payload = Bytes::from(kv::get_request().encode_to_vec());
    for (name, gets) in [("invocation with one", 1), ("within a guest", MANY)] {
        let lone = LoneShard::new(&kv_get(gets)).expect("the guest loads");
        let gets = u64::from(gets);
        group.throughput(Throughput::Elements(gets));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| {
                reactor::time(&lone.reactor, calls, async || {
                    lone.invoke(payload.clone(), |answer| assert!(answer.len() > DATA.len())).await;
                })
            });
        });
    }
    group.finish();
}

fn in_wapc(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host_call");
    let payload = kv::get_request().encode_to_vec();
    for (name, gets) in [("wapc, invocation with one", 1), ("wapc, within a guest", MANY)] {
        let wasm = guests::compile(&kv_get(gets)).expect("the guest compiles");
        let engine = WasmtimeEngineProviderBuilder::new().module_bytes(&wasm).build();
        // No store: only what the host itself costs.
        let answer = |_, _: &str, _: &str, _: &str, _: &[u8]| Ok(DATA.to_vec());
        let host =
            WapcHost::new(Box::new(engine.expect("the guest loads")), Some(Box::new(answer)))
                .expect("the guest starts");
        group.throughput(Throughput::Elements(u64::from(gets)));
        group.bench_function(name, |bencher| {
            bencher.iter(|| host.call(airside::guest::HANDLER, &payload).expect("it answers"));
        });
    }
    group.finish();
}

fn outside_guest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host_call");
    let reactor = reactor::build().expect("a reactor");
    let store = reactor.block_on(kv::store()).expect("the store takes a key");
    let capabilities = kv::capabilities(store.clone());
    let payload = kv::get_request().encode_to_vec();
    let caller = Caller { function: "bench" };
    let mut response = Vec::new();
    group.bench_function("capabilities", |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&reactor, calls, async || {
                let operation = capabilities.resolve(black_box(GET)).expect("it is known");
                let payload = black_box(&payload);
                let called =
                    capabilities.call(operation, payload, &caller, &NoFunctions, &mut response);
                called.await.expect("the key is there");
            })
        });
    });
    group.bench_function("store", |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&reactor, calls, async || {
                let found = store.get(black_box(KEY.as_bytes()), |data| black_box(data).len());
                found.await.expect("the key is there");
            })
        });
    });
    group.finish();
}

criterion_group!(benches, in_guest, in_wapc, outside_guest);
criterion_main!(benches);
