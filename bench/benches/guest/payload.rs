//! What a host call's encoding costs: get and set of the memory store with the payload in protobuf and in JSON, beside the
//! same work with prost's owned messages and with serde_json, which is less than what Go's guests count on: keys in any
//! case, bytes that are not UTF-8, line breaks in base64.

use std::borrow::Cow;
use std::hint::black_box;

use airside_capabilities::kv::Kv;
use airside_capabilities::payload::messages::{
    KvStoreGet, KvStoreGetResponse, KvStoreSet, KvStoreSetResponse, Status,
};
use airside_capabilities::{Caller, Operation};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bench::kv::{self, NoFunctions};
use bench::reactor;
use criterion::{BenchmarkId, Criterion};
use prost::Message;
use serde::{Deserialize, Serialize};

pub(crate) fn airside(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("payload");
    let reactor = reactor::build().expect("a reactor");
    let capabilities = kv::capabilities(reactor.block_on(kv::store()).expect("a store"));
    for (name, operation, payload) in [
        ("get, protobuf", Operation::KvGet, kv::get_protobuf()),
        ("get, JSON", Operation::KvGet, kv::get_json()),
        ("set, protobuf", Operation::KvSet, kv::set_protobuf()),
        ("set, JSON", Operation::KvSet, kv::set_json()),
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

pub(crate) fn prost(criterion: &mut Criterion) {
    bench(criterion, "prost", "get, protobuf", &kv::get_protobuf(), get_with_prost);
    bench(criterion, "prost", "set, protobuf", &kv::set_protobuf(), set_with_prost);
}

pub(crate) fn serde_json(criterion: &mut Criterion) {
    bench(criterion, "serde_json", "get, JSON", &kv::get_json(), get_with_serde);
    bench(criterion, "serde_json", "set, JSON", &kv::set_json(), set_with_serde);
}

/// Calls of `call` with a store and a payload. It leaves the answer in the buffer.
fn bench(
    criterion: &mut Criterion,
    library: &str,
    name: &str,
    payload: &[u8],
    call: impl AsyncFn(&Kv, &[u8], &mut Vec<u8>),
) {
    let mut group = criterion.benchmark_group("payload");
    let reactor = reactor::build().expect("a reactor");
    let store = reactor.block_on(kv::store()).expect("a store");
    let mut response = Vec::new();
    group.bench_function(BenchmarkId::new(library, name), |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&reactor, calls, async || {
                response.clear();
                call(&store, black_box(payload), &mut response).await;
            })
        });
    });
    assert!(!response.is_empty());
    group.finish();
}

fn ok() -> Option<Status> {
    Some(Status { code: 200, status: String::from("OK") })
}

async fn get_with_prost(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) {
    let request = KvStoreGet::decode(payload).expect("it is well-formed");
    let read = |data: &[u8]| KvStoreGetResponse { status: ok(), data: data.to_vec() };
    let answer = kv.get(request.key.as_bytes(), read).await.expect("the key is there");
    answer.encode(response).expect("a Vec has room");
}

async fn set_with_prost(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) {
    let request = KvStoreSet::decode(payload).expect("it is well-formed");
    kv.set(request.key.as_bytes(), &request.data).await.expect("the store has room");
    KvStoreSetResponse { status: ok() }.encode(response).expect("a Vec has room");
}

/// A get, or with data a set.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Cow<'a, str>,
}

#[derive(Serialize)]
struct Answer {
    status: AnswerStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

#[derive(Serialize)]
struct AnswerStatus {
    code: u16,
    status: &'static str,
}

const ANSWER_OK: AnswerStatus = AnswerStatus { code: 200, status: "OK" };

async fn get_with_serde(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) {
    let request: Request<'_> = serde_json::from_slice(payload).expect("it is well-formed");
    let read = |data: &[u8]| BASE64_STANDARD.encode(data);
    let data = Some(kv.get(request.key.as_bytes(), read).await.expect("the key is there"));
    serde_json::to_writer(response, &Answer { status: ANSWER_OK, data }).expect("a Vec has room");
}

async fn set_with_serde(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) {
    let request: Request<'_> = serde_json::from_slice(payload).expect("it is well-formed");
    let data = BASE64_STANDARD.decode(request.data.as_bytes()).expect("it is base64");
    kv.set(request.key.as_bytes(), &data).await.expect("the store has room");
    let answer = Answer { status: ANSWER_OK, data: None };
    serde_json::to_writer(response, &answer).expect("a Vec has room");
}
