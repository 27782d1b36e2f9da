//! What the driver's errors mean: whether a call may be at fault or the connection, and whether
//! trying to connect again can help.

use std::error::Error;
use std::fmt::Display;

use async_nats::client::{RequestError, RequestErrorKind};
use async_nats::jetstream::context::{
    self, CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind,
};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{ConnectError as NatsError, ConnectErrorKind};

use crate::backend::FailureKind;
use crate::backend::link::ConnectError;
use crate::tls;

/// What [`crate::backend::link::Link::call`] takes.
pub(super) type Failure = (FailureKind, String);

/// Who answers for JetStream; nobody does while it is off, has no leader or the bucket is gone.
const NO_RESPONDERS: &str =
    "JetStream does not answer: it is off, without a leader, or the bucket is gone";

pub(super) fn refused(reason: impl Display) -> Failure {
    (FailureKind::Refused, reason.to_string())
}

/// A request was not answered.
pub(super) fn not_answered(error: RequestError) -> Failure {
    match error.kind() {
        RequestErrorKind::NoResponders => (FailureKind::Unavailable, NO_RESPONDERS.to_owned()),
        RequestErrorKind::TimedOut => (FailureKind::Timeout, String::from("no answer in time")),
        RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => refused(error),
        RequestErrorKind::Other => (FailureKind::Connection, error.to_string()),
    }
}

/// No connection was made.
pub(super) fn not_connected(error: &NatsError) -> ConnectError {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            ConnectError::Refused(String::from("authorization violation: it wants another login"))
        }
        ConnectErrorKind::Tls => ConnectError::Refused(error.to_string()),
        _ => match tls::fault(error) {
            Some(fault) => ConnectError::Refused(format!("TLS: {fault}")),
            None => ConnectError::Unreachable(error.to_string()),
        },
    }
}

/// The bucket was neither found nor made.
pub(super) fn no_bucket(error: &(dyn Error + 'static)) -> ConnectError {
    match answer(error) {
        Some(answer) if is_lasting(&answer) => ConnectError::Refused(answer.to_string()),
        Some(answer) => ConnectError::Unreachable(answer.to_string()),
        None if is_unanswered(error) => ConnectError::Unreachable(NO_RESPONDERS.to_owned()),
        None => ConnectError::Unreachable(error.to_string()),
    }
}

/// Whether JetStream answered, and that there is no such bucket.
pub(super) fn is_absent(error: &(dyn Error + 'static)) -> bool {
    answer(error).is_some_and(|answer| answer.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// What JetStream itself said, wherever in `error` it is.
fn answer(error: &(dyn Error + 'static)) -> Option<jetstream::Error> {
    chain(error).find_map(|error| {
        let got = error.downcast_ref::<GetStreamError>().map(GetStreamError::kind);
        let created = error.downcast_ref::<CreateStreamError>().map(CreateStreamError::kind);
        match (got, created) {
            (Some(GetStreamErrorKind::JetStream(answer)), _) => Some(answer),
            (_, Some(CreateStreamErrorKind::JetStream(answer))) => Some(answer),
            _ => error.downcast_ref::<jetstream::Error>().cloned(),
        }
    })
}

fn is_unanswered(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| {
        let request = error.downcast_ref::<context::RequestError>();
        request.is_some_and(|error| error.kind() == context::RequestErrorKind::NoResponders)
    })
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Codes of HTTP's classes: 4xx is the request's fault, 5xx may pass. JetStream being off for this
/// account is a 503 that does not.
fn is_lasting(answer: &jetstream::Error) -> bool {
    answer.code() < 500
        || matches!(
            answer.error_code(),
            ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        )
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_trying_again_cannot_mend_is_refused() {
        let certificate = rustls::Error::from(rustls::CertificateError::NotValidForName);
        let io = |error: io::Error| NatsError::from(error);
        for (error, refused, text) in [
            (NatsError::new(ConnectErrorKind::AuthorizationViolation), true, "authorization"),
            (io(io::Error::other(certificate)), true, "TLS: invalid peer certificate"),
            (io(io::ErrorKind::ConnectionRefused.into()), false, "connection refused"),
            (NatsError::new(ConnectErrorKind::TimedOut), false, "timed out"),
        ] {
            let got = not_connected(&error);
            assert_eq!(matches!(got, ConnectError::Refused(_)), refused, "{got}");
            assert!(got.to_string().contains(text), "{got}");
        }
    }

    fn answered(code: u16, err_code: u64) -> GetStreamError {
        let answer = format!(r#"{{"code":{code},"err_code":{err_code},"description":"so"}}"#);
        let answer = serde_json::from_str(&answer).unwrap();
        GetStreamError::new(GetStreamErrorKind::JetStream(answer))
    }

    #[test]
    fn answers_of_jetstream_are_told_apart_by_their_code() {
        for (code, err_code, absent, refused) in [
            (404, 10059, true, true),
            (400, 10025, false, true),
            (503, 10039, false, true),
            (503, 10008, false, false),
        ] {
            let error = answered(code, err_code);
            assert_eq!(is_absent(&error), absent, "{err_code}");
            let got = no_bucket(&error);
            assert_eq!(matches!(got, ConnectError::Refused(_)), refused, "{got}");
        }
    }
}
