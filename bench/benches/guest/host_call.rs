//! Host calls of each kind that never waits, from the outside in: in a whole invocation, within a guest (which asks many
//! times, so that the invocation around them does not count), in the capabilities alone, and a get of the store alone.

use std::hint::black_box;

use airside_capabilities::{Caller, HostCall};
use bench::guests::{self, HELLO, host_call};
use bench::kv::{self, DATA, KEY, NoFunctions};
use bench::operations::{self, HostOperation};
use bench::reactor;
use bench::shard::LoneShard;
use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

/// So few that the guest is done within its first turn, also where it calls functions and nothing is optimised: a guest that
/// outlives that takes turns with others.
const MANY: u32 = 200;
/// How the calls are made, and how many in one invocation.
const WAYS: [(&str, u32); 2] = [("invocation with one", 1), ("within a guest", MANY)];

pub(crate) fn in_guest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host_call");
    let mut kinds = operations::all();
    kinds.push(operations::function());
    for kind in &kinds {
        for (way, calls) in WAYS {
            // Only a get is worth a look from outside: the others are as far from it as within a guest.
            if calls == MANY || kind.name == "kv get, protobuf" {
                invoke(&mut group, way, calls, kind);
            }
        }
    }
    group.finish();
}

fn invoke(group: &mut BenchmarkGroup<'_, WallTime>, way: &str, calls: u32, kind: &HostOperation) {
    let guest = host_call(kind.capability, kind.operation, calls);
    let lone = LoneShard::with_callee(&guest, HELLO).expect("the guests load");
    let payload = Bytes::copy_from_slice(&kind.payload);
    let check = |answer: &[u8]| assert!(answer.starts_with(kind.answer), "{}", kind.name);
    lone.reactor.block_on(lone.invoke(payload.clone(), check));
    group.throughput(Throughput::Elements(u64::from(calls)));
    group.bench_function(BenchmarkId::new(way, kind.name), |bencher| {
        bencher.iter_custom(|invocations| {
            reactor::time(&lone.reactor, invocations, async || {
                lone.invoke(payload.clone(), |answer| black_box(answer).len()).await;
            })
        });
    });
}

/// The host of the `wapc` crate, with a store that has its one answer at hand: only what the host itself costs.
pub(crate) fn in_wapc(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host_call");
    let payload = kv::get_protobuf();
    for (way, calls) in WAYS {
        let wasm = guests::compile(&host_call("kvstore", "get", calls));
        let wasm = wasm.expect("the guest compiles");
        let engine = WasmtimeEngineProviderBuilder::new().module_bytes(&wasm).build();
        let answer = |_, _: &str, _: &str, _: &str, _: &[u8]| Ok(DATA.to_vec());
        let host =
            WapcHost::new(Box::new(engine.expect("the guest loads")), Some(Box::new(answer)))
                .expect("the guest starts");
        group.throughput(Throughput::Elements(u64::from(calls)));
        group.bench_function(BenchmarkId::new("wapc", way), |bencher| {
            bencher.iter(|| host.call(airside::guest::HANDLER, &payload).expect("it answers"));
        });
    }
    group.finish();
}

pub(crate) fn outside_guest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host_call");
    let reactor = reactor::build().expect("a reactor");
    let store = reactor.block_on(kv::store()).expect("the store takes a key");
    let capabilities = kv::capabilities(store.clone());
    let caller = Caller { function: "bench" };
    let mut response = Vec::new();
    for kind in operations::all() {
        let named = HostCall {
            namespace: b"tarmac",
            capability: kind.capability.as_bytes(),
            operation: kind.operation.as_bytes(),
        };
        group.bench_function(BenchmarkId::new("capabilities", kind.name), |bencher| {
            bencher.iter_custom(|calls| {
                reactor::time(&reactor, calls, async || {
                    let Ok(operation) = capabilities.resolve(black_box(named)) else { return };
                    let payload = black_box(&kind.payload);
                    response.clear();
                    let called =
                        capabilities.call(operation, payload, &caller, &NoFunctions, &mut response);
                    called.await.expect("the host answers");
                })
            });
        });
    }
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
