//! What the Redis store is told.

use std::time::Duration;

use crate::dns::HostPort;
use crate::secret::Secret;

/// Each shard keeps one connection, on which the commands of all of its guests follow each other
/// without waiting: Tarmac's `redis_max_active`, the size of a pool, has nothing to bound here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConfig {
    pub endpoint: RedisEndpoint,
    /// Selected after the login; no server knows more than it was set up for, usually 16.
    pub database: u16,
    /// An ACL user; none is the default user.
    pub user: Option<String>,
    /// Sentinels are given it too, with the user, but only those that ask for a login. Tarmac gives
    /// it to all, which fails with those that have none.
    pub password: Option<Secret>,
    /// With sentinels, towards them too.
    pub tls: bool,
    /// With TLS: the certificate must be valid and name the host (with sentinels: the master as
    /// they name it, which is an address unless they are set up to announce names). Tarmac's
    /// `redis_hostname_verify` means the reverse of its name, true is no verification at all; it has
    /// no effect in Tarmac, which never speaks TLS to Redis.
    pub verify: bool,
    /// How long a connection is idle before the kernel asks whether the server is still there; zero:
    /// never. The probe of each second notices sooner.
    pub keepalive: Duration,
}

/// How the server to talk to is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisEndpoint {
    Server(HostPort),
    /// The sentinels know which server is the master now.
    Sentinels {
        /// Not empty.
        sentinels: Vec<HostPort>,
        master: String,
    },
}

impl RedisConfig {
    /// Where the store is, for people: `host:port`, or `master (sentinels host:port, host:port)`.
    pub fn target(&self) -> String {
        match &self.endpoint {
            RedisEndpoint::Server(server) => server.to_string(),
            RedisEndpoint::Sentinels { sentinels, master } => {
                let sentinels: Vec<_> = sentinels.iter().map(HostPort::to_string).collect();
                format!("{master} (sentinels {})", sentinels.join(", "))
            }
        }
    }
}
