//! A link to a real TCP server that answers bytes, goes away, freezes and comes back.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use super::{ConnectError, Driver, Link};
use crate::backend::tests::Lines;
use crate::backend::{Backend, BackendTimes, FailureKind, ShardBackend};

/// Longer than any wait here should take.
const WAIT: Duration = Duration::from_secs(20);

/// One byte there, the same byte back.
struct Echo {
    address: SocketAddr,
    refuse: bool,
}

/// One call at a time, and a sign for those that wait.
struct Wire {
    stream: Mutex<TcpStream>,
    closed: Notify,
}

impl Wire {
    /// Sends nothing and waits for an answer nevertheless.
    async fn listen(&self) -> Result<(), (FailureKind, String)> {
        let mut stream = self.stream.lock().await;
        tokio::select! {
            read = stream.read_u8() => {
                read.map(|_| ()).map_err(|error| (FailureKind::Connection, error.to_string()))
            }
            () = self.closed.notified() => Err((FailureKind::Connection, String::from("closed"))),
        }
    }

    async fn ask(&self) -> Result<(), (FailureKind, String)> {
        let mut stream = self.stream.lock().await;
        let fail = |error: std::io::Error| (FailureKind::Connection, error.to_string());
        stream.write_all(b"x").await.map_err(fail)?;
        stream.read_u8().await.map(|_| ()).map_err(fail)
    }
}

impl Driver for Echo {
    type Connection = Wire;

    async fn connect(&self) -> Result<Self::Connection, ConnectError> {
        if self.refuse {
            return Err(ConnectError::Refused(String::from("wrong password")));
        }
        let stream = TcpStream::connect(self.address).await;
        stream
            .map(|stream| Wire { stream: Mutex::new(stream), closed: Notify::new() })
            .map_err(|error| ConnectError::Unreachable(error.to_string()))
    }

    async fn probe(&self, connection: &Wire) -> Result<(), String> {
        connection.ask().await.map_err(|(_, reason)| reason)
    }

    fn close(&self, connection: &Wire) {
        connection.closed.notify_waiters();
    }
}

/// An echo server; aborting the task closes its connections.
fn serve(listener: TcpListener) -> JoinHandle<()> {
    spawn_local(async move {
        let streams = RefCell::new(tokio::task::JoinSet::new());
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            streams.borrow_mut().spawn_local(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    })
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let polled = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(WAIT, polled).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

fn backend() -> (Arc<Backend>, Arc<Lines>) {
    let lines = Arc::new(Lines::default());
    (Backend::new("echo", "here", 1, Arc::clone(&lines) as _), lines)
}

fn times(start: Duration) -> BackendTimes {
    BackendTimes { connect: WAIT, call: Duration::from_millis(50), start }
}

#[test]
fn a_lost_connection_is_made_again_and_calls_fail_at_once_meanwhile() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = serve(listener);
        let (backend, lines) = backend();
        let shard = ShardBackend::new(&backend);
        let link = Link::open(Echo { address, refuse: false }, shard, times(WAIT)).await.unwrap();
        assert_eq!(backend.health(), Ok(()));

        server.abort();
        until("the server's end", || server.is_finished()).await;
        // Whoever comes first finds out, the call or the link's own probe.
        let first = link.call(Wire::ask).await.unwrap_err().kind;
        assert!(matches!(first, FailureKind::Connection | FailureKind::Unavailable), "{first:?}");
        until("the loss noticed", || link.connection().is_err()).await;
        assert_eq!(link.call(Wire::ask).await.unwrap_err().kind, FailureKind::Unavailable);

        let _server = serve(TcpListener::bind(address).await.unwrap());
        until("the return", || backend.health().is_ok()).await;
        assert_eq!(link.call(Wire::ask).await, Ok(()));
        assert_eq!(link.backend().counts().reconnects, 1);
        assert_eq!(lines.all().len(), 3, "{:?}", lines.all());
    });
}

#[test]
fn a_frozen_server_times_calls_out_and_then_counts_as_down() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody accepts: the kernel's handshake succeeds and nothing is ever answered.
        let (backend, _) = backend();
        let shard = ShardBackend::new(&backend);
        let link = Link::open(Echo { address, refuse: false }, shard, times(WAIT)).await.unwrap();
        let error = link.call(Wire::listen).await.unwrap_err();
        assert_eq!(error.to_string(), "echo at here: no answer within 50 ms");
        until("the outage", || backend.health().is_err()).await;
        drop(listener);
    });
}

#[test]
fn calls_under_way_end_with_a_connection_that_is_lost() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (backend, _) = backend();
        let shard = ShardBackend::new(&backend);
        let patient = BackendTimes { call: WAIT, ..times(WAIT) };
        let link = Link::open(Echo { address, refuse: false }, shard, patient).await.unwrap();
        // The probe waits for the lock that this call holds, as it would behind a long answer.
        let error = link.call(Wire::listen).await.unwrap_err();
        assert_eq!(error.kind, FailureKind::Connection);
        assert_eq!(&*error.reason, "no answer to a probe within 2000 ms");
        assert!(backend.health().is_err());
        drop(listener);
    });
}

#[test]
fn a_probe_that_waits_behind_answered_calls_has_not_failed() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (backend, _) = backend();
        let shard = ShardBackend::new(&backend);
        let link = Link::open(Echo { address, refuse: false }, shard, times(WAIT)).await.unwrap();
        // Longer than it takes to lose a connection that answers nothing.
        let end = tokio::time::Instant::now() + super::PROBE_EVERY + super::PROBE_MAX;
        let end = end + Duration::from_millis(500);
        while tokio::time::Instant::now() < end {
            link.call(async |_| Ok(())).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert_eq!(backend.health(), Ok(()));
        }
        drop(listener);
    });
}

#[test]
fn who_refuses_us_ends_the_start() {
    run(async {
        let (backend, _) = backend();
        let driver = Echo { address: SocketAddr::from(([127, 0, 0, 1], 1)), refuse: true };
        let refused = Link::open(driver, ShardBackend::new(&backend), times(WAIT)).await;
        assert_eq!(refused.unwrap_err().to_string(), "echo at here: wrong password");
    });
}

#[test]
fn who_is_never_reached_is_given_up() {
    run(async {
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (backend, lines) = backend();
        let driver = Echo { address: unused, refuse: false };
        let start = Duration::from_millis(100);
        let _link = Link::open(driver, ShardBackend::new(&backend), times(start)).await.unwrap();
        let error = tokio::time::timeout(WAIT, backend.given_up()).await.unwrap();
        assert!(error.to_string().contains("refused"), "{error}");
        assert_eq!(lines.all().len(), 1, "{:?}", lines.all());
    });
}
