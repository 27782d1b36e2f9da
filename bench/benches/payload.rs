//! What a host call's encoding costs: get and set of the memory store with the payload in protobuf and in JSON, beside
//! the same work with prost's owned messages.

use std::hint::black_box;

use airside_capabilities::kv::Kv;
use airside_capabilities::payload::messages::{
    KvStoreGet, KvStoreGetResponse, KvStoreSet, KvStoreSetResponse, Status,
};
use airside_capabilities::{Caller, Operation};
use bench::kv::{self, DATA, KEY, NoFunctions};
use bench::reactor;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use prost::Message;

/// Base64 of [`DATA`] is this, 33 times, and the rest.
const DATA_BASE64: (&str, &str) = ("eHh4", "eA==");

fn set_request() -> KvStoreSet {
    KvStoreSet { key: String::from(KEY), data: DATA.to_vec() }
}

fn airside(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("payload");
    let reactor = reactor::build().expect("a reactor");
    let capabilities = kv::capabilities(reactor.block_on(kv::store()).expect("a store"));
    let base64 = DATA_BASE64.0.repeat(DATA.len() / 3) + DATA_BASE64.1;
    for (name, operation, payload) in [
        ("get, protobuf", Operation::KvGet, kv::get_request().encode_to_vec()),
        ("get, JSON", Operation::KvGet, format!(r#"{{"key":"{KEY}"}}"#).into_bytes()),
        ("set, protobuf", Operation::KvSet, set_request().encode_to_vec()),
        (
            "set, JSON",
            Operation::KvSet,
            format!(r#"{{"key":"{KEY}","data":"{base64}"}}"#).into_bytes(),
        ),
    ] {
        let mut response = Vec::new();
        group.bench_function(BenchmarkId::new("airside", name), |bencher| {
            bencher.iter_custom(|calls| {
                reactor::time(&reactor, calls, async || {
                    let caller = Caller { function: "bench" };
                    let payload = black_box(&payload);
                    let called =
                        capabilities.call(operation, payload, &caller, &NoFunctions, &mut response);
                    called.await.expect("the store answers");
                })
            });
        });
    }
    group.finish();
}

fn ok() -> Option<Status> {
    Some(Status { code: 200, status: String::from("OK") })
}

async fn get_with_prost(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) {
    let request = KvStoreGet::decode(payload).expect("it is well-formed");
    let read = |data: &[u8]| KvStoreGetResponse { status: ok(), data: data.to_vec() };
    let answer = kv.get(request.key.as_bytes(), read).await.expect("the key is there");
    response.clear();
    answer.encode(response).expect("a Vec has room");
}

async fn set_with_prost(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) {
    let request = KvStoreSet::decode(payload).expect("it is well-formed");
    kv.set(request.key.as_bytes(), &request.data).await.expect("the store has room");
    response.clear();
    KvStoreSetResponse { status: ok() }.encode(response).expect("a Vec has room");
}

fn prost(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("payload");
    let reactor = reactor::build().expect("a reactor");
    let store = reactor.block_on(kv::store()).expect("a store");
    let (get, set) = (kv::get_request().encode_to_vec(), set_request().encode_to_vec());
    let mut response = Vec::new();
    group.bench_function(BenchmarkId::new("prost", "get, protobuf"), |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&reactor, calls, async || {
                get_with_prost(&store, black_box(&get), &mut response).await;
            })
        });
    });
    group.bench_function(BenchmarkId::new("prost", "set, protobuf"), |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&reactor, calls, async || {
                set_with_prost(&store, black_box(&set), &mut response).await;
            })
        });
    });
    group.finish();
}

criterion_group!(benches, airside, prost);
criterion_main!(benches);
