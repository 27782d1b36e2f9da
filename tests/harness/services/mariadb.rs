//! MariaDB, which stands for MySQL.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::OnceLock;

use super::client::output;
use super::daemon::Launch;
use super::ports::free_port;
use super::{Backend, Daemon, Settings};

/// One MariaDB server that also speaks TLS: user `app`, password `apppw`, database `app`.
#[derive(Debug)]
pub struct MariaDb {
    daemon: Daemon,
}

impl MariaDb {
    /// That of this test process.
    pub fn shared() -> &'static MariaDb {
        static MARIADB: OnceLock<MariaDb> = OnceLock::new();
        MARIADB.get_or_init(MariaDb::start)
    }

    /// One of a test's own, to be stopped and started.
    pub fn start() -> MariaDb {
        let daemon = Daemon::start(|| {
            let port = free_port();
            // A signal that comes between the opening of the port and the first look for clients is lost.
            Launch::new("mariadb.sh", port).tls(true).ready(move |_| {
                client(port, "app")
                    .arg("--execute=select 1")
                    .output()
                    .is_ok_and(|o| o.status.success())
            })
        });
        MariaDb { daemon }
    }

    /// What `mariadb` prints for statements in a database: rows of columns with tabs between them.
    #[track_caller]
    pub fn client(&self, database: &str, statements: &str) -> String {
        let mut command = client(self.daemon.port(), database);
        output(command.arg(format!("--execute={statements}")))
    }

    /// The database as Go's driver has it.
    pub fn dsn(&self, address: SocketAddr, database: &str) -> String {
        format!("app:apppw@tcp({address})/{database}")
    }
}

impl Backend for MariaDb {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn settings_at(&self, address: SocketAddr) -> Settings {
        vec![
            ("enable_sql", "true".to_owned()),
            ("sql_type", "mysql".to_owned()),
            ("sql_dsn", self.dsn(address, "app")),
        ]
    }
}

fn client(port: u16, database: &str) -> Command {
    let mut command = Command::new("mariadb");
    command
        .args(["--no-defaults", "--batch", "--skip-column-names", "--protocol=tcp"])
        .args(["--host=127.0.0.1", "--user=app", "--password=apppw"])
        .arg(format!("--port={port}"))
        .arg(format!("--database={database}"));
    command
}
