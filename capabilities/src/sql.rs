//! SQL: queries and statements as text, on PostgreSQL or MySQL, by connections that the shard owns.
//!
//! # What a result looks like
//! Rows are a JSON array of objects with sorted keys, `null` when there are none; of columns with
//! one name the last counts. Integers, floats, booleans and text are what they are in JSON; dates
//! and times are RFC 3339; everything else (numeric, uuid, json, enums, arrays, intervals, bytes,
//! infinite dates) is base64 of its text, or of the bytes themselves where the type is bytes. A
//! result has at most 64 MiB.
//!
//! # Where this is not what Tarmac does
//! Each is what its users wanted. [`SqlConfig::compat`] brings Tarmac's behaviour back where it says
//! so.
//! - PostgreSQL `exec` succeeds: 200, the rows affected, and 0 for the last id, which PostgreSQL does
//!   not have. In Tarmac, and with `compat`, every exec that worked is 206 and an error.
//! - MySQL gives numbers as numbers, text as text and dates as RFC 3339. In Tarmac, and with
//!   `compat`, every column is base64 of its text; dates are RFC 3339 with `parseTime=true`.
//! - A transaction begins and ends within one query. One that is left open is an error and is rolled
//!   back. Tarmac leaves it open on a connection of its pool, where other functions' statements fall
//!   into it and are lost with it. There is no setting to have that back.
//! - What a query changes of its session (`SET`, `LISTEN`, temporary tables, prepared statements,
//!   advisory locks) ends with the query. In Tarmac it stays with one connection of the pool.
//! - A call has a limit of time ([`BackendTimes::call`]); the server is told to end a query that
//!   nobody waits for any more.

pub mod dsn;
pub mod mysql;
pub mod postgres;
mod sessions;
mod time;
mod value;

use std::rc::Rc;

pub use dsn::{DsnError, check_dsn};

use crate::backend::{BackendError, BackendTimes, Network, ShardBackend};
use crate::payload::responses::{Rows, TooLarge};
use crate::secret::Secret;
use mysql::Mysql;
use postgres::Postgres;

/// Which database, by the names of the setting `sql_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlKind {
    Postgres,
    Mysql,
}

impl SqlKind {
    /// Such as `postgres`: the name of the back end too.
    pub fn name(self) -> &'static str {
        match self {
            SqlKind::Postgres => "postgres",
            SqlKind::Mysql => "mysql",
        }
    }
}

/// What the SQL capability is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlConfig {
    pub kind: SqlKind,
    /// As Go's drivers read it: see [`check_dsn`].
    pub dsn: Secret,
    /// Connections of one shard. PostgreSQL's carry any number of queries at once and need as many
    /// more, on demand, for queries that change their session; MySQL's carry one query each.
    pub connections: usize,
    /// Answer as Tarmac does even where that breaks guests.
    pub compat: bool,
}

impl SqlConfig {
    /// Where the database is, for people: hosts, ports and the database's name.
    pub fn target(&self) -> String {
        dsn::target(self.kind, self.dsn.reveal())
    }
}

/// Why SQL was not done. Displays as the reason that the guest is shown, which begins with the step
/// that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The database refused the statement; the text is the one that Go's driver makes of it.
    #[error("{0}")]
    Statement(String),
    /// It failed after rows of its result had come.
    #[error("{0}")]
    Rows(String),
    /// A value that JSON cannot hold, such as a float that is no number.
    #[error("{0}")]
    Unrepresentable(String),
    /// Rows that we do not take: too many bytes, or not what the database said they are.
    #[error("{0}")]
    Result(String),
    /// The database could not be asked.
    #[error(transparent)]
    Server(#[from] BackendError),
}

impl From<TooLarge> for SqlError {
    fn from(error: TooLarge) -> SqlError {
        SqlError::Result(error.to_string())
    }
}

/// What a statement without result did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Executed {
    pub(crate) rows_affected: i64,
    /// Or why there is none, in the words of Go's driver.
    pub(crate) last_insert_id: Result<i64, &'static str>,
}

/// A shard's database.
#[derive(Debug)]
pub enum Sql {
    Postgres(Postgres),
    Mysql(Mysql),
}

impl Sql {
    /// Connects. A database that cannot be reached is no error: it is tried again.
    ///
    /// # Errors
    /// The DSN is of no use, or the database refuses us.
    pub async fn open(
        config: &SqlConfig,
        network: &Network,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Sql, BackendError> {
        match config.kind {
            SqlKind::Postgres => {
                Postgres::open(config, network, backend, times).await.map(Sql::Postgres)
            }
            SqlKind::Mysql => Mysql::open(config, network, backend, times).await.map(Sql::Mysql),
        }
    }

    /// Runs a query and writes its first result to `rows`. After an error `rows` holds anything.
    pub(crate) async fn query(&self, query: &[u8], rows: &mut Rows<'_>) -> Result<(), SqlError> {
        match self {
            Sql::Postgres(postgres) => postgres.query(query, rows).await,
            Sql::Mysql(mysql) => mysql.query(query, rows).await,
        }
    }

    /// Runs a statement whose rows, if any, nobody wants.
    pub(crate) async fn exec(&self, query: &[u8]) -> Result<Executed, SqlError> {
        match self {
            Sql::Postgres(postgres) => postgres.exec(query).await,
            Sql::Mysql(mysql) => mysql.exec(query).await,
        }
    }
}
