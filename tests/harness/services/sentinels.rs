//! A Redis master with a replica and the sentinel that lets the replica take over.

use std::net::SocketAddr;

use super::client::output;
use super::daemon::Launch;
use super::ports::free_port;
use super::redis::client;
use super::{Backend, Daemon, Redis, Settings};

/// Master, replica and sentinel.
#[derive(Debug)]
pub struct Sentinels {
    /// What `start` made the master, and what is the other one's replica after a failover.
    pub master: Daemon,
    /// The other way round.
    pub replica: Daemon,
    sentinel: Daemon,
    password: Option<&'static str>,
}

impl Sentinels {
    /// By which a sentinel's clients ask.
    pub const NAME: &str = "mymaster";

    /// Without passwords.
    pub fn start() -> Sentinels {
        Sentinels::with(None)
    }

    /// With [`Redis::PASSWORD`] on master and replica, but not on the sentinel.
    pub fn with_password() -> Sentinels {
        Sentinels::with(Some(Redis::PASSWORD))
    }

    /// Returns when the replica has the master's data.
    fn with(password: Option<&'static str>) -> Sentinels {
        let login = |launch: Launch| match password {
            None => launch,
            Some(word) => launch.arguments(["--requirepass", word, "--masterauth", word]),
        };
        let master = Daemon::start(|| login(Launch::new("redis.sh", free_port())));
        let of = format!("127.0.0.1 {}", master.port());
        let replica = Daemon::start(|| {
            login(Launch::new("redis.sh", free_port()).arguments(["--replicaof", &of]))
        });
        let sentinel = Daemon::start(|| {
            let port = free_port();
            Launch::new("sentinel.sh", port)
                .arguments([master.port().to_string()])
                .arguments(password)
                .ready(move |_| {
                    let replicas = ask(port, &["sentinel", "replicas", Sentinels::NAME]);
                    replicas.contains("master-link-status\nok")
                })
        });
        Sentinels { master, replica, sentinel, password }
    }

    /// The port of the server that the sentinel takes for the master.
    pub fn master_port(&self) -> u16 {
        let answer =
            ask(self.sentinel.port(), &["sentinel", "get-master-addr-by-name", Sentinels::NAME]);
        let port = answer.lines().nth(1).and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("no address: {answer}"))
    }
}

impl Backend for Sentinels {
    /// The sentinel.
    fn daemon(&self) -> &Daemon {
        &self.sentinel
    }

    fn settings_at(&self, address: SocketAddr) -> Settings {
        let mut settings = vec![
            ("enable_kvstore", "true".to_owned()),
            ("kvstore_type", "redis".to_owned()),
            ("redis_sentinel_servers", address.to_string()),
            ("redis_sentinel_master", Sentinels::NAME.to_owned()),
        ];
        settings.extend(self.password.map(|password| ("redis_password", password.to_owned())));
        settings
    }
}

fn ask(port: u16, arguments: &[&str]) -> String {
    output(client(port).args(arguments))
}
