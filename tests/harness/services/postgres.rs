//! PostgreSQL.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;

use super::client::output;
use super::daemon::Launch;
use super::ports::free_port;
use super::{Backend, Certificates, Daemon, Settings};

/// One PostgreSQL server that also speaks TLS: user `app`, password `apppw`, database `app`.
#[derive(Debug)]
pub struct Postgres {
    daemon: Daemon,
}

impl Postgres {
    /// That of this test process.
    pub fn shared() -> &'static Postgres {
        static POSTGRES: OnceLock<Postgres> = OnceLock::new();
        POSTGRES.get_or_init(Postgres::start)
    }

    /// One of a test's own, to be stopped and started.
    pub fn start() -> Postgres {
        let daemon = Daemon::start(|| {
            let port = free_port();
            // Asked to terminate it would wait for its clients to leave; interrupted it sends them away.
            Launch::new("postgres.sh", port).tls(true).stopped_by(Signal::INT).ready(move |_| {
                client(port, "app")
                    .arg("--command=select 1")
                    .output()
                    .is_ok_and(|o| o.status.success())
            })
        });
        Postgres { daemon }
    }

    /// What `psql` prints for statements in a database: rows of columns with `|` between them.
    #[track_caller]
    pub fn client(&self, database: &str, statements: &str) -> String {
        output(client(self.daemon.port(), database).arg("--command").arg(statements))
    }

    /// The database as Go's drivers have it.
    pub fn dsn(&self, address: SocketAddr, database: &str) -> String {
        format!("postgres://app:apppw@{address}/{database}?sslmode=disable")
    }

    /// The same over TLS, with the server's certificate and name verified. `backend_ca_file` must name the authority.
    pub fn dsn_over_tls(&self, database: &str) -> String {
        let port = self.daemon.port();
        let authority = Certificates::shared().authority();
        format!(
            "postgres://app:apppw@localhost:{port}/{database}?sslmode=verify-full&sslrootcert={authority}"
        )
    }
}

impl Backend for Postgres {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn settings_at(&self, address: SocketAddr) -> Settings {
        vec![
            ("enable_sql", "true".to_owned()),
            ("sql_type", "postgres".to_owned()),
            ("sql_dsn", self.dsn(address, "app")),
        ]
    }
}

fn client(port: u16, database: &str) -> Command {
    let mut command = Command::new("psql");
    command
        .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"])
        .args(["--host=127.0.0.1", "--username=app", "--no-password"])
        .arg(format!("--port={port}"))
        .arg(format!("--dbname={database}"))
        .env("PGPASSWORD", "apppw");
    command
}
