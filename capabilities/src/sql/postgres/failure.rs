//! What went wrong on a connection, and what it means: the statement's fault, the connection's, or
//! the settings'.

use std::error::Error;

use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::backend::link::ConnectError;
use crate::sql::SqlError;

/// Why a query has no result.
#[derive(Debug)]
pub(super) enum Failure {
    Query(SqlError),
    /// Somebody asked the server to end it, and it has not been done.
    Cancelled(SqlError),
    /// The connection is of no use any more.
    Connection(String),
}

impl<E: Into<SqlError>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Query(error.into())
    }
}

/// An error in the course of `query`; `rows`: after rows of its result had come.
pub(super) fn of_query(error: &tokio_postgres::Error, query: &str, rows: bool) -> Failure {
    match error.as_db_error() {
        // The server ends the connection with these.
        Some(fatal) if fatal.severity() == "FATAL" || fatal.severity() == "PANIC" => {
            Failure::Connection(fatal.message().to_owned())
        }
        Some(refused) => {
            let text = text(refused, query);
            let error = if rows { SqlError::Rows(text) } else { SqlError::Statement(text) };
            match *refused.code() == SqlState::QUERY_CANCELED {
                true => Failure::Cancelled(error),
                false => Failure::Query(error),
            }
        }
        None => Failure::Connection(reason(error)),
    }
}

/// The server's error as `lib/pq` writes it.
fn text(error: &DbError, query: &str) -> String {
    let place = match error.position() {
        Some(ErrorPosition::Original(position)) => place(query, *position as usize),
        _ => String::new(),
    };
    format!("pq: {}{place} ({})", error.message(), error.code().code())
}

/// Where a character of the query is, counted from 1: its column, or line and column.
fn place(query: &str, position: usize) -> String {
    let several = query.contains('\n');
    let mut passed = 0;
    for (line, text) in query.split('\n').enumerate() {
        let len = text.chars().count() + 1;
        if passed + len >= position {
            let column = position.saturating_sub(passed).max(1);
            return match several {
                true => format!(" at position {}:{column}", line + 1),
                false => format!(" at column {column}"),
            };
        }
        passed += len;
    }
    String::new()
}

/// Whether a prepared statement was refused before it ran, because the schema has changed or the
/// server has forgotten it.
pub(super) fn is_stale(error: &tokio_postgres::Error) -> bool {
    let Some(error) = error.as_db_error() else { return false };
    let changed = *error.code() == SqlState::FEATURE_NOT_SUPPORTED
        && error.routine() == Some("RevalidateCachedQuery");
    changed || *error.code() == SqlState::INVALID_SQL_STATEMENT_NAME
}

/// Whether a text was not prepared because it has several statements.
pub(super) fn is_several(error: &tokio_postgres::Error) -> bool {
    let Some(error) = error.as_db_error() else { return false };
    *error.code() == SqlState::SYNTAX_ERROR && error.routine() == Some("exec_parse_message")
}

/// Why there is no connection. `user` is kept out of the text.
pub(super) fn of_connect(error: &tokio_postgres::Error, user: &str) -> ConnectError {
    if let Some(refused) = error.as_db_error() {
        let message = refused.message().replace(&format!("user \"{user}\""), "the user of the DSN");
        let text = format!("{message} ({})", refused.code().code());
        // Connection lost, no resources, operator's intervention, system error, internal error: all
        // of these pass. Anything else will be the same next time.
        let passes = ["08", "53", "57", "58", "XX"];
        return match refused.code().code().get(..2) {
            Some(class) if passes.contains(&class) => ConnectError::Unreachable(text),
            _ => ConnectError::Refused(text),
        };
    }
    let text = reason(error);
    // The kinds are told apart by nothing else.
    let refused = ["authentication error", "invalid configuration"].contains(&&*error.to_string())
        || text.contains("server does not support TLS")
        || has_bad_certificate(error);
    if refused { ConnectError::Refused(text) } else { ConnectError::Unreachable(text) }
}

/// The error's causes in one line.
fn reason(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Whether the server's certificate was refused.
pub(in crate::sql) fn has_bad_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
        cause = match error.downcast_ref::<std::io::Error>() {
            // An I/O error's source is that of the error in it, which is passed over.
            Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_are_counted_as_lib_pq_does() {
        for (query, position, expected) in [
            ("selec 1", 1, " at column 1"),
            ("select * from nope", 15, " at column 15"),
            ("select 'é', nope", 13, " at column 13"),
            ("select\n 1 + nope", 13, " at position 2:6"),
            ("a\nb", 2, " at position 1:2"),
            ("a\nb", 99, ""),
        ] {
            assert_eq!(place(query, position), expected, "{query:?} {position}");
        }
    }
}
