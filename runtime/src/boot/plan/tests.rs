//! A shard over streams in memory: what no client can cause from outside.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::runtime::{Builder, LocalOptions};

use super::*;
use crate::config::Demo;
use crate::guest::artifact::ArtifactCache;
use crate::guest::engine;
use crate::guest::epoch::EpochTicker;
use crate::guest::prepare;
use crate::log::{Format, Options};
use crate::net::balance;
use crate::telemetry::{Collected, ConnectionEvent, ShardRecord};
use crate::{admin, log};

const TARMAC_JSON: &str = r#"{"services":{"s":{"name":"s","functions":{"f":{"filepath":"f"}},
    "routes":[{"type":"http","path":"/f","methods":["GET"],"function":"f"}]}}}"#;
const PEER: ([u8; 4], u16) = ([127, 0, 0, 1], 1);

/// A connection whose task panics as soon as it runs.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        panic!("this stream is broken")
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// A shard with one function, `GET /f`, that answers nothing.
async fn shard(environment: &[(&str, &str)]) -> (Rc<Shard>, Arc<Labels>, EpochTicker) {
    let wasm = wat::parse_str(
        "(module (memory (export \"memory\") 1)
           (func (export \"__guest_call\") (param i32 i32) (result i32) (i32.const 1)))",
    );
    let modules: &'static [(&str, &[u8])] = Box::leak(Box::new([("f", &*wasm.unwrap().leak())]));
    let dir = tempfile::tempdir().unwrap();
    let kv_path = PathBuf::new();
    let demo = Demo { tarmac_json: TARMAC_JSON, modules, listen: None, kv_path };
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    let no_store = [(String::from("APP_ENABLE_KVSTORE"), String::from("false"))];
    let config = Config::demo(environment.chain(no_store), &demo).unwrap();
    let (cache, _) = ArtifactCache::open(dir.path()).unwrap();
    let definitions: Vec<_> =
        config.functions.iter().map(|f| super::super::definition(&config, f)).collect();
    let prepared = prepare::prepare(&definitions, &cache, 1, 1).unwrap();
    let engine = engine::shard(prepared.pool).unwrap();
    let ticker = EpochTicker::start(vec![engine.clone()]).unwrap();
    let (log, _) = log::open(Options { least: None, format: Format::Json });
    let router = Router::build(&config.routes).unwrap();
    let backends = Backends::new(&config, 1, &log).unwrap();
    let plan = Plan::new(&config, prepared.functions, router, backends, log, admin::queue().0);
    let (seat, _) = balance::seats(1).pop().unwrap();
    let shard = plan.build(&engine, ticker.handle(0).unwrap(), seat).await.unwrap();
    (shard, plan.labels, ticker)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    runtime.unwrap().block_on(test);
}

/// Sends a request over a new connection of the shard and gives back all of the answer.
async fn ask(shard: &Rc<Shard>) -> String {
    let (mut client, server) = tokio::io::duplex(1024);
    shard.admit(server, SocketAddr::from(PEER));
    client.write_all(b"GET /f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

#[test]
fn a_panic_ends_its_connection_only() {
    run(async {
        let (shard, labels, _ticker) = shard(&[]).await;
        let (mut open, server) = tokio::io::duplex(1024);
        shard.admit(server, SocketAddr::from(PEER));
        shard.admit(Broken, SocketAddr::from(PEER));
        assert!(ask(&shard).await.starts_with("HTTP/1.1 200 OK\r\n"));
        open.write_all(b"GET /f HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        open.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        drop(open);
        while shard.seat.open() > 0 {
            tokio::task::yield_now().await;
        }
        let mut collected = Collected::new(Arc::clone(&labels), 1);
        collected.add(0, shard.telemetry.swap(ShardRecord::new(&labels)));
        let connections = collected.connections();
        assert_eq!(connections.events(ConnectionEvent::Panicked), 1);
        assert_eq!((connections.events(ConnectionEvent::Accepted), connections.open()), (3, 0));
    });
}

#[test]
fn connections_over_the_cap_are_told_so() {
    run(async {
        let (shard, _labels, _ticker) = shard(&[("APP_HTTP_CONNECTIONS_MAX", "1")]).await;
        let (_open, server) = tokio::io::duplex(1024);
        shard.admit(server, SocketAddr::from(PEER));
        let answer = ask(&shard).await;
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
        assert!(answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
    });
}
