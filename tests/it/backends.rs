//! That the harness keeps its word: the servers answer their own clients, can be frozen and started again, and are gone when
//! the test process is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use airside_tests::harness::services::{
    Backend, Cassandra, Certificates, MariaDb, Nats, Nginx, Postgres, Redis, Sentinels,
};
use airside_tests::harness::{Client, Proxy, Traffic, WAIT, poll_until, root};

/// What Redis says to PING; none if it says nothing, or nothing in time.
fn ping(address: SocketAddr, patience: Duration) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.write_all(b"PING\r\n").ok()?;
    let mut answer = [0; 64];
    let count = stream.read(&mut answer).ok()?;
    (count > 0).then(|| String::from_utf8_lossy(&answer[..count]).into_owned())
}

const PONG: &str = "+PONG\r\n";
/// Far more than an answer over loopback takes.
const A_WHILE: Duration = Duration::from_millis(300);

#[test]
fn redis_is_what_its_settings_say() {
    for redis in [Redis::start(), Redis::with_password(), Redis::with_tls()] {
        assert_eq!(redis.client(&["set", "k", "v"]), "OK", "{redis:?}");
        assert_eq!(redis.client(&["get", "k"]), "v", "{redis:?}");
    }
    let redis = Redis::with_password();
    let answer = ping(redis.daemon().address(), WAIT).unwrap();
    assert!(answer.starts_with("-NOAUTH"), "{answer}");
}

#[test]
fn a_server_can_be_frozen_killed_and_started_again() {
    let redis = Redis::start();
    let daemon = redis.daemon();
    daemon.freeze();
    assert_eq!(ping(daemon.address(), A_WHILE), None, "it is frozen");
    daemon.thaw();
    assert_eq!(ping(daemon.address(), WAIT).as_deref(), Some(PONG));
    daemon.kill();
    assert!(TcpStream::connect(daemon.address()).is_err(), "it is gone");
    daemon.restart();
    assert_eq!(ping(daemon.address(), WAIT).as_deref(), Some(PONG));
    daemon.stop();
    assert!(TcpStream::connect(daemon.address()).is_err(), "it is gone");
}

#[test]
fn a_replica_takes_over() {
    let redis = Sentinels::start();
    assert_eq!(redis.master_port(), redis.master.port());
    redis.master.kill();
    poll_until("the failover", WAIT, || {
        (redis.master_port() == redis.replica.port()).then_some(())
    });
}

#[test]
fn sql_servers_take_clients() {
    assert_eq!(Postgres::shared().client("app", "select 1 + 1"), "2");
    assert_eq!(MariaDb::shared().client("app", "select 1 + 1"), "2");
}

#[test]
fn a_frozen_postgres_does_not_answer_on_connections_that_it_has() {
    let postgres = Postgres::start();
    let address = postgres.daemon().address();
    // Of a process that serves this connection alone: a byte for a TLS question says that it is at work.
    let question = [0, 0, 0, 8, 4, 210, 22, 47];
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(A_WHILE)).unwrap();
    poll_until("its process", WAIT, || (postgres.client("app", "select 1") == "1").then_some(()));
    postgres.daemon().freeze();
    stream.write_all(&question).unwrap();
    let mut answer = [0; 1];
    assert!(stream.read(&mut answer).is_err(), "it is frozen");
    postgres.daemon().thaw();
    stream.set_read_timeout(Some(WAIT)).unwrap();
    assert_eq!((stream.read(&mut answer).unwrap(), answer), (1, *b"S"));
}

#[test]
fn data_survives_a_restart() {
    let postgres = Postgres::start();
    postgres.client("app", "create table t (n int); insert into t values (7)");
    postgres.daemon().stop();
    postgres.daemon().restart();
    assert_eq!(postgres.client("app", "select n from t"), "7");
}

#[test]
fn the_other_servers_start() {
    for nats in [Nats::start(), Nats::with_tls()] {
        let mut stream = TcpStream::connect(nats.daemon().address()).unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let mut hello = [0; 4];
        stream.read_exact(&mut hello).unwrap();
        assert_eq!(&hello, b"INFO", "{nats:?}");
    }
    assert!(TcpStream::connect(Cassandra::shared().daemon().address()).is_ok());
    let nginx = Nginx::shared();
    nginx.file("ten", b"0123456789");
    let mut client = Client::connect(nginx.daemon().address());
    assert_eq!(client.get("/files/ten").text(), "0123456789");
    assert_eq!(client.post("/echo", "said").text(), "said");
    assert_eq!(client.get("/status/404").status, 404);
}

#[test]
fn certificates_are_for_who_asks_for_them() {
    let certificates = Certificates::shared();
    let nginx = Nginx::shared();
    let ask = |authority: &str| {
        let output = Command::new("curl")
            .args(["--silent", "--cacert", authority, &nginx.url_over_tls("/")])
            .output();
        String::from_utf8(output.expect("curl is there").stdout).unwrap()
    };
    assert_eq!(ask(&certificates.authority()), "GET / HTTP/2.0");
    assert_eq!(ask(&certificates.other_authority()), "");
}

#[test]
fn a_proxy_is_a_network_that_misbehaves() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.daemon().address());
    let pong = |patience| ping(proxy.address(), patience);
    assert_eq!(pong(WAIT).as_deref(), Some(PONG));
    proxy.set(Traffic::Slow(A_WHILE));
    let asked = Instant::now();
    assert_eq!(pong(WAIT).as_deref(), Some(PONG));
    assert!(asked.elapsed() >= A_WHILE);
    proxy.set(Traffic::Stalls);
    assert_eq!(pong(A_WHILE), None);
    proxy.set(Traffic::Refused);
    assert_eq!(pong(WAIT), None);
    proxy.set(Traffic::Flows);
    assert_eq!(pong(WAIT).as_deref(), Some(PONG));
}

#[test]
fn a_proxy_ends_connections_in_two_ways() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.daemon().address());
    let connected = || {
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        stream.write_all(b"PING\r\n").unwrap();
        stream.read_exact(&mut [0; PONG.len()]).unwrap();
        stream
    };
    let mut stream = connected();
    proxy.cut();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    let mut stream = connected();
    proxy.reset();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn what_a_killed_test_process_leaves_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("server");
    std::fs::create_dir(&started).unwrap();
    // A server with a child, and the process that holds the keeper's input in the place of the tests.
    let mut server = Command::new("sh");
    let mut server = server.args(["-c", "sleep 600 & wait"]).process_group(0).spawn().unwrap();
    let mut keeper = Command::new(root().join("tests/services/keeper.sh"));
    let mut keeper = keeper.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = keeper.stdin.take().unwrap();
    writeln!(input, "{} {}", server.id(), started.display()).unwrap();
    drop(input);
    assert!(keeper.wait().unwrap().success());
    assert!(!server.wait().unwrap().success(), "it was killed");
    assert!(!started.exists());
    assert!(folder.path().exists(), "nothing else is removed");
}
