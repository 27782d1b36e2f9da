//! NATS with JetStream.

use std::net::SocketAddr;

use super::daemon::Launch;
use super::ports::free_port;
use super::{Backend, Certificates, Daemon, Settings};
use crate::harness::Client;

/// One NATS server.
#[derive(Debug)]
pub struct Nats {
    daemon: Daemon,
    access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    User,
    Token,
    Tls,
}

impl Nats {
    /// Of the one that asks for a token.
    pub const TOKEN: &str = "s3cret";

    /// For the user `app` with the password `apppw`.
    pub fn start() -> Nats {
        Nats::with(Access::User)
    }

    /// For who has [`Nats::TOKEN`].
    pub fn with_token() -> Nats {
        Nats::with(Access::Token)
    }

    /// With TLS and nothing else, for the same user.
    pub fn with_tls() -> Nats {
        Nats::with(Access::Tls)
    }

    fn with(access: Access) -> Nats {
        let daemon = Daemon::start(|| {
            let monitor = free_port();
            let launch = Launch::new("nats.sh", free_port()).arguments([monitor]);
            let launch = match access {
                Access::Token => launch.arguments(["--auth", Nats::TOKEN]),
                Access::User | Access::Tls => {
                    launch.arguments(["--user", "app", "--pass", "apppw"])
                }
            };
            launch.tls(access == Access::Tls).ready(move |_| is_healthy(monitor))
        });
        Nats { daemon, access }
    }

    /// Where clients find it.
    pub fn url(&self, address: SocketAddr) -> String {
        match self.access {
            Access::User => format!("nats://app:apppw@{address}"),
            Access::Token => format!("nats://{}@{address}", Nats::TOKEN),
            Access::Tls => format!("tls://app:apppw@{address}"),
        }
    }
}

impl Backend for Nats {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn settings_at(&self, address: SocketAddr) -> Settings {
        let mut settings = vec![
            ("enable_kvstore", "true".to_owned()),
            ("kvstore_type", "nats".to_owned()),
            ("nats_url", self.url(address)),
        ];
        if self.access == Access::Tls {
            settings.push(("backend_ca_file", Certificates::shared().authority()));
        }
        settings
    }
}

/// Which includes JetStream.
fn is_healthy(monitor: u16) -> bool {
    let Ok(mut client) = Client::try_connect(([127, 0, 0, 1], monitor).into()) else {
        return false;
    };
    client.get("/healthz").status == 200
}
