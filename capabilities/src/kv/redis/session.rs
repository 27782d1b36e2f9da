//! One connection to a Redis server. Commands of many callers go out one behind the other and the
//! answers come back in that order: the `redis` crate's multiplexing, over a stream of our own.

use std::cell::RefCell;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, Value, cmd};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

use super::config::RedisConfig;
use super::failure::Failure;
use crate::backend::link::ConnectError;
use crate::secret::Secret;

/// Commands that wait to be written. Callers beyond that wait for one of these; each of them is a
/// guest, of which a shard has a bounded number.
const COMMANDS_WAITING_MAX: usize = 1024;

/// The user that has no name for servers before Redis 6.
const DEFAULT_USER: &str = "default";

pub(super) struct Session {
    /// The way to the driver's queue, cloned for each command that is under way.
    sender: MultiplexedConnection,
    /// Clones of commands that are over: making one is a dozen atomic operations.
    spare: RefCell<Vec<MultiplexedConnection>>,
    /// The task that writes and reads. Without it, whatever waits for an answer fails.
    driver: AbortHandle,
}

impl Session {
    /// Takes the stream over. Nothing is sent yet.
    pub(super) async fn begin(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Session, ConnectError> {
        // RESP2, the crate's default, needs no greeting, so any server and any proxy knows it, and
        // for what is asked here both versions read the same. The time of a call is the link's part.
        let nothing = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(COMMANDS_WAITING_MAX);
        let (sender, driver) = MultiplexedConnection::new_with_config(&nothing, stream, config)
            .await
            .map_err(Failure::from)?;
        let driver = tokio::task::spawn_local(driver).abort_handle();
        Ok(Session { sender, spare: RefCell::default(), driver })
    }

    /// Sends a command and waits for the answer, which `read` takes if it is of the kind that
    /// answers this command.
    pub(super) async fn ask<R>(
        &self,
        command: &Cmd,
        read: impl FnOnce(Value) -> Option<R>,
    ) -> Result<R, Failure> {
        let mut sender = self.spare.borrow_mut().pop().unwrap_or_else(|| self.sender.clone());
        let answer = sender.send_packed_command(command).await;
        // As many as commands were under way at once, and those are bounded.
        self.spare.borrow_mut().push(sender);
        match answer? {
            Value::ServerError(error) => Err(Failure::from(error)),
            answer => read(answer).ok_or_else(|| {
                // The answers to come may be somebody else's.
                self.close();
                Failure::Garbled
            }),
        }
    }

    /// Fails whatever waits for an answer.
    pub(super) fn close(&self) {
        self.driver.abort();
    }

    /// Says who we are, if there is anything to say.
    pub(super) async fn log_in(&self, config: &RedisConfig) -> Result<(), Failure> {
        let password = config.password.as_ref().map_or("", Secret::reveal);
        let mut login = cmd("AUTH");
        match config.user.as_deref() {
            None | Some(DEFAULT_USER) if password.is_empty() => return Ok(()),
            None | Some(DEFAULT_USER) => login.arg(password),
            Some(user) => login.arg(user).arg(password),
        };
        self.ask(&login, okay).await
    }

    pub(super) async fn select(&self, database: u16) -> Result<(), Failure> {
        match database {
            0 => Ok(()),
            number => self.ask(cmd("SELECT").arg(number), okay).await,
        }
    }

    pub(super) async fn ping(&self) -> Result<(), Failure> {
        let pong = |answer| matches!(answer, Value::SimpleString(_)).then_some(());
        self.ask(&cmd("PING"), pong).await
    }

    /// `master`, `slave` or `sentinel`.
    pub(super) async fn role(&self) -> Result<String, Failure> {
        self.ask(&cmd("ROLE"), |answer| match answer {
            Value::Array(parts) => text(parts.into_iter().next()?),
            _ => None,
        })
        .await
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

/// An answer that is just a confirmation.
pub(super) fn okay(answer: Value) -> Option<()> {
    matches!(answer, Value::Okay).then_some(())
}

pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
