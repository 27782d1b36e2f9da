//! The way down: what is under way ends well, and the process ends in time.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use airside_tests::harness::{Client, Server, Setup, WAIT, poll_until};
use rustix::process::Signal;
use serde_json::json;

use crate::it::load::metric;

/// A server with a guest that runs for this long, and then is ended.
fn server(spin: Duration, grace: Duration) -> Server {
    let keys = json!({ "timeout_ms": u64::try_from(spin.as_millis()).unwrap() });
    Setup::new()
        .guest("hello")
        .guest_with("spin", keys)
        .set("grace_period_ms", grace.as_millis())
        .start()
}

/// A connection whose request is under way.
fn spinning(server: &Server) -> Client {
    let mut client = server.client();
    client.request("GET", "/spin");
    poll_until("the call to run", WAIT, || {
        (metric(server, "airside_instances_in_use", &[("function", "spin")]) == Some(1.0))
            .then_some(())
    });
    client
}

#[test]
fn both_signals_drain() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = server(Duration::from_secs(1), WAIT);
        let mut idle = server.client();
        assert_eq!(idle.get("/hello").status, 200);
        let mut fresh = server.client();
        // Half of a request has come.
        let mut partial = server.client();
        partial.send("GET /hello HTTP/1.1\r\n");
        let mut busy = spinning(&server);
        server.signal(signal);
        // The connections without a request end at once, in silence.
        assert_eq!(idle.rest(), b"", "{signal:?}");
        assert_eq!(fresh.rest(), b"", "{signal:?}");
        partial.send("Host: a\r\n\r\n");
        for (client, status) in [(&mut partial, 200), (&mut busy, 504)] {
            let response = client.receive();
            assert_eq!(response.status, status, "{signal:?}");
            assert!(response.closes(), "{signal:?}: {response:?}");
            assert_eq!(client.rest(), b"", "{signal:?}");
        }
        let status = server.wait();
        assert_eq!(status.code(), Some(0), "{signal:?}: {status}\n{}", server.log());
    }
}

#[test]
fn a_signal_is_heard_as_soon_as_the_server_listens() {
    for _ in 0..20 {
        let mut server = server(Duration::from_secs(1), WAIT);
        server.signal(Signal::TERM);
        let status = server.wait();
        assert_eq!(status.code(), Some(0), "{status}\n{}", server.log());
    }
}

#[test]
fn a_start_that_waits_for_a_back_end_can_be_ended() {
    // It takes connections and never answers.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    silent.set_nonblocking(true).unwrap();
    let setup =
        Setup::new().guest("hello").set("enable_kvstore", true).set("kvstore_type", "redis");
    let setup = setup.set("redis_server", silent.local_addr().unwrap());
    let setup = setup.set("backend_connect_timeout_ms", 120_000);
    let mut server = setup.start_until("a connection", || silent.accept().ok().map(drop));
    let started = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert!(started.elapsed() < WAIT, "{:?}", started.elapsed());
}

#[test]
fn an_idle_server_ends_at_once() {
    let mut server = server(Duration::from_secs(1), WAIT);
    let started = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn no_connection_is_taken_while_draining() {
    let mut server = server(Duration::from_secs(2), WAIT);
    let mut busy = spinning(&server);
    server.signal(Signal::TERM);
    poll_until("refused connections", WAIT, || {
        Client::try_connect(server.address()).is_err().then_some(())
    });
    assert_eq!(busy.receive().status, 504);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn requests_that_came_before_the_signal_are_answered() {
    for _ in 0..10 {
        let mut server = server(Duration::from_secs(1), WAIT);
        // Some are accepted by now, some wait in the kernel's queue.
        let mut clients: Vec<Client> = (0..100)
            .map(|_| {
                let mut client = server.client();
                client.request("GET", "/hello");
                client
            })
            .collect();
        server.signal(Signal::TERM);
        for (number, client) in clients.iter_mut().enumerate() {
            let response = client.try_receive();
            let response = response.unwrap_or_else(|error| panic!("request {number}: {error}"));
            assert_eq!(response.status, 200, "request {number}");
        }
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn the_grace_period_is_the_end() {
    let mut server = server(Duration::from_secs(60), Duration::from_millis(500));
    let mut busy = spinning(&server);
    let started = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(10), "{took:?}");
    assert!(busy.try_receive().is_err());
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut server = server(Duration::from_secs(60), Duration::from_secs(60));
    let mut idle = server.client();
    assert_eq!(idle.get("/hello").status, 200);
    let _busy = spinning(&server);
    let started = Instant::now();
    server.signal(Signal::TERM);
    // It has taken the first one: two at once would be one to the kernel.
    assert_eq!(idle.rest(), b"");
    server.signal(Signal::TERM);
    let status = server.wait();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(!status.success(), "nobody can take this for a good end: {status}");
}

#[test]
fn the_last_lines_are_in_the_log() {
    let server = Setup::new().guest("log").start();
    for number in 0..100 {
        assert_eq!(server.post("/log", format!("line {number}")).text(), "11");
    }
    server.signal(Signal::TERM);
    let mut server = server;
    assert_eq!(server.wait().code(), Some(0));
    poll_until("the last line", WAIT, || server.log().contains("\"line 99\"").then_some(()));
    let lines = (0..100).filter(|n| server.log().contains(&format!("\"line {n}\""))).count();
    assert_eq!(lines, 100);
}
