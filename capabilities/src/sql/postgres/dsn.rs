//! PostgreSQL's DSNs as `lib/pq` reads them: a URL, or `key=value` pairs with libpq's quoting. A URL
//! is nothing but another way to write the pairs. What is in the environment or in files of the home
//! folder is not asked.

mod pairs;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;
use crate::sql::dsn::DsnError;
use pairs::Pairs;

/// What a DSN says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostgresDsn {
    /// Tried in this order; not empty.
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) database: Option<String>,
    pub(super) tls: TlsMode,
    /// TLS without asking for it first, which servers know since PostgreSQL 17.
    pub(super) tls_direct: bool,
    /// A file of authorities that replace the machine's.
    pub(super) root_cert: Option<PathBuf>,
    /// Our certificate and its key.
    pub(super) client_cert: Option<(PathBuf, PathBuf)>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) application_name: Option<String>,
    pub(super) options: String,
    /// Settings of the session: every key that is not known here.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) session: SessionKind,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Tcp {
        /// As its certificate calls it.
        name: String,
        address: Option<IpAddr>,
        port: u16,
    },
    /// The path of a Unix socket, on which there is no TLS.
    Unix(PathBuf),
}

/// `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    Disable,
    /// If the server has it. `allow` is this too.
    Prefer,
    /// With whoever answers, unless authorities are named: then as `VerifyCa`.
    Require,
    VerifyCa,
    VerifyFull,
}

/// `target_session_attrs`: what a server must be to be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionKind {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
}

impl PostgresDsn {
    pub(crate) fn parse(dsn: &str) -> Result<PostgresDsn, DsnError> {
        let mut pairs = Pairs::parse(dsn)?;
        pairs.refuse_unsupported()?;
        let mut tls = pairs.choice("sslmode", &TLS_MODES, TlsMode::Require)?;
        let named = pairs.take("sslrootcert").filter(|path| !path.is_empty());
        let root_cert = match named.as_deref() {
            // The machine's authorities are what counts when no file is named.
            Some("system") => {
                tls = TlsMode::VerifyFull;
                None
            }
            other => other.map(PathBuf::from),
        };
        let mut path = |key| pairs.take(key).filter(|path| !path.is_empty()).map(PathBuf::from);
        let client_cert = match (path("sslcert"), path("sslkey")) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(DsnError::new("sslcert", "give sslcert and sslkey, or none of them")),
        };
        let negotiations = [("postgres", false), ("direct", true)];
        let tls_direct = pairs.choice("sslnegotiation", &negotiations, false)?;
        let session = pairs.choice("target_session_attrs", &SESSION_KINDS, SessionKind::Any)?;
        let fallback = pairs.take("fallback_application_name");
        let user = pairs.take("user").filter(|user| !user.is_empty());
        let database = pairs.take("database");
        let database = pairs.take("dbname").or(database);
        Ok(PostgresDsn {
            hosts: pairs.hosts()?,
            user: user.ok_or_else(|| DsnError::new("user", "name the user to log in as"))?,
            password: pairs.take("password").filter(|text| !text.is_empty()).map(Secret::new),
            database: database.filter(|name| !name.is_empty()),
            tls,
            tls_direct,
            root_cert,
            client_cert,
            connect_timeout: pairs.connect_timeout()?,
            application_name: pairs.take("application_name").or(fallback),
            options: pairs.take("options").unwrap_or_default(),
            session,
            parameters: pairs.parameters()?,
        })
    }

    /// Hosts, ports and database, for people.
    pub(crate) fn target(&self) -> String {
        let hosts = self.hosts.iter().map(|host| match host {
            Host::Tcp { name, port, .. } if name.contains(':') => format!("[{name}]:{port}"),
            Host::Tcp { name, port, .. } => format!("{name}:{port}"),
            Host::Unix(path) => path.display().to_string(),
        });
        let mut target = hosts.collect::<Vec<_>>().join(",");
        if let Some(database) = &self.database {
            target.push('/');
            target.push_str(database);
        }
        target
    }
}

const TLS_MODES: [(&str, TlsMode); 6] = [
    ("disable", TlsMode::Disable),
    ("allow", TlsMode::Prefer),
    ("prefer", TlsMode::Prefer),
    ("require", TlsMode::Require),
    ("verify-ca", TlsMode::VerifyCa),
    ("verify-full", TlsMode::VerifyFull),
];

const SESSION_KINDS: [(&str, SessionKind); 5] = [
    ("any", SessionKind::Any),
    ("read-write", SessionKind::ReadWrite),
    ("read-only", SessionKind::ReadOnly),
    ("primary", SessionKind::Primary),
    ("standby", SessionKind::Standby),
];

#[cfg(test)]
mod tests;
