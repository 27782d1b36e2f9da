//! What the driver's errors mean: whether a call may be at fault or the connection, whether trying
//! to connect again can help, and the words for it.

use std::fmt::Display;

use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError,
    MetadataError, NewSessionError, PrepareError, RequestAttemptError,
};

use crate::backend::FailureKind;
use crate::backend::link::ConnectError;
use crate::tls;

/// What [`crate::backend::link::Link::call`] takes.
pub(super) type Failure = (FailureKind, String);

/// A statement was not executed.
pub(super) fn call_failed(error: ExecutionError) -> Failure {
    match error {
        ExecutionError::RequestTimeout(time) => {
            (FailureKind::Timeout, format!("no answer within {} ms", time.as_millis()))
        }
        ExecutionError::ConnectionPoolError(error) => {
            (FailureKind::Connection, pool_broken(&error).to_string())
        }
        ExecutionError::EmptyPlan => {
            (FailureKind::Connection, String::from("no node can be reached"))
        }
        ExecutionError::LastAttemptError(error) => {
            let kind = match error {
                RequestAttemptError::BrokenConnectionError(_) => FailureKind::Connection,
                _ => FailureKind::Refused,
            };
            (kind, said(&error))
        }
        error => (FailureKind::Refused, error.to_string()),
    }
}

/// An answer that is not what the statement asked for.
pub(super) fn unreadable(error: impl Display) -> Failure {
    (FailureKind::Refused, error.to_string())
}

/// No session was made.
pub(super) fn not_connected(error: &NewSessionError) -> ConnectError {
    match error {
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(error)) => {
            pool_broken(error)
        }
        NewSessionError::IllegalConfig(_) => ConnectError::Refused(error.to_string()),
        error => ConnectError::Unreachable(error.to_string()),
    }
}

/// A statement that readies the session was not executed.
pub(super) fn not_executed(error: ExecutionError) -> ConnectError {
    match error {
        ExecutionError::LastAttemptError(error) => by_answer(&error),
        error => ConnectError::Unreachable(call_failed(error).1),
    }
}

pub(super) fn not_prepared(error: PrepareError) -> ConnectError {
    match error {
        PrepareError::AllAttemptsFailed { first_attempt } => by_answer(&first_attempt),
        PrepareError::ConnectionPoolError(error) => pool_broken(&error),
        error => ConnectError::Unreachable(error.to_string()),
    }
}

/// Whether a statement names what is not there: a keyspace, a table, a column.
pub(super) fn is_unknown(error: &PrepareError) -> bool {
    let PrepareError::AllAttemptsFailed { first_attempt } = error else { return false };
    matches!(first_attempt, RequestAttemptError::DbError(DbError::Invalid, _))
}

fn by_answer(error: &RequestAttemptError) -> ConnectError {
    let lasting = match error {
        RequestAttemptError::DbError(answer, _) => is_lasting(answer),
        _ => false,
    };
    match lasting {
        true => ConnectError::Refused(said(error)),
        false => ConnectError::Unreachable(said(error)),
    }
}

/// Whether Cassandra will say the same again until somebody changes something.
fn is_lasting(answer: &DbError) -> bool {
    matches!(
        answer,
        DbError::AuthenticationError
            | DbError::Unauthorized
            | DbError::ConfigError
            | DbError::Invalid
            | DbError::SyntaxError
            | DbError::ProtocolError
    )
}

fn pool_broken(error: &ConnectionPoolError) -> ConnectError {
    match error {
        ConnectionPoolError::Broken { last_connection_error } => node_failed(last_connection_error),
        error => ConnectError::Unreachable(error.to_string()),
    }
}

fn node_failed(error: &ConnectionError) -> ConnectError {
    match error {
        ConnectionError::IoError(error) => match tls::fault(&**error) {
            Some(fault) => ConnectError::Refused(format!("TLS: {fault}")),
            None => ConnectError::Unreachable(error.to_string()),
        },
        ConnectionError::ConnectionSetupRequestError(error) => match error.get_error() {
            ConnectionSetupRequestErrorKind::DbError(answer, text) if is_lasting(answer) => {
                ConnectError::Refused(text.clone())
            }
            ConnectionSetupRequestErrorKind::MissingAuthentication => {
                ConnectError::Refused(String::from("it wants a user and a password"))
            }
            error => ConnectError::Unreachable(error.to_string()),
        },
        error => ConnectError::Unreachable(error.to_string()),
    }
}

/// In Cassandra's own words, if it was Cassandra that said no.
fn said(error: &RequestAttemptError) -> String {
    match error {
        RequestAttemptError::DbError(answer, text) if text.is_empty() => answer.to_string(),
        RequestAttemptError::DbError(_, text) => text.clone(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn broken(last_connection_error: ConnectionError) -> NewSessionError {
        let pool = ConnectionPoolError::Broken { last_connection_error };
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(pool))
    }

    #[test]
    fn what_trying_again_cannot_mend_is_refused() {
        let io = |error| broken(ConnectionError::IoError(Arc::new(error)));
        let certificate = rustls::Error::from(rustls::CertificateError::UnknownIssuer);
        for (error, refused, text) in [
            (io(io::Error::other(certificate)), true, "TLS: invalid peer certificate: Unknown"),
            (io(io::ErrorKind::ConnectionRefused.into()), false, "connection refused"),
            (broken(ConnectionError::ConnectTimeout), false, "Connect timeout elapsed"),
            (NewSessionError::IllegalConfig("it".into()), true, "it"),
            (NewSessionError::EmptyKnownNodesList, false, "Empty known nodes"),
        ] {
            let got = not_connected(&error);
            assert_eq!(matches!(got, ConnectError::Refused(_)), refused, "{got}");
            assert!(got.to_string().contains(text), "{got}");
        }
    }

    #[test]
    fn answers_of_cassandra_keep_its_words() {
        for (answer, text, refused, said) in [
            (DbError::Unauthorized, "no CREATE permission", true, "no CREATE permission"),
            (DbError::Invalid, "unknown column", true, "unknown column"),
            (DbError::IsBootstrapping, "", false, "bootstrapping"),
            (DbError::Overloaded, "later", false, "later"),
        ] {
            let attempt = RequestAttemptError::DbError(answer, String::from(text));
            let got = not_executed(ExecutionError::LastAttemptError(attempt.clone()));
            assert_eq!(matches!(got, ConnectError::Refused(_)), refused, "{got}");
            assert!(got.to_string().contains(said), "{got}");
            let (kind, reason) = call_failed(ExecutionError::LastAttemptError(attempt));
            assert_eq!(kind, FailureKind::Refused);
            assert!(reason.contains(said), "{reason}");
        }
    }

    #[test]
    fn calls_tell_a_broken_connection_from_a_late_answer() {
        for (error, kind) in [
            (ExecutionError::RequestTimeout(Duration::from_millis(5)), FailureKind::Timeout),
            (ExecutionError::EmptyPlan, FailureKind::Connection),
            (ConnectionPoolError::Initializing.into(), FailureKind::Connection),
        ] {
            assert_eq!(call_failed(error).0, kind);
        }
    }
}
