//! The stores and how airside is told to use each.

use airside_tests::harness::{Server, Setup};

/// A store of a test's own, empty.
pub(super) struct Store {
    /// Airside with two shards that use it, `/call` and `/global`.
    pub(super) server: Server,
    /// Which keys it takes; every store takes letters and digits.
    pub(super) takes: fn(&str) -> bool,
}

pub(super) fn memory() -> Store {
    let server = setup().set("kvstore_type", "in-memory").start();
    Store { server, takes: any_key }
}

pub(super) fn embedded() -> Store {
    let setup = setup();
    let file = setup.path("data/kv.db");
    let server = setup.set("kvstore_type", "boltdb").set("boltdb_filename", file).start();
    Store { server, takes: any_key }
}

fn setup() -> Setup {
    let setup = Setup::new().guest("call").guest("global").set("shards", 2);
    setup.set("enable_kvstore", true)
}

fn any_key(_: &str) -> bool {
    true
}
