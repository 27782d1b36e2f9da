//! What the NATS store is told.

use crate::dns::HostPort;
use crate::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsConfig {
    /// Not empty; any one of them will do.
    pub servers: Vec<NatsServer>,
    /// Made when absent.
    pub bucket: String,
    /// With TLS: the certificate must be valid and name the host.
    pub verify: bool,
}

impl NatsConfig {
    /// Where the store is, for people: `host:port,host:port/bucket`.
    pub fn target(&self) -> String {
        let servers: Vec<_> =
            self.servers.iter().map(|server| server.address.to_string()).collect();
        format!("{}/{}", servers.join(","), self.bucket)
    }
}

/// One server: the parts of a URL `nats://user:password@host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsServer {
    pub address: HostPort,
    /// `tls://`; a server may also ask for it by itself.
    pub tls: bool,
    pub login: Option<NatsLogin>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatsLogin {
    User {
        user: String,
        password: Secret,
    },
    /// A URL with a user and no password.
    Token(Secret),
}
