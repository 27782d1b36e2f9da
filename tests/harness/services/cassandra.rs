//! Cassandra.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use super::daemon::Launch;
use super::ports::free_port;
use super::{Backend, Certificates, Daemon, Settings};

/// One Cassandra node.
#[derive(Debug)]
pub struct Cassandra {
    daemon: Daemon,
    tls: bool,
}

impl Cassandra {
    /// User and password.
    pub const LOGIN: (&str, &str) = ("cassandra", "cassandra");

    /// That of this test process. Each test has a keyspace of its own.
    pub fn shared() -> &'static Cassandra {
        static CASSANDRA: OnceLock<Cassandra> = OnceLock::new();
        CASSANDRA.get_or_init(Cassandra::start)
    }

    /// One of a test's own, to be stopped and started.
    pub fn start() -> Cassandra {
        Cassandra::with(false)
    }

    /// The same with TLS and nothing else.
    pub fn with_tls() -> Cassandra {
        Cassandra::with(true)
    }

    fn with(tls: bool) -> Cassandra {
        let daemon = Daemon::start(|| {
            let launch = Launch::new("cassandra.sh", free_port()).tls(tls);
            launch.arguments([free_port()]).ready(takes_logins)
        });
        Cassandra { daemon, tls }
    }
}

impl Backend for Cassandra {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn settings_at(&self, address: SocketAddr) -> Settings {
        let (user, password) = Cassandra::LOGIN;
        let mut settings = vec![
            ("enable_kvstore", "true".to_owned()),
            ("kvstore_type", "cassandra".to_owned()),
            ("cassandra_hosts", address.ip().to_string()),
            ("cassandra_port", address.port().to_string()),
            ("cassandra_user", user.to_owned()),
            ("cassandra_password", password.to_owned()),
        ];
        if self.tls {
            settings.push(("cassandra_tls", "true".to_owned()));
            settings.push(("backend_ca_file", Certificates::shared().authority()));
        }
        settings
    }
}

/// It opens its port a moment before it makes its first user.
fn takes_logins(folder: &Path) -> bool {
    let log = fs::read(folder.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&log).contains("Created default superuser role")
}
