//! Data source names as Go's drivers read them: what is common to both databases.
//!
//! A DSN that is written wrong may have its password anywhere, where a port or a setting's name is
//! expected for instance. So errors name the part that is wrong and what it should be, and show
//! nothing of the DSN.

use super::{SqlKind, mysql, postgres};

/// A DSN that is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {reason}")]
pub struct DsnError {
    /// Such as `port` or `sslmode`.
    pub part: &'static str,
    pub reason: String,
}

impl DsnError {
    pub(super) fn new(part: &'static str, reason: impl Into<String>) -> DsnError {
        DsnError { part, reason: reason.into() }
    }
}

/// Whether a DSN can be used.
///
/// PostgreSQL: `postgres://user:password@host:port/database?sslmode=disable` or
/// `host=... user=... password=... dbname=...`, as `lib/pq` reads them; `sslmode` is `require` unless
/// it says otherwise. MySQL: `user:password@tcp(host:port)/database?tls=true`, as
/// `go-sql-driver/mysql` reads it.
///
/// # Errors
/// The part that is wrong; nothing of the DSN is shown.
pub fn check_dsn(kind: SqlKind, dsn: &str) -> Result<(), DsnError> {
    match kind {
        SqlKind::Postgres => postgres::dsn::PostgresDsn::parse(dsn).map(drop),
        SqlKind::Mysql => mysql::dsn::MysqlDsn::parse(dsn).map(drop),
    }
}

/// Hosts, ports and database, for people.
pub(super) fn target(kind: SqlKind, dsn: &str) -> String {
    let target = match kind {
        SqlKind::Postgres => postgres::dsn::PostgresDsn::parse(dsn).map(|dsn| dsn.target()),
        SqlKind::Mysql => mysql::dsn::MysqlDsn::parse(dsn).map(|dsn| dsn.target()),
    };
    target.unwrap_or_else(|_| String::from("an unusable DSN"))
}

/// Text with percent escapes, in a query also with `+` for a blank; `None` if an escape is broken or
/// the result is no text.
pub(super) fn unescape(text: &str, in_query: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            b'+' if in_query => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A boolean as Go's `strconv.ParseBool` reads it, and as PostgreSQL's `yes` and `no`.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" | "yes" | "on" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{check_dsn, unescape};
    use crate::secret::Secret;
    use crate::sql::{SqlConfig, SqlKind};

    #[test]
    fn escapes_are_decoded() {
        for (text, in_query, expected) in [
            ("a%40b%2fc", false, Some("a@b/c")),
            ("a+b", false, Some("a+b")),
            ("a+b%2B", true, Some("a b+")),
            ("%4", false, None),
            ("%zz", false, None),
            ("%ff", false, None),
            ("é", false, Some("é")),
        ] {
            assert_eq!(unescape(text, in_query).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn targets_name_the_place_and_nothing_else() {
        for (kind, dsn, target) in [
            (SqlKind::Postgres, "postgres://u:s3cret@db:6000/app", "db:6000/app"),
            (SqlKind::Postgres, "user=u password=s3cret host=a,b", "a:5432,b:5432"),
            (SqlKind::Mysql, "u:s3cret@tcp(db)/app?tls=true", "db:3306/app"),
            (SqlKind::Mysql, "u:s3cret@unix(/run/my.sock)/app", "/run/my.sock/app"),
            (SqlKind::Mysql, "s3cret", "an unusable DSN"),
        ] {
            let dsn = Secret::new(dsn);
            let config = SqlConfig { kind, dsn, connections: 1, compat: false };
            assert_eq!(config.target(), target);
            assert!(!format!("{config:?}").contains("s3cret"));
        }
    }

    #[test]
    fn errors_name_the_part() {
        for (kind, dsn, error) in [
            (SqlKind::Postgres, "postgres://u:s3/cret@h/", "port: write a number from 1 to 65535"),
            (SqlKind::Mysql, "u:s3cret@tcp(h:x)/", "address: write tcp(host:port)"),
        ] {
            assert_eq!(check_dsn(kind, dsn).unwrap_err().to_string(), error);
        }
    }
}
