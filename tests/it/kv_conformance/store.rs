//! The stores and how airside is told to use each.

use airside_tests::harness::services::Settings;
use airside_tests::harness::{Server, Setup};

/// A store of a test's own, empty.
pub(super) struct Store {
    /// Airside with two shards that use it, `/call` and `/global`.
    pub(super) server: Server,
    /// Which keys it takes; every store takes letters and digits.
    pub(super) takes: fn(&str) -> bool,
}

pub(super) fn memory() -> Store {
    store(settings("in-memory"), any_key)
}

pub(super) fn embedded() -> Store {
    store(settings("boltdb"), any_key)
}

fn store(settings: Settings, takes: fn(&str) -> bool) -> Store {
    let setup = Setup::new().guest("call").guest("global").set("shards", 2);
    let file = setup.path("data/kv.db");
    let server = setup.set("boltdb_filename", file).set_all(settings).start();
    Store { server, takes }
}

fn settings(kind: &str) -> Settings {
    vec![("enable_kvstore", "true".to_owned()), ("kvstore_type", kind.to_owned())]
}

fn any_key(_: &str) -> bool {
    true
}
