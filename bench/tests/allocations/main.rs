//! What a request takes from the heap, from its bytes to the bytes of its answer, on a warm shard. A count is exact,
//! however slow the machine is, so each kind of request may take what it takes today and no more.
//!
//! `cargo test -p bench --test allocations -- --nocapture` says where.

mod counting;

use bench::client::Client;
use bench::guests::{ECHO, HELLO, HELLO_ANSWER, host_call};
use bench::kv;
use bench::requests::WRK;
use bench::shard::LoneShard;
use counting::{Counting, Site, Taken};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Buffers have grown and histograms have most of their bins after so many.
const WARM_UP: usize = 2000;
/// Few of these are the first to need a bin of some histogram, which is then made: the median is of those that are not.
const COUNTED: usize = 101;

fn post(body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Sends the same request again and again; `body` is the end of its response.
fn check(name: &str, guest: &str, request: &[u8], body: &[u8], most: Taken) {
    let lone = LoneShard::new(guest).expect("the guest loads");
    let stream = lone.connect();
    let (median, sites) = lone.reactor.block_on(async {
        let mut client = Client::new(stream, request, body).await;
        let mut response = client.response.clone();
        for _ in 0..WARM_UP {
            client.exchange(request, &mut response).await;
        }
        let mut counts = Vec::with_capacity(COUNTED);
        for _ in 0..COUNTED {
            counts.push(counting::count(client.exchange(request, &mut response)).await);
        }
        assert!(response.ends_with(body), "{name}");
        counts.sort_unstable();
        (counts[COUNTED / 2], counting::trace(client.exchange(request, &mut response)).await)
    });
    eprintln!("{name}: {} times, {} bytes", median.times, median.bytes);
    sites.iter().for_each(show);
    assert!(median.times <= most.times && median.bytes <= most.bytes, "{name}: {median:?}");
}

/// What of a trace is the allocator's and the standard library's.
const BELOW: [&str; 3] = ["/rustc/", "tests/allocations/", "/wasmtime-internal-core-"];
/// Crates lie in a folder of the registry in there.
const REGISTRY: &str = "/registry/src/";
const PLACES_SHOWN: usize = 4;

/// How much, and in which lines, the innermost first.
fn show(site: &Site) {
    let calls = site.calls.to_string();
    let places = calls.lines().filter_map(|line| line.trim_start().strip_prefix("at "));
    let places = places.filter(|place| !BELOW.iter().any(|below| place.contains(below)));
    let in_crate = |place: &'_ str| match place.split_once(REGISTRY) {
        Some((_, place)) => place.split_once('/').map_or(place, |(_, place)| place).to_owned(),
        None => place.to_owned(),
    };
    let places: Vec<String> = places.take(PLACES_SHOWN).map(in_crate).collect();
    eprintln!("  {} bytes: {}", site.bytes, places.join(", "));
}

/// wasmtime boxes the closure that runs on a guest's fiber, and the future of a host call that may wait. The router makes
/// the other spelling of a path that it does not find.
#[test]
fn a_request_takes_no_more_than_it_did() {
    let fiber = Taken { times: 1, bytes: 32 };
    check("hello", HELLO, WRK, HELLO_ANSWER, fiber);
    let payload = [b'x'; 1024];
    check("echo of 1 KiB", ECHO, &post(&payload), &payload, fiber);
    let get = host_call("kvstore", "get", 1);
    let fiber_and_call = Taken { times: 2, bytes: 104 };
    check("kv get", &get, &post(&kv::get_protobuf()), kv::DATA, fiber_and_call);
    let not_found = b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let spelling = Taken { times: 1, bytes: "/favicon.ico/".len() as u64 };
    check("404", HELLO, not_found, b"404 page not found\n", spelling);
}
