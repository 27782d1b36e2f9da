//! Whole requests over a connection in memory, the client's part included: what is left of a request
//! when the kernel and its sockets are taken away. hyper answers the same text without a guest, a
//! router or telemetry.

use std::convert::Infallible;

use bench::guests::{HELLO, HELLO_ANSWER};
use bench::reactor;
use bench::requests::WRK;
use bench::shard::LoneShard;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Requests that are sent at once.
const PIPELINED: [usize; 2] = [1, 16];
const RESPONSE_BYTES_MAX: usize = 1024;
const STREAM_BYTES: usize = 64 * 1024;

/// A client that knows how long a response is: from one request to the next only the date changes.
struct Client {
    stream: DuplexStream,
    response: Vec<u8>,
}

impl Client {
    async fn new(mut stream: DuplexStream) -> Client {
        let mut response = vec![0; RESPONSE_BYTES_MAX];
        stream.write_all(WRK).await.expect("the server reads");
        let mut length = 0;
        while !response[..length].ends_with(HELLO_ANSWER) {
            length += stream.read(&mut response[length..]).await.expect("the server answers");
        }
        response.truncate(length);
        Client { stream, response }
    }

    async fn exchange(&mut self, requests: &[u8], responses: &mut [u8]) {
        self.stream.write_all(requests).await.expect("the server reads");
        self.stream.read_exact(responses).await.expect("the server answers");
    }
}

fn airside(criterion: &mut Criterion) {
    let lone = LoneShard::new(HELLO).expect("the guest loads");
    exchange(criterion, "airside", &lone.reactor, lone.connect());
}

fn hyper(criterion: &mut Criterion) {
    let reactor = reactor::build().expect("a reactor");
    let (client, server) = tokio::io::duplex(STREAM_BYTES);
    let answer = service_fn(async |_| {
        let body = Full::new(Bytes::from_static(HELLO_ANSWER));
        Ok::<_, Infallible>(hyper::Response::new(body))
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    let connection = http.pipeline_flush(true).serve_connection(TokioIo::new(server), answer);
    reactor.spawn_local(connection);
    exchange(criterion, "hyper", &reactor, client);
}

fn exchange(
    criterion: &mut Criterion,
    name: &str,
    reactor: &tokio::runtime::LocalRuntime,
    stream: DuplexStream,
) {
    let mut group = criterion.benchmark_group("request");
    let mut client = reactor.block_on(Client::new(stream));
    for pipelined in PIPELINED {
        let requests = WRK.repeat(pipelined);
        let mut responses = client.response.repeat(pipelined);
        group.throughput(Throughput::Elements(pipelined as u64));
        group.bench_function(BenchmarkId::new(name, pipelined), |bencher| {
            bencher.iter_custom(|exchanges| {
                reactor::time(reactor, exchanges, async || {
                    client.exchange(&requests, &mut responses).await;
                })
            });
        });
        assert!(responses.ends_with(HELLO_ANSWER));
    }
    group.finish();
}

criterion_group!(benches, airside, hyper);
criterion_main!(benches);
