//! The real servers that airside is a client of: each is started by its script in `tests/services` on a port of its own with
//! its data in a temporary folder, and ends with the test process at the latest.
//!
//! Those that take long to start are shared by the tests of a binary, which keep to names of their own (a keyspace, a
//! bucket, a database). A shared one is never stopped: who wants to see a server fail starts one.

mod cassandra;
mod certificates;
mod client;
mod daemon;
mod mariadb;
mod nats;
mod nginx;
mod ports;
mod postgres;
mod prometheus;
mod redis;
mod sentinels;

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use cassandra::Cassandra;
pub use certificates::Certificates;
pub use daemon::Daemon;
pub use mariadb::MariaDb;
pub use nats::Nats;
pub use nginx::Nginx;
pub use postgres::Postgres;
pub use prometheus::Prometheus;
pub use redis::Redis;
pub use sentinels::Sentinels;

/// Airside's settings without `APP_`, as [`Setup::set`](super::Setup::set) takes them.
pub type Settings = Vec<(&'static str, String)>;

/// A server that capabilities are clients of.
pub trait Backend: Debug + Send + Sync {
    /// Its process.
    fn daemon(&self) -> &Daemon;

    /// What airside is told so that it uses this server, when it is found at `address`: its own, or that of a
    /// [`Proxy`](super::Proxy) before it.
    fn settings_at(&self, address: SocketAddr) -> Settings;

    /// What airside is told so that it uses this server.
    fn settings(&self) -> Settings {
        self.settings_at(self.daemon().address())
    }
}

/// A file of `tests/services`.
pub(super) fn script(name: &str) -> PathBuf {
    super::root().join("tests/services").join(name)
}
