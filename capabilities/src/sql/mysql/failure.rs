//! What went wrong on a connection, and what it means: the statement's fault, the connection's, or
//! the settings'.

use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::backend::link::ConnectError;
use crate::sql::SqlError;
use crate::sql::postgres::failure::has_bad_certificate;

/// Why a query has no result.
#[derive(Debug)]
pub(super) enum Failure {
    Query(SqlError),
    /// The connection is of no use any more.
    Connection(String),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        Failure::Query(error)
    }
}

impl Failure {
    pub(super) fn of_query(error: Error) -> Failure {
        Failure::of_rows(error, false)
    }

    /// `rows`: after rows of the result had come.
    pub(super) fn of_rows(error: Error, rows: bool) -> Failure {
        match error {
            Error::Server(last) if LAST_WORDS.contains(&last.code) => {
                Failure::Connection(text(&last))
            }
            Error::Server(refused) => {
                let text = text(&refused);
                Failure::Query(if rows { SqlError::Rows(text) } else { SqlError::Statement(text) })
            }
            other => Failure::Connection(reason(&other)),
        }
    }
}

/// The server's error as `go-sql-driver/mysql` writes it.
fn text(ServerError { code, state, message }: &ServerError) -> String {
    match &**state {
        "" => format!("Error {code}: {message}"),
        state => format!("Error {code} ({state}): {message}"),
    }
}

/// After these the server closes the connection: it shuts down, or the connection was killed or idle
/// for too long.
const LAST_WORDS: [u16; 4] = [1053, 1152, 1927, 4031];

/// ER_UNSUPPORTED_PS
pub(super) fn cannot_be_prepared(error: &Error) -> bool {
    matches!(error, Error::Server(ServerError { code: 1295, .. }))
}

/// The server has no TLS.
pub(super) fn has_no_tls(error: &Error) -> bool {
    matches!(error, Error::Driver(DriverError::NoClientSslFlagFromServer))
}

/// Errors at log-in that will be the same next time: no access, to the database either; from this
/// host, with this plug-in, by a locked account; a variable or character set that is none.
const REFUSALS: [u16; 14] =
    [1044, 1045, 1049, 1115, 1130, 1142, 1193, 1227, 1231, 1251, 1273, 1524, 1698, 3118];

/// Why there is no connection. `user` is kept out of the text.
pub(super) fn of_connect(error: &Error, user: &str) -> ConnectError {
    match error {
        Error::Server(refused) => {
            let text = text(refused).replace(&format!("user '{user}'"), "the user of the DSN");
            match REFUSALS.contains(&refused.code) {
                true => ConnectError::Refused(text),
                false => ConnectError::Unreachable(text),
            }
        }
        Error::Driver(
            DriverError::NoClientSslFlagFromServer
            | DriverError::UnknownAuthPlugin { .. }
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::CleartextPluginDisabled,
        ) => ConnectError::Refused(reason(error)),
        // There is no authority to ask, or the one that there is says no.
        Error::Io(IoError::Tls(_)) => ConnectError::Refused(reason(error)),
        other if has_bad_certificate(other) => ConnectError::Refused(reason(other)),
        other => ConnectError::Unreachable(reason(other)),
    }
}

/// Some of the driver's errors hold values, which are nobody's business here.
fn reason(error: &Error) -> String {
    match error {
        Error::Driver(DriverError::FromValue { .. } | DriverError::FromRow { .. }) => {
            String::from("an answer of another form than expected")
        }
        Error::Driver(error) => error.to_string(),
        Error::Io(IoError::Io(error)) => error.to_string(),
        Error::Io(IoError::Tls(error)) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::{Error, ServerError};

    use super::{Failure, of_connect};
    use crate::backend::link::ConnectError;

    fn error(code: u16, state: &str, message: &str) -> Error {
        Error::Server(ServerError { code, state: state.into(), message: message.into() })
    }

    #[test]
    fn texts_are_those_of_gos_driver() {
        for (state, text) in [("42S02", "Error 1146 (42S02): no"), ("", "Error 1146: no")] {
            match Failure::of_query(error(1146, state, "no")) {
                Failure::Query(shown) => assert_eq!(shown.to_string(), text),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn refusals_are_told_from_what_passes() {
        let denied = error(1045, "28000", "Access denied for user 'app'@'h'");
        let text = "Error 1045 (28000): Access denied for the user of the DSN@'h'";
        assert_eq!(of_connect(&denied, "app"), ConnectError::Refused(text.into()));
        let full = of_connect(&error(1040, "08004", "Too many connections"), "app");
        assert!(matches!(full, ConnectError::Unreachable(_)), "{full:?}");
    }
}
