//! Whole requests over a connection in memory, the client's part included: what is left of a request when the kernel and
//! its sockets are taken away. hyper answers the same text without a guest, a router or telemetry.
//!
//! hyper's parser cannot be called alone. What it costs shows in `head`, where no guest runs: a longer head makes no other
//! work than parsing, so what Chrome's request costs more than curl's, for the same target, is the parser's.

use std::convert::Infallible;
use std::future::ready;

use bench::client::Client;
use bench::guests::{HELLO, HELLO_ANSWER};
use bench::reactor;
use bench::requests::{CHROME, CURL, WRK};
use bench::shard::LoneShard;
use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use http_body_util::Full;
use hyper::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::runtime::LocalRuntime;

/// Requests that are sent at once.
const PIPELINED: [usize; 2] = [1, 16];
/// So many that waking the other end costs little of each.
const HEADS_PIPELINED: usize = 16;
const STREAM_BYTES: usize = 64 * 1024;
const NOT_FOUND: &[u8] = b"404 page not found\n";

/// A function's answer, on connections that bring one request at a time and more.
pub(crate) fn hello(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    for pipelined in PIPELINED {
        let lone = LoneShard::new(HELLO).expect("the guest loads");
        let exchange = Exchange { request: WRK, pipelined, body: HELLO_ANSWER };
        let id = BenchmarkId::new("airside", pipelined);
        exchange.bench(&mut group, id, &lone.reactor, lone.connect());

        let reactor = reactor::build().expect("a reactor");
        let stream = hyper(&reactor, StatusCode::OK, HELLO_ANSWER);
        exchange.bench(&mut group, BenchmarkId::new("hyper", pipelined), &reactor, stream);
    }
    group.finish();
}

/// Heads of two lengths for a target that is not found.
pub(crate) fn head(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head");
    for (client, request) in [("curl", CURL), ("Chrome", CHROME)] {
        let lone = LoneShard::new(HELLO).expect("the guest loads");
        let exchange = Exchange { request, pipelined: HEADS_PIPELINED, body: NOT_FOUND };
        let id = BenchmarkId::new("airside", client);
        exchange.bench(&mut group, id, &lone.reactor, lone.connect());

        let reactor = reactor::build().expect("a reactor");
        let stream = hyper(&reactor, StatusCode::NOT_FOUND, NOT_FOUND);
        exchange.bench(&mut group, BenchmarkId::new("hyper", client), &reactor, stream);
    }
    group.finish();
}

/// A connection to a server that answers everything so.
fn hyper(reactor: &LocalRuntime, status: StatusCode, body: &'static [u8]) -> DuplexStream {
    let (client, server) = tokio::io::duplex(STREAM_BYTES);
    let answer = service_fn(move |_| {
        let mut response = hyper::Response::new(Full::new(Bytes::from_static(body)));
        *response.status_mut() = status;
        ready(Ok::<_, Infallible>(response))
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    let connection = http.pipeline_flush(true).serve_connection(TokioIo::new(server), answer);
    reactor.spawn_local(connection);
    client
}

/// The same request, so often at once; `body` ends its response.
struct Exchange {
    request: &'static [u8],
    pipelined: usize,
    body: &'static [u8],
}

impl Exchange {
    fn bench(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        id: BenchmarkId,
        reactor: &LocalRuntime,
        stream: DuplexStream,
    ) {
        let mut client = reactor.block_on(Client::new(stream, self.request, self.body));
        let requests = self.request.repeat(self.pipelined);
        let mut responses = client.response.repeat(self.pipelined);
        group.throughput(Throughput::Elements(self.pipelined as u64));
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|exchanges| {
                reactor::time(reactor, exchanges, async || {
                    client.exchange(&requests, &mut responses).await;
                })
            });
        });
        assert!(responses.ends_with(self.body));
    }
}
