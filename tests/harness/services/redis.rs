//! Redis: plain, with a password, or with TLS and an ACL user.

use std::net::SocketAddr;
use std::process::Command;

use super::client::output;
use super::daemon::Launch;
use super::ports::free_port;
use super::{Backend, Certificates, Daemon, Settings};

/// One Redis server, its data in memory only.
#[derive(Debug)]
pub struct Redis {
    daemon: Daemon,
    access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Open,
    Password,
    Tls,
}

impl Redis {
    /// Of the default user where a server has passwords.
    pub const PASSWORD: &str = "s3cret";
    /// An ACL user of the one with TLS, and its password.
    pub const USER: (&str, &str) = ("app", "apppw");

    /// Without a password.
    pub fn start() -> Redis {
        Redis::with(Access::Open)
    }

    /// With a password.
    pub fn with_password() -> Redis {
        Redis::with(Access::Password)
    }

    /// With TLS and nothing else, a password and an ACL user.
    pub fn with_tls() -> Redis {
        Redis::with(Access::Tls)
    }

    fn with(access: Access) -> Redis {
        let daemon = Daemon::start(|| {
            let launch = Launch::new("redis.sh", free_port()).tls(access == Access::Tls);
            let launch = match access {
                Access::Open => launch,
                Access::Password | Access::Tls => {
                    launch.arguments(["--requirepass", Redis::PASSWORD])
                }
            };
            match access {
                Access::Open | Access::Password => launch,
                Access::Tls => {
                    launch.arguments(["--user", "app", "on", ">apppw", "~*", "&*", "+@all"])
                }
            }
        });
        Redis { daemon, access }
    }

    /// What `redis-cli`, Redis's own client, prints for a command.
    #[track_caller]
    pub fn client(&self, arguments: &[&str]) -> String {
        let mut command = client(self.daemon.port());
        if self.access != Access::Open {
            command.env("REDISCLI_AUTH", Redis::PASSWORD);
        }
        if self.access == Access::Tls {
            command.args(["--tls", "--cacert", &Certificates::shared().authority()]);
        }
        output(command.args(arguments))
    }
}

impl Backend for Redis {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn settings_at(&self, address: SocketAddr) -> Settings {
        let mut settings =
            vec![("enable_kvstore", "true".to_owned()), ("kvstore_type", "redis".to_owned())];
        match self.access {
            Access::Open => settings.push(("redis_server", address.to_string())),
            Access::Password => settings.extend([
                ("redis_server", address.to_string()),
                ("redis_password", Redis::PASSWORD.to_owned()),
            ]),
            Access::Tls => {
                let (user, password) = Redis::USER;
                settings.extend([
                    ("redis_server", format!("rediss://{user}:{password}@{address}")),
                    ("backend_ca_file", Certificates::shared().authority()),
                ]);
            }
        }
        settings
    }
}

/// `redis-cli` for a server of any kind on this port.
pub(super) fn client(port: u16) -> Command {
    let mut command = Command::new("redis-cli");
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "--raw"]);
    command
}
