//! [`Pipes`]: a shard's connections to PostgreSQL, and how they are kept alive.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use super::connect::Server;
use super::failure::Failure;
use super::pipe::Pipe;
use super::route::begins_transaction;
use super::run::Shared;
use super::statements::Prepared;
use crate::backend::ShardBackend;
use crate::backend::link::{ConnectError, Driver};
use crate::payload::responses::Rows;
use crate::sql::SqlError;
use crate::sql::sessions::Sessions;

/// To replace a connection while others work. Together with a ping it is less than a probe may take.
const REPLACE_MAX: Duration = Duration::from_millis(900);

/// Connects and watches.
pub(super) struct PostgresDriver {
    server: Rc<Server>,
    /// Of pipes, and as many sessions at most.
    count: usize,
    backend: Rc<ShardBackend>,
}

pub(super) struct Pipes {
    server: Rc<Server>,
    pipes: RefCell<Vec<Rc<Pipe>>>,
    /// For queries that run alone.
    sessions: Sessions<Rc<Pipe>>,
}

impl PostgresDriver {
    pub(super) fn new(
        server: Rc<Server>,
        count: usize,
        backend: Rc<ShardBackend>,
    ) -> PostgresDriver {
        PostgresDriver { server, count, backend }
    }
}

impl Driver for PostgresDriver {
    type Connection = Pipes;

    async fn connect(&self) -> Result<Pipes, ConnectError> {
        let first = self.server.open().await?;
        let others = join_all((1..self.count).map(|_| self.server.open())).await;
        // One is enough to begin with; the next probe tries the others again.
        let pipes = std::iter::once(first).chain(others.into_iter().flatten()).collect();
        Ok(Pipes {
            server: Rc::clone(&self.server),
            pipes: RefCell::new(pipes),
            sessions: Sessions::new(self.count),
        })
    }

    async fn probe(&self, pipes: &Pipes) -> Result<(), String> {
        drop(pipes.sessions.take_old());
        let open: Vec<_> = pipes.pipes.borrow().clone();
        let answers = join_all(open.iter().map(|pipe| pipe.check())).await;
        let mut reason = String::from("no connection");
        let mut alive = Vec::with_capacity(self.count);
        for (pipe, answer) in open.into_iter().zip(answers) {
            match answer {
                Ok(()) => alive.push(pipe),
                Err(error) => reason = error,
            }
        }
        while alive.len() < self.count {
            match timeout(REPLACE_MAX, self.server.open()).await {
                Ok(Ok(pipe)) => {
                    self.backend.reconnected();
                    alive.push(pipe);
                }
                Ok(Err(error)) => {
                    reason = error.to_string();
                    break;
                }
                Err(_) => break,
            }
        }
        if alive.is_empty() {
            return Err(reason);
        }
        *pipes.pipes.borrow_mut() = alive;
        Ok(())
    }

    fn connections(&self, pipes: &Pipes) -> u64 {
        (pipes.pipes.borrow().len() + pipes.sessions.open()) as u64
    }
}

impl Pipes {
    /// The connection with the fewest queries. One that is stuck will do while there is no other.
    pub(super) fn pick(&self) -> Result<Rc<Pipe>, Failure> {
        let pipes = self.pipes.borrow();
        let usable = pipes.iter().filter(|pipe| !pipe.client.is_closed());
        let best = usable.min_by_key(|pipe| (!pipe.is_open(), pipe.load()));
        best.cloned().ok_or_else(|| Failure::Connection(String::from("connection closed")))
    }

    /// Runs a query on a connection of its own and cleans up behind it.
    pub(super) async fn alone(
        &self,
        query: &str,
        statements: &[&str],
        rows: Option<&mut Rows<'_>>,
    ) -> Result<u64, Failure> {
        let _place = self.sessions.place().await;
        let call = self.session().await?.begin();
        let ran = call.pipe.alone(query, statements, rows).await;
        if !is_over(&ran) {
            return ran.map(|ran| ran.affected);
        }
        let failed = ran.is_err() && begins_transaction(statements);
        let clean = clean_up(&call.pipe, failed).await;
        let pipe = Rc::clone(&call.pipe);
        call.done();
        let in_transaction =
            |error: &tokio_postgres::Error| error.code() == Some(&SqlState::ACTIVE_SQL_TRANSACTION);
        match (&ran, clean) {
            (Ok(ran), Ok(())) if ran.reusable => self.sessions.put(pipe),
            (Err(_), Ok(())) => self.sessions.put(pipe),
            (Ok(_), Err(error)) if in_transaction(&error) => return Err(left_open()),
            // The connection ends here, and with it what is left of the session.
            _ => {}
        }
        ran.map(|ran| ran.affected)
    }

    async fn session(&self) -> Result<Rc<Pipe>, Failure> {
        while let Some(pipe) = self.sessions.take() {
            if pipe.is_open() {
                return Ok(pipe);
            }
        }
        let opened = self.server.open().await;
        opened.map_err(|error| Failure::Connection(error.to_string()))
    }
}

impl fmt::Debug for Pipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipes").field("pipes", &self.pipes).finish_non_exhaustive()
    }
}

/// Runs a query among others. If it was ended in place of another, it is run again: it is a single
/// statement, of which then nothing has been done.
pub(super) async fn shared(
    pipe: &Rc<Pipe>,
    query: &str,
    known: Option<Rc<Prepared>>,
    mut rows: Option<&mut Rows<'_>>,
) -> Result<Shared, Failure> {
    let call = pipe.begin();
    let mut ran = call.shared(query, known, rows.as_deref_mut()).await;
    if matches!(ran, Err(Failure::Cancelled(_))) && pipe.cancelled_lately() {
        call.again();
        ran = call.shared(query, None, rows).await;
    }
    if is_over(&ran) {
        call.done();
    }
    ran
}

/// Leaves nothing of what a query did to its session. Fails if a transaction is open.
async fn clean_up(pipe: &Pipe, failed_transaction: bool) -> Result<(), tokio_postgres::Error> {
    if failed_transaction {
        pipe.client.batch_execute("ROLLBACK").await?;
    }
    pipe.client.batch_execute("DISCARD ALL").await?;
    pipe.set_up().await
}

fn left_open() -> Failure {
    let text = "the query left a transaction open, which was rolled back: \
                a transaction must begin and end in one query";
    Failure::Query(SqlError::Statement(String::from(text)))
}

/// Whether the server has nothing more to say about a query.
fn is_over<T>(ran: &Result<T, Failure>) -> bool {
    !matches!(ran, Err(Failure::Connection(_) | Failure::Query(SqlError::Result(_))))
}
