//! What the Redis store is told.

use std::time::Duration;

use crate::dns::HostPort;
use crate::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConfig {
    pub endpoint: RedisEndpoint,
    pub database: u16,
    /// An ACL user; none is the default user.
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub tls: bool,
    /// With TLS: the certificate must be valid and name the host.
    pub verify: bool,
    /// How often the kernel probes an idle connection; zero: never.
    pub keepalive: Duration,
}

/// How the server to talk to is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisEndpoint {
    Server(HostPort),
    /// The sentinels know which server is the master now.
    Sentinels {
        sentinels: Vec<HostPort>,
        master: String,
    },
}
