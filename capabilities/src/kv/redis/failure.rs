//! What can go wrong with a Redis command, and what each of it means: for the guest's call, for the
//! connection, for the server's start.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerError};

use crate::backend::FailureKind;
use crate::backend::dial;
use crate::backend::link::ConnectError;

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A command that was not answered as asked.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The connection is gone.
    Lost { reason: String, tls: bool },
    /// What came is no answer to what was asked: neither is anything that comes after it.
    Garbled,
    /// The server says no.
    Refused { code: String, text: String },
}

impl From<RedisError> for Failure {
    /// Of the connection; what servers say comes as a value.
    fn from(error: RedisError) -> Failure {
        if error.kind() == ErrorKind::Parse {
            return Failure::Garbled;
        }
        // The crate shares its source among the clones of an error.
        let source = error.source().and_then(|source| source.downcast_ref::<Source>());
        let inner = source.and_then(|source| source.downcast_ref::<io::Error>());
        let reason = match inner {
            // How the driver says that it has ended, whatever it has ended of.
            Some(inner) if inner.kind() != io::ErrorKind::BrokenPipe => inner.to_string(),
            _ => String::from("connection lost"),
        };
        Failure::Lost { reason, tls: inner.is_some_and(dial::is_tls) }
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Failure {
        let code = error.code().to_owned();
        let text = match error.details() {
            Some(details) => format!("{code} {details}"),
            None => code.clone(),
        };
        Failure::Refused { code, text }
    }
}

impl Failure {
    /// Whether the connection may be of no use to other calls either.
    pub(super) fn casts_doubt(&self) -> bool {
        match self {
            Failure::Lost { .. } | Failure::Garbled => true,
            // A server that is no longer the master, is reading its data, or knows us no more.
            Failure::Refused { code, .. } => {
                matches!(&**code, "READONLY" | "LOADING" | "MASTERDOWN" | "NOAUTH")
            }
        }
    }

    pub(super) fn wants_login(&self) -> bool {
        matches!(self, Failure::Refused { code, .. } if code == "NOAUTH")
    }

    /// Whether a connection that fails to get ready like this will always do.
    fn lasts(&self) -> bool {
        match self {
            Failure::Lost { tls, .. } => *tls,
            Failure::Garbled => true,
            Failure::Refused { code, text } => match &**code {
                "WRONGPASS" | "NOAUTH" | "NOPERM" | "DENIED" => true,
                // Too many clients pass; a database that is not there, or a password where the
                // server has none, stay.
                "ERR" => !text.contains("max number of clients"),
                _ => false,
            },
        }
    }
}

impl From<Failure> for ConnectError {
    fn from(failure: Failure) -> ConnectError {
        match failure.lasts() {
            true => ConnectError::Refused(failure.to_string()),
            false => ConnectError::Unreachable(failure.to_string()),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Failure::Lost { reason, .. } => reason,
            Failure::Garbled => "the answer is not Redis's",
            Failure::Refused { text, .. } => text,
        })
    }
}

impl From<Failure> for (FailureKind, String) {
    fn from(failure: Failure) -> (FailureKind, String) {
        let kind = match failure {
            Failure::Lost { .. } | Failure::Garbled => FailureKind::Connection,
            Failure::Refused { .. } => FailureKind::Refused,
        };
        (kind, failure.to_string())
    }
}
