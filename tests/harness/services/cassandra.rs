//! Cassandra.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use super::daemon::Launch;
use super::ports::free_port;
use super::{Backend, Certificates, Daemon, Settings};

/// One Cassandra node that also speaks TLS.
#[derive(Debug)]
pub struct Cassandra {
    daemon: Daemon,
}

impl Cassandra {
    /// User and password.
    pub const LOGIN: (&str, &str) = ("cassandra", "cassandra");
    /// Of the settings. Who looks into it on the shared node sets another one.
    pub const KEYSPACE: &str = "airside";

    /// That of this test process. Each test has a keyspace of its own.
    pub fn shared() -> &'static Cassandra {
        static CASSANDRA: OnceLock<Cassandra> = OnceLock::new();
        CASSANDRA.get_or_init(Cassandra::start)
    }

    /// One of a test's own, to be stopped and started.
    pub fn start() -> Cassandra {
        let daemon = Daemon::start(|| {
            let launch = Launch::new("cassandra.sh", free_port()).tls(true);
            launch.arguments([free_port()]).ready(takes_logins)
        });
        Cassandra { daemon }
    }

    /// The same settings but with TLS.
    pub fn settings_with_tls(&self) -> Settings {
        let mut settings = self.settings();
        settings.push(("cassandra_tls", "true".to_owned()));
        settings.push(("backend_ca_file", Certificates::shared().authority()));
        settings
    }
}

impl Backend for Cassandra {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn settings_at(&self, address: SocketAddr) -> Settings {
        let (user, password) = Cassandra::LOGIN;
        vec![
            ("enable_kvstore", "true".to_owned()),
            ("kvstore_type", "cassandra".to_owned()),
            ("cassandra_hosts", address.ip().to_string()),
            ("cassandra_port", address.port().to_string()),
            ("cassandra_keyspace", Cassandra::KEYSPACE.to_owned()),
            ("cassandra_user", user.to_owned()),
            ("cassandra_password", password.to_owned()),
        ]
    }
}

/// It opens its port a moment before it makes its first user.
fn takes_logins(folder: &Path) -> bool {
    let log = fs::read(folder.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&log).contains("Created default superuser role")
}
