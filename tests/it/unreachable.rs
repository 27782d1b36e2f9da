//! Back ends that are not there when the server starts: it serves, says that it is not ready, and gives up in the end.

use std::net::{Ipv4Addr, TcpListener};

use airside_tests::harness::services::{Backend, Cassandra, Nats, Sentinels};
use airside_tests::harness::{Server, Setup, WAIT, parse_metrics, poll_until};

use crate::it::load::{call, kv_key};
use crate::it::wire::set;

/// A port of this machine on which nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Far longer than a test takes.
const PATIENT_MS: u32 = 600_000;

fn redis(server: &str) -> Setup {
    let setup = Setup::new().guest("hello").guest("call").set("enable_kvstore", true);
    setup.set("kvstore_type", "redis").set("redis_server", server)
}

/// What `/ready` says, which must be that the server is not.
#[track_caller]
fn not_ready(server: &Server) -> String {
    let response = server.get("/ready");
    assert_eq!(response.status, 503, "{}", response.text());
    response.text()
}

/// The lines of the log that tell of the back end.
fn lines_about(server: &Server, target: &str) -> Vec<String> {
    let log = server.log();
    log.lines().filter(|line| line.contains(target)).map(str::to_owned).collect()
}

#[test]
fn the_server_serves_and_says_that_it_is_not_ready() {
    let target = format!("127.0.0.1:{}", closed_port());
    let server = redis(&target).set("backend_start_timeout_ms", PATIENT_MS).start();
    assert_eq!(server.get("/health").status, 200);
    let reason = not_ready(&server);
    assert!(reason.starts_with(&format!("redis at {target}: ")), "{reason}");
    assert!(reason.contains("refused"), "{reason}");
    assert_eq!(server.get("/hello").status, 200);
    let answer = server.post("/call", call("kvstore", "get", kv_key("k"))).text();
    let expected = format!("0Unable to fetch key redis at {target}: ");
    assert!(answer.starts_with(&expected), "{answer}");
    // Many calls and many attempts to connect are one line of the log.
    (0..50).for_each(|_| drop(server.post("/call", call("kvstore", "get", kv_key("k")))));
    assert_eq!(lines_about(&server, &target).len(), 1, "{}", server.log());
    server.stop();
}

#[test]
fn every_kind_of_back_end_is_named() {
    let port = closed_port();
    let store = |kind: &str| {
        Setup::new().guest("hello").set("enable_kvstore", true).set("kvstore_type", kind)
    };
    let sql = |kind: &str, dsn: String| {
        let setup = Setup::new().guest("hello").set("enable_sql", true);
        setup.set("sql_type", kind).set("sql_dsn", dsn)
    };
    let cassandra = store("cassandra").set("cassandra_hosts", "127.0.0.1");
    for (name, setup) in [
        ("redis", store("redis").set("redis_server", format!("127.0.0.1:{port}"))),
        ("nats", store("nats").set("nats_url", format!("nats://u:hunter2@127.0.0.1:{port}"))),
        ("cassandra", cassandra.set("cassandra_port", port).set("cassandra_keyspace", "k")),
        (
            "postgres",
            sql("postgres", format!("postgres://u:hunter2@127.0.0.1:{port}/d?sslmode=disable")),
        ),
        ("mysql", sql("mysql", format!("u:hunter2@tcp(127.0.0.1:{port})/d"))),
    ] {
        let server = setup.set("backend_start_timeout_ms", PATIENT_MS).start();
        let reason = not_ready(&server);
        let begin = format!("{name} at 127.0.0.1:{port}");
        assert!(reason.starts_with(&begin) && !reason.contains("hunter2"), "{reason}");
        assert_eq!(server.get("/health").status, 200, "{name}");
        let page = server.get("/metrics").text();
        let families = parse_metrics(&page).unwrap_or_else(|why| panic!("{why}"));
        assert!(families.contains_key("airside_backend_up"), "{name}");
        assert!(page.contains(&format!("airside_backend_up{{backend=\"{name}\"}} 0\n")), "{page}");
        let latency = server.get("/debug/latency?by=capability").text();
        let rows = latency.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.filter(|cells| cells.get(1) == Some(&name)).collect::<Vec<_>>();
        assert_eq!(row[0][2], "down", "{latency}");
        assert!(row[0][3].starts_with(&format!("127.0.0.1:{port}")), "{latency}");
    }
}

#[test]
fn the_server_ends_when_the_start_takes_too_long() {
    let port = closed_port();
    for (target, reason) in [
        (format!("127.0.0.1:{port}"), "refused"),
        ("nowhere.invalid:6379".to_owned(), "cannot resolve nowhere.invalid: "),
    ] {
        let mut server = redis(&target).set("backend_start_timeout_ms", 1_000).start();
        assert_eq!(server.wait().code(), Some(69), "{}", server.log());
        let log = poll_until("the last word", WAIT, || {
            let log = server.log();
            log.contains("it was never reached").then_some(log)
        });
        let last = log.lines().find(|line| line.starts_with("redis at ")).unwrap_or_default();
        assert!(last.starts_with(&format!("redis at {target}: ")), "{log}");
        assert!(last.contains(reason) && last.contains("backend_start_timeout_ms"), "{log}");
    }
}

#[test]
fn an_unknown_name_is_a_reason_not_to_be_ready() {
    let server = redis("nowhere.invalid:6379").set("backend_start_timeout_ms", PATIENT_MS).start();
    assert_eq!(server.get("/health").status, 200);
    let reason = not_ready(&server);
    let begin = "redis at nowhere.invalid:6379: cannot resolve nowhere.invalid: ";
    assert!(reason.starts_with(begin), "{reason}");
}

#[test]
fn one_of_several_servers_is_enough() {
    let gone = format!("127.0.0.1:{}", closed_port());
    let (sentinels, nats, cassandra) = (Sentinels::start(), Nats::start(), Cassandra::shared());
    let with = |back_end: &dyn Backend| format!("{gone} {}", back_end.daemon().address());
    for (back_end, key, servers) in [
        (&sentinels as &dyn Backend, "redis_sentinel_servers", with(&sentinels)),
        (&nats, "nats_servers", format!("nats://{gone}")),
        (cassandra, "cassandra_hosts", with(cassandra)),
    ] {
        let setup = Setup::new().guest("call").set_all(back_end.settings());
        let server = setup.set(key, servers).start();
        assert_eq!(server.get("/ready").status, 200, "{key}");
        assert_eq!(set(&mut server.client(), "key", "value"), Ok(()), "{key}");
    }
}
