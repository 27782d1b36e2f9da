//! Which threads there are: those that ARCHITECTURE.md lists and no others, whatever functions do.

use std::thread;

use airside_tests::harness::services::{
    Backend, Cassandra, MariaDb, Nats, Nginx, Postgres, Redis, Settings,
};
use airside_tests::harness::{Server, Setup, Thread, cpus, threads};

use crate::it::load::{Flood, sets_on_connections};
use crate::it::wire::http::{self, HttpRequest};
use crate::it::wire::query;

/// The beginnings of the names that threads may have, and how many of each there may be. The last is the main thread.
fn known_threads(shards: usize) -> [(&'static str, usize); 7] {
    [
        ("airside-shard-", shards),
        ("airside-disk", 1),
        // glommio keeps one beside each of its executors, for what io_uring cannot do.
        ("airside-idle-", shards + 1),
        ("airside-epoch", 1),
        ("airside-kv", 1),
        // scylla's, which ends after a millisecond. With any other driver it is a bug.
        ("airside-driver", shards),
        ("airside", 1),
    ]
}

/// Those of the server that uses this store, `cassandra` or another.
#[track_caller]
fn check_threads(server: &Server, store: &str, when: &str) {
    let shards = cpus().len().min(2);
    let threads = threads(server.pid());
    let known = known_threads(shards);
    let mut counts = [0; 7];
    for thread in &threads {
        let kind = known.iter().position(|(begin, _)| thread.name.starts_with(begin));
        let kind = kind.unwrap_or_else(|| panic!("{:?} {when}: {threads:#?}", thread.name));
        counts[kind] += 1;
        assert!(counts[kind] <= known[kind].1, "too many {:?} {when}: {threads:#?}", thread.name);
        assert!(
            store == "cassandra" || thread.name != "airside-driver",
            "a driver of {store} blocks {when}"
        );
    }
}

/// The control thread makes room for the shards, and no thread has that from it.
#[test]
fn only_the_control_thread_stands_back() {
    let server = Setup::new().guest("hello").start();
    assert_eq!(server.get("/metrics").status, 200);
    let (control, others): (Vec<Thread>, Vec<Thread>) =
        threads(server.pid()).into_iter().partition(|thread| thread.name == "airside");
    let shard = others.iter().find(|thread| thread.name == "airside-shard-0").expect("a shard");
    assert!(control[0].niceness > shard.niceness.min(18), "{control:?}");
    assert!(others.iter().all(|other| other.niceness == shard.niceness), "{others:#?}");
}

const PAGES: [&str; 4] = ["/health", "/ready", "/metrics", "/debug/latency?by=capability"];

#[test]
fn with_the_embedded_store() {
    let setup = Setup::new().guest("hello").guest("call").set("enable_kvstore", true);
    let file = setup.path("kv.db");
    let server = setup.set("kvstore_type", "boltdb").set("boltdb_filename", file).start();
    check_threads(&server, "the file", "when idle");
    let flood = Flood::start(server.address(), "/hello", 4);
    sets_on_connections(&server, 4, 50);
    for page in PAGES {
        assert_eq!(server.get(page).status, 200, "{page}");
        check_threads(&server, "the file", &format!("under load, after {page}"));
    }
    flood.stop();
    check_threads(&server, "the file", "after load");
}

/// Selects and calls by HTTP/1.1 and HTTP/2.
fn selects_and_calls(server: &Server, times: usize) {
    let nginx = Nginx::shared();
    let by_name = format!("http://localhost:{}/", nginx.daemon().port());
    let mut client = server.client();
    for _ in 0..times {
        assert_eq!(query(&mut client, "select 1 a"), Ok(("a".into(), r#"[{"a":1}]"#.into())));
        for url in [&by_name, &nginx.url_over_tls("/")] {
            assert_eq!(http::call(&mut client, &HttpRequest::get(url)).unwrap().code, 200);
        }
    }
}

/// A server that uses a store, a database and HTTP at the same time, all by names, watched throughout.
#[track_caller]
fn check(name: &str, store: Settings, database: Settings) {
    let by_name = |settings: Settings| {
        let named = |(key, value): (_, String)| (key, value.replace("127.0.0.1", "localhost"));
        settings.into_iter().map(named).collect()
    };
    let setup = Setup::new().guest("call").set_all(by_name(store)).set_all(by_name(database));
    let server = setup.set_all(Nginx::shared().settings()).start();
    thread::scope(|scope| {
        let work = [
            scope.spawn(|| sets_on_connections(&server, 4, 100)),
            scope.spawn(|| selects_and_calls(&server, 100)),
        ];
        while !work.iter().all(|work| work.is_finished()) {
            check_threads(&server, name, "under load");
        }
        for page in PAGES {
            assert_eq!(server.get(page).status, 200, "{page}");
            check_threads(&server, name, page);
        }
    });
}

#[test]
fn with_redis_and_mysql() {
    let redis = Redis::start();
    check("redis", redis.settings(), MariaDb::shared().settings());
}

#[test]
fn with_nats_and_postgres() {
    let nats = Nats::start();
    check("nats", nats.settings(), Postgres::shared().settings());
}

#[test]
fn with_cassandra_and_postgres() {
    check("cassandra", Cassandra::shared().settings(), Postgres::shared().settings());
}
