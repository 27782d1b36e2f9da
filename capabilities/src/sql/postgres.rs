//! PostgreSQL. A few connections per shard carry all queries, each any number at once; queries that
//! may change their session get a connection of their own for as long as they run.

mod column;
mod connect;
pub(super) mod dsn;
pub(super) mod failure;
mod first;
mod numeric;
mod pipe;
mod pipes;
mod route;
mod run;
mod statements;
mod tls;

use std::rc::Rc;

use connect::Server;
use dsn::PostgresDsn;
use failure::Failure;
use pipes::{Pipes, PostgresDriver};
use route::Route;
use run::Shared;

use super::{Executed, SqlConfig, SqlError};
use crate::backend::link::Link;
use crate::backend::{BackendError, BackendTimes, FailureKind, Network, ShardBackend};
use crate::payload::responses::Rows;

/// A shard's connections to PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    link: Link<PostgresDriver>,
    last_insert_id: Result<i64, &'static str>,
}

/// What Go's driver says of a statement's last id.
const NO_LAST_ID: &str = "LastInsertId is not supported by this driver";

impl Postgres {
    /// Connects. A server that cannot be reached is no error: it is tried again.
    ///
    /// # Errors
    /// The DSN is of no use, or the server refuses us.
    pub async fn open(
        config: &SqlConfig,
        network: &Network,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Postgres, BackendError> {
        let server = PostgresDsn::parse(config.dsn.reveal())
            .and_then(|dsn| Server::new(dsn, network, times))
            .map_err(|error| backend.backend().error(FailureKind::Refused, error.to_string()))?;
        let counts = Rc::clone(&backend);
        let driver = PostgresDriver::new(Rc::new(server), config.connections.max(1), counts);
        let link = Link::open(driver, backend, times).await?;
        let last_insert_id = if config.compat { Err(NO_LAST_ID) } else { Ok(0) };
        Ok(Postgres { link, last_insert_id })
    }

    pub(super) async fn query(&self, query: &[u8], rows: &mut Rows<'_>) -> Result<(), SqlError> {
        self.run(query, Some(rows)).await.map(drop)
    }

    pub(super) async fn exec(&self, query: &[u8]) -> Result<Executed, SqlError> {
        let affected = self.run(query, None).await?;
        let rows_affected = i64::try_from(affected).unwrap_or(i64::MAX);
        Ok(Executed { rows_affected, last_insert_id: self.last_insert_id })
    }

    async fn run(&self, query: &[u8], rows: Option<&mut Rows<'_>>) -> Result<u64, SqlError> {
        let ran = self.link.call(async |pipes: &Pipes| match run(pipes, query, rows).await {
            Ok(affected) => Ok(Ok(affected)),
            Err(Failure::Query(error) | Failure::Cancelled(error)) => Ok(Err(error)),
            Err(Failure::Connection(reason)) => Err((FailureKind::Connection, reason)),
        });
        let ran = ran.await?;
        if let Err(error) = &ran {
            // Counted only: the guest is shown the error in the words of Go's driver.
            self.link.backend().failed(FailureKind::Refused, error.to_string());
        }
        ran
    }
}

async fn run(pipes: &Pipes, query: &[u8], mut rows: Option<&mut Rows<'_>>) -> Result<u64, Failure> {
    let query = text(query)?;
    let pipe = pipes.pick()?;
    // What was prepared on a shared connection may run there.
    let known = pipe.statements.borrow_mut().get(query);
    let route = if known.is_some() { Route::Shared } else { route::route(query) };
    let statements = match route {
        Route::Copy => return Err(refused("pq: COPY from or to the client is not supported")),
        Route::Alone(statements) => statements,
        Route::Shared => match pipes::shared(&pipe, query, known, rows.as_deref_mut()).await? {
            Shared::Ran(affected) => return Ok(affected),
            // It was skimmed wrongly; its statements cannot be told apart either.
            Shared::Several => Vec::new(),
        },
    };
    drop(pipe);
    pipes.alone(query, &statements, rows).await
}

/// The server wants UTF-8, in which its protocol has no zero.
fn text(query: &[u8]) -> Result<&str, Failure> {
    let invalid = |byte: u8| {
        let place = format!("invalid byte sequence for encoding \"UTF8\": 0x{byte:02x}");
        refused(&format!("pq: {place} (22021)"))
    };
    let text = std::str::from_utf8(query)
        .map_err(|error| invalid(query.get(error.valid_up_to()).copied().unwrap_or(0)))?;
    if text.contains('\0') { Err(invalid(0)) } else { Ok(text) }
}

fn refused(text: &str) -> Failure {
    Failure::Query(SqlError::Statement(text.to_owned()))
}
