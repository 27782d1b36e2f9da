//! NATS with JetStream.

use std::net::SocketAddr;

use super::daemon::Launch;
use super::ports::free_port;
use super::{Backend, Certificates, Daemon, Settings};
use crate::harness::Client;

/// One NATS server: user `app`, password `apppw`.
#[derive(Debug)]
pub struct Nats {
    daemon: Daemon,
    tls: bool,
}

impl Nats {
    /// Without TLS.
    pub fn start() -> Nats {
        Nats::with(false)
    }

    /// With TLS and nothing else.
    pub fn with_tls() -> Nats {
        Nats::with(true)
    }

    fn with(tls: bool) -> Nats {
        let daemon = Daemon::start(|| {
            let monitor = free_port();
            Launch::new("nats.sh", free_port())
                .arguments([&monitor.to_string(), "--user", "app", "--pass", "apppw"])
                .tls(tls)
                .ready(move |_| is_healthy(monitor))
        });
        Nats { daemon, tls }
    }

    /// Where clients find it.
    pub fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.tls { "tls" } else { "nats" };
        format!("{scheme}://app:apppw@{address}")
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
        if self.tls {
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
