//! What a kind of back end brings to its link: how it is connected, probed and closed.

use std::future::Future;
use std::time::Duration;

/// How a kind of back end is reached.
pub trait Driver: 'static {
    type Connection: 'static;

    /// One attempt to reconnect. A server that is frozen takes connections and never answers: such
    /// an attempt must end soon after the server has come back to life.
    const ATTEMPT_MAX: Duration = Duration::from_secs(2);

    /// Connects and logs in, and readies what calls need (prepared statements, tables). It is
    /// given up after [`crate::backend::BackendTimes::connect`].
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, ConnectError>>;

    /// The cheapest round trip; an error says why the connection is of no use.
    fn probe(&self, connection: &Self::Connection) -> impl Future<Output = Result<(), String>>;

    /// How many connections to the back end this is, for the metrics.
    fn connections(&self, _connection: &Self::Connection) -> u64 {
        1
    }

    /// Ends a connection that counts as lost, so that calls under way on it fail now and not at
    /// their timeout. Without it, the connection ends with the last call that holds it.
    fn close(&self, connection: &Self::Connection) {
        let _ = connection;
    }
}

/// Why a connection could not be made. The texts name no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Trying again will not help: credentials, certificates, settings. At the server's start this
    /// ends it.
    #[error("{0}")]
    Refused(String),
    /// It may be there later.
    #[error("{0}")]
    Unreachable(String),
}

impl ConnectError {
    /// Says of which of several servers it is.
    #[must_use]
    pub fn at(self, place: &str) -> ConnectError {
        match self {
            ConnectError::Refused(reason) => ConnectError::Refused(format!("{place}: {reason}")),
            ConnectError::Unreachable(reason) => {
                ConnectError::Unreachable(format!("{place}: {reason}"))
            }
        }
    }
}
