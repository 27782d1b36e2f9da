//! The host calls whose price is measured: what a guest asks for, which server answers it, and what a plain server that
//! makes the same call is told.

use std::net::SocketAddr;
use std::path::Path;

use airside_tests::harness::services::{Backend, Cassandra, MariaDb, Nats, Nginx, Postgres, Redis};

use crate::guests;
use crate::kv_messages::{field, get_request, set_request};

/// What is got and set.
pub const KEY: &str = "loadtest";
pub const VALUE: &[u8] = &[b'v'; 100];
/// One row of a hundred, by primary key. The plain servers make the table.
pub const SELECT: &str = "SELECT name FROM loadtest WHERE id = 42";
/// The keyspace or bucket.
pub const SPACE: &str = "loadtest";

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    MemoryGet,
    MemorySet,
    EmbeddedGet,
    EmbeddedSet,
    RedisGet,
    RedisSet,
    CassandraGet,
    CassandraSet,
    NatsGet,
    NatsSet,
    PostgresSelect,
    MysqlSelect,
    Http,
    Function,
}

/// The server that answers a call, if it is not airside itself, and where it is found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'b> {
    pub backend: Option<&'b dyn Backend>,
    /// `None`: at its own address, else at that of a proxy before it.
    pub address: Option<SocketAddr>,
}

impl Place<'_> {
    fn address(self) -> Option<SocketAddr> {
        self.address.or_else(|| Some(self.backend?.daemon().address()))
    }
}

impl Call {
    pub fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self)
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether a key must be there before it is got.
    pub fn is_get(self) -> bool {
        use Call::{CassandraGet, EmbeddedGet, MemoryGet, NatsGet, RedisGet};
        matches!(self, MemoryGet | EmbeddedGet | RedisGet | CassandraGet | NatsGet)
    }

    /// Starts the server that answers it.
    pub fn start_backend(self) -> Option<Box<dyn Backend>> {
        match self {
            Call::RedisGet | Call::RedisSet => Some(Box::new(Redis::start())),
            Call::CassandraGet | Call::CassandraSet => Some(Box::new(Cassandra::start())),
            Call::NatsGet | Call::NatsSet => Some(Box::new(Nats::start())),
            Call::PostgresSelect => Some(Box::new(Postgres::start())),
            Call::MysqlSelect => Some(Box::new(MariaDb::start())),
            Call::Http => Some(Box::new(Nginx::start())),
            _ => None,
        }
    }

    /// The guest that makes it.
    pub fn guest(self, place: &Place<'_>) -> String {
        use Call::{CassandraSet, EmbeddedSet, MemorySet, NatsSet, RedisSet};
        match self {
            get if get.is_get() => guests::host_call("kvstore", "get", &get_request(KEY)),
            MemorySet | EmbeddedSet | RedisSet | CassandraSet | NatsSet => {
                guests::host_call("kvstore", "set", &set_request(KEY, VALUE))
            }
            Call::Http => {
                // HTTPClient: 1 method, 3 url.
                let url = self.plain_backend(place, Path::new(""));
                let payload = [field(1, b"GET"), field(3, url.as_bytes())].concat();
                guests::host_call("httpclient", "call", &payload)
            }
            Call::Function => guests::host_call("function", "hello", b""),
            // SQLQuery: 1 query.
            _ => guests::host_call("sql", "query", &field(1, SELECT.as_bytes())),
        }
    }

    /// What airside is told, without `APP_`. Files go into `folder`.
    pub fn settings(self, place: &Place<'_>, folder: &Path) -> Vec<(&'static str, String)> {
        let file = folder.join("kv.db").display().to_string();
        let kv = |kind: &str| ("kvstore_type", kind.to_owned());
        let mut settings = match self {
            Call::MemoryGet | Call::MemorySet => vec![kv("memory")],
            Call::EmbeddedGet | Call::EmbeddedSet => vec![kv("boltdb"), ("boltdb_filename", file)],
            _ => match (place.backend, place.address()) {
                (Some(backend), Some(address)) => backend.settings_at(address),
                _ => Vec::new(),
            },
        };
        match self {
            Call::MemoryGet | Call::MemorySet | Call::EmbeddedGet | Call::EmbeddedSet => {
                settings.push(("enable_kvstore", String::from("true")));
            }
            Call::CassandraGet | Call::CassandraSet => {
                settings.push(("cassandra_keyspace", String::from(SPACE)));
            }
            Call::NatsGet | Call::NatsSet => settings.push(("nats_bucket", String::from(SPACE))),
            // What the calls of all other kinds have unless it is set.
            Call::Http => settings.push(("http_client_timeout_ms", String::from("5000"))),
            _ => {}
        }
        settings
    }

    /// Where a plain server finds what answers: an address, a URL, a file in `folder`.
    pub fn plain_backend(self, place: &Place<'_>, folder: &Path) -> String {
        let address = place.address().map_or_else(String::new, |address| address.to_string());
        match self {
            Call::EmbeddedGet | Call::EmbeddedSet => folder.join("plain.db").display().to_string(),
            Call::RedisGet | Call::RedisSet => format!("redis://{address}"),
            Call::NatsGet | Call::NatsSet => format!("nats://app:apppw@{address}"),
            Call::PostgresSelect => format!("postgres://app:apppw@{address}/app"),
            Call::MysqlSelect => format!("mysql://app:apppw@{address}/app"),
            Call::Http => format!("http://{address}/"),
            _ => address,
        }
    }
}
