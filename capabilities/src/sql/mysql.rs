//! MySQL and MariaDB. A connection carries one query at a time; a shard has a few, and queries wait
//! for one.

mod column;
mod connect;
pub(super) mod dsn;
mod failure;
mod pool;
mod route;

use std::rc::Rc;

use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Conn, QueryResult, Row};

use super::{Executed, SqlConfig, SqlError};
use crate::backend::link::Link;
use crate::backend::{BackendError, BackendTimes, FailureKind, Network, ShardBackend};
use crate::payload::responses::{Layout, Rows};
use column::Column;
use connect::Server;
use dsn::MysqlDsn;
use failure::Failure;
use pool::{MysqlDriver, Pool};
use route::Route;

/// A shard's connections to MySQL.
#[derive(Debug)]
pub struct Mysql {
    link: Link<MysqlDriver>,
    style: Style,
}

/// What values look like.
#[derive(Debug, Clone, Copy)]
struct Style {
    /// Base64 of their text.
    compat: bool,
    /// But for dates.
    parse_time: bool,
    /// The DSN allows several statements in a query.
    several: bool,
}

impl Mysql {
    /// Connects. A server that cannot be reached is no error: it is tried again.
    ///
    /// # Errors
    /// The DSN is of no use, or the server refuses us.
    pub async fn open(
        config: &SqlConfig,
        network: &Network,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Mysql, BackendError> {
        let dsn = MysqlDsn::parse(config.dsn.reveal())
            .map_err(|error| backend.backend().error(FailureKind::Refused, error.to_string()))?;
        let style = Style {
            compat: config.compat,
            parse_time: dsn.parse_time,
            several: dsn.several_statements,
        };
        let server = Rc::new(Server::new(dsn, network, times));
        let driver = MysqlDriver::new(server, config.connections.max(1));
        let link = Link::open(driver, backend, times).await?;
        Ok(Mysql { link, style })
    }

    pub(super) async fn query(&self, query: &[u8], rows: &mut Rows<'_>) -> Result<(), SqlError> {
        self.run(query, Some(rows)).await.map(drop)
    }

    pub(super) async fn exec(&self, query: &[u8]) -> Result<Executed, SqlError> {
        self.run(query, None).await
    }

    async fn run(&self, query: &[u8], rows: Option<&mut Rows<'_>>) -> Result<Executed, SqlError> {
        let style = self.style;
        let ran = self.link.call(async |pool: &Pool| match run(pool, style, query, rows).await {
            Ok(executed) => Ok(Ok(executed)),
            Err(Failure::Query(error)) => Ok(Err(error)),
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

async fn run(
    pool: &Pool,
    style: Style,
    query: &[u8],
    rows: Option<&mut Rows<'_>>,
) -> Result<Executed, Failure> {
    let route = Route::of(query, style.several)?;
    let mut lease = pool.lease().await?;
    let ran = match lease.conn() {
        Some(conn) => run_on(conn, route, style, query, rows).await,
        None => Err(Failure::Connection(String::from("no connection"))),
    };
    if is_over(&ran) {
        lease.give_back(route.lingers).await;
    }
    ran
}

/// Whether the server has nothing more to say about a query.
fn is_over<T>(ran: &Result<T, Failure>) -> bool {
    !matches!(ran, Err(Failure::Connection(_) | Failure::Query(SqlError::Result(_))))
}

async fn run_on(
    conn: &mut Conn,
    route: Route,
    style: Style,
    query: &[u8],
    rows: Option<&mut Rows<'_>>,
) -> Result<Executed, Failure> {
    if route.maybe_several {
        match conn.prep(query).await {
            Ok(statement) => {
                let result = conn.exec_iter(statement, ()).await;
                return read(result.map_err(Failure::of_query)?, style, rows).await;
            }
            // It is one statement, of a kind that cannot be prepared.
            Err(error) if failure::cannot_be_prepared(&error) => {}
            Err(error) => return Err(Failure::of_query(error)),
        }
    }
    let result = conn.query_iter(query).await;
    read(result.map_err(Failure::of_query)?, style, rows).await
}

/// Reads the first result that has rows; what else there is, is read and forgotten.
async fn read<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    style: Style,
    rows: Option<&mut Rows<'_>>,
) -> Result<Executed, Failure> {
    let Some(rows) = rows else { return execute(result).await };
    while result.columns_ref().is_empty() && !result.is_empty() {
        result.next().await.map_err(Failure::of_query)?;
    }
    let columns: Vec<_> = result.columns_ref().iter().map(|meta| Column::of(meta, style)).collect();
    let names: Vec<_> = result.columns_ref().iter().map(|meta| meta.name_str()).collect();
    let layout = Layout::new(names.iter().map(|name| &**name));
    let (mut any, mut problem) = (false, Ok(()));
    rows.begin(&layout);
    while !result.is_empty() {
        let row = result.next().await;
        let Some(row) = row.map_err(|error| Failure::of_rows(error, any))? else { break };
        any = true;
        if problem.is_ok() {
            problem = write(rows, &layout, &columns, &row);
        }
        if let Err(error @ SqlError::Result(_)) = problem {
            return Err(error.into());
        }
    }
    rows.end();
    result.drop_result().await.map_err(|error| Failure::of_rows(error, true))?;
    problem?;
    Ok(NOTHING)
}

/// Reads all results; the last one tells what was done.
async fn execute<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
) -> Result<Executed, Failure> {
    loop {
        let has_rows = !result.columns_ref().is_empty();
        let last = if has_rows { NOTHING } else { executed(&result) };
        if result.is_empty() {
            return Ok(last);
        }
        while result.next().await.map_err(Failure::of_query)?.is_some() {}
        // A result without rows is over when the next one has begun, which may be the last.
        if has_rows && result.is_empty() {
            return Ok(last);
        }
    }
}

/// Statements with a result of rows change none.
const NOTHING: Executed = Executed { rows_affected: 0, last_insert_id: Ok(0) };

fn executed<P: Protocol>(result: &QueryResult<'_, 'static, P>) -> Executed {
    Executed {
        rows_affected: i64::try_from(result.affected_rows()).unwrap_or(i64::MAX),
        last_insert_id: Ok(result.last_insert_id().unwrap_or(0).cast_signed()),
    }
}

fn write(
    rows: &mut Rows<'_>,
    layout: &Layout,
    columns: &[Column],
    row: &Row,
) -> Result<(), SqlError> {
    rows.row(layout, |column, out| match row.as_ref(column) {
        Some(value) => columns[column].push(out, value),
        None => Err(column::malformed()),
    })
}
