//! The stores and how airside is told to use each.

use std::sync::atomic::{AtomicUsize, Ordering};

use airside_tests::harness::services::{Backend, Cassandra, Nats, Redis};
use airside_tests::harness::{Server, Setup};

/// A store of a test's own, empty.
pub(super) struct Store {
    /// Airside with two shards that use it, `/call` and `/global`.
    pub(super) server: Server,
    /// Which keys it takes; every store takes letters and digits.
    pub(super) takes: fn(&str) -> bool,
    /// The store's own server, which is to go after airside, if it is no shared one.
    _back_end: Option<Box<dyn Backend>>,
}

pub(super) fn memory() -> Store {
    let server = setup().set("kvstore_type", "in-memory").start();
    Store { server, takes: any_key, _back_end: None }
}

pub(super) fn embedded() -> Store {
    let setup = setup();
    let file = setup.path("data/kv.db");
    let server = setup.set("kvstore_type", "boltdb").set("boltdb_filename", file).start();
    Store { server, takes: any_key, _back_end: None }
}

pub(super) fn redis() -> Store {
    let redis = Redis::start();
    let server = setup().set_all(redis.settings()).start();
    Store { server, takes: any_key, _back_end: Some(Box::new(redis)) }
}

pub(super) fn cassandra() -> Store {
    static KEYSPACES: AtomicUsize = AtomicUsize::new(0);
    let keyspace = format!("conformance_{}", KEYSPACES.fetch_add(1, Ordering::Relaxed));
    let settings = Cassandra::shared().settings();
    let server = setup().set_all(settings).set("cassandra_keyspace", keyspace).start();
    Store { server, takes: any_key, _back_end: None }
}

pub(super) fn nats() -> Store {
    let nats = Nats::start();
    let server = setup().set_all(nats.settings()).start();
    Store { server, takes: nats_key, _back_end: Some(Box::new(nats)) }
}

fn setup() -> Setup {
    let setup = Setup::new().guest("call").guest("global").set("shards", 2);
    setup.set("enable_kvstore", true)
}

fn any_key(_: &str) -> bool {
    true
}

/// A key is part of a subject there. Go's client refuses any other, and so Tarmac does.
fn nats_key(key: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-/_=.".contains(&byte);
    let has_empty_token = key.split('.').any(str::is_empty);
    key.bytes().all(is_part) && !has_empty_token
}
