//! Queries on one connection. A shared one prepares them, so that their columns' types are known
//! before they run and the server plans them once; alone, they run as the text that they are.

use std::error::Error;
use std::pin::pin;
use std::rc::Rc;

use futures_util::TryStreamExt;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{RowStream, SimpleQueryMessage, SimpleQueryRow};

use super::column::Column;
use super::failure::{self, Failure};
use super::first::FirstResult;
use super::pipe::{Call, Pipe};
use super::statements::Prepared;
use crate::payload::responses::{Layout, Rows};
use crate::sql::SqlError;

/// What came of a query on a shared connection.
#[derive(Debug)]
pub(super) enum Shared {
    /// It ran; rows affected.
    Ran(u64),
    /// It did not: it is several statements.
    Several,
}

impl Call {
    /// Runs one statement among those of others, and writes its rows if somebody wants them. `known`:
    /// the statement, if it was looked up and found already.
    pub(super) async fn shared(
        &self,
        query: &str,
        mut known: Option<Rc<Prepared>>,
        mut rows: Option<&mut Rows<'_>>,
    ) -> Result<Shared, Failure> {
        let pipe = &self.pipe;
        let mut fresh = false;
        loop {
            let prepared = match known.take() {
                Some(known) => known,
                None => match pipe.prepared(query, &mut fresh).await {
                    Ok(prepared) => prepared,
                    Err(error) if failure::is_several(&error) => return Ok(Shared::Several),
                    Err(error) => return Err(failure::of_query(&error, query, false)),
                },
            };
            if fresh {
                self.again();
            }
            // What has parameters fails, and as text it fails with the words that guests know.
            if !prepared.binary || !prepared.statement.params().is_empty() {
                return pipe.as_text(query, &prepared, rows).await.map(Shared::Ran);
            }
            let none: [&str; 0] = [];
            match pipe.client.query_raw(&prepared.statement, none).await {
                Ok(stream) => {
                    let rows = rows.as_deref_mut();
                    return read(stream, query, &prepared, rows).await.map(Shared::Ran);
                }
                // It has not run, so it may be tried again with what the server knows now.
                Err(error) if failure::is_stale(&error) && !fresh => {
                    pipe.statements.borrow_mut().forget(query);
                }
                Err(error) => return Err(failure::of_query(&error, query, false)),
            }
        }
    }
}

impl Pipe {
    /// `fresh` is set if the statement had to be prepared.
    async fn prepared(
        &self,
        query: &str,
        fresh: &mut bool,
    ) -> Result<Rc<Prepared>, tokio_postgres::Error> {
        if let Some(prepared) = self.statements.borrow_mut().get(query) {
            return Ok(prepared);
        }
        *fresh = true;
        let statement = self.client.prepare(query).await?;
        let prepared = Rc::new(Prepared::new(statement, self.utc));
        self.statements.borrow_mut().put(query, &prepared);
        Ok(prepared)
    }

    /// Runs a statement as text, whose values then come as text too.
    async fn as_text(
        &self,
        query: &str,
        prepared: &Prepared,
        mut rows: Option<&mut Rows<'_>>,
    ) -> Result<u64, Failure> {
        let stream = self.client.simple_query_raw(query).await;
        let mut stream = pin!(stream.map_err(|error| failure::of_query(&error, query, false))?);
        let (mut affected, mut any, mut problem) = (0, false, Ok(()));
        let mut changed = None;
        if let Some(rows) = rows.as_deref_mut() {
            rows.begin(&prepared.layout);
        }
        loop {
            let message = stream.try_next().await;
            match message.map_err(|error| failure::of_query(&error, query, any))? {
                Some(SimpleQueryMessage::RowDescription(columns)) => {
                    let known = prepared.statement.columns().iter().map(|column| column.name());
                    if !columns.iter().map(|column| column.name()).eq(known) {
                        self.statements.borrow_mut().forget(query);
                        changed = Some(FirstResult::new(&columns, 0));
                    }
                }
                Some(SimpleQueryMessage::Row(row)) => {
                    any = true;
                    match (&mut changed, rows.as_deref_mut().filter(|_| problem.is_ok())) {
                        (_, None) => {}
                        (Some(result), _) => result.push(row)?,
                        (None, Some(rows)) => {
                            let (layout, columns) = (&prepared.layout, &prepared.columns);
                            problem = stop_or_drain(write_text(rows, layout, columns, &row))?;
                        }
                    }
                }
                Some(SimpleQueryMessage::CommandComplete(rows)) => affected = rows,
                Some(_) => {}
                None => break,
            }
        }
        problem?;
        match (changed, rows) {
            (Some(result), Some(rows)) => drop(self.write_first(&result, &[query], rows).await?),
            (None, Some(rows)) => rows.end(),
            (_, None) => {}
        }
        Ok(affected)
    }

    /// Runs whatever it is, alone on this connection, and writes the first result.
    pub(super) async fn alone(
        &self,
        query: &str,
        statements: &[&str],
        rows: Option<&mut Rows<'_>>,
    ) -> Result<Alone, Failure> {
        let stream = self.client.simple_query_raw(query).await;
        let mut stream = pin!(stream.map_err(|error| failure::of_query(&error, query, false))?);
        let mut first: Option<FirstResult> = None;
        let (mut affected, mut complete) = (0, 0);
        loop {
            let any = first.as_ref().is_some_and(|first| first.ended || !first.rows.is_empty());
            let message = stream.try_next().await;
            match message.map_err(|error| failure::of_query(&error, query, any))? {
                Some(SimpleQueryMessage::RowDescription(columns)) if first.is_none() => {
                    first = Some(FirstResult::new(&columns, complete));
                }
                Some(SimpleQueryMessage::Row(row)) => {
                    let first = first.as_mut().filter(|first| rows.is_some() && !first.ended);
                    first.map_or(Ok(()), |first| first.push(row))?;
                }
                Some(SimpleQueryMessage::CommandComplete(rows)) => {
                    affected = rows;
                    complete += 1;
                    first.iter_mut().for_each(|first| first.ended = true);
                }
                Some(_) => {}
                None => break,
            }
        }
        let Some(rows) = rows else { return Ok(Alone { affected, reusable: true }) };
        let first = first.unwrap_or_default();
        let reusable = self.write_first(&first, statements, rows).await?;
        Ok(Alone { affected, reusable })
    }

    /// Writes a result whose columns' types are asked for only now: then everything exists that they
    /// may depend on. The answer is that of [`Self::describe`].
    async fn write_first(
        &self,
        result: &FirstResult,
        statements: &[&str],
        rows: &mut Rows<'_>,
    ) -> Result<bool, SqlError> {
        let layout = Layout::new(result.names.iter().map(String::as_str));
        let (columns, reusable) = match statements.get(result.statement) {
            Some(statement) if !result.names.is_empty() => {
                self.describe(statement, &result.names).await
            }
            _ => (vec![Column::Text; result.names.len()], true),
        };
        rows.begin(&layout);
        for row in &result.rows {
            write_text(rows, &layout, &columns, row)?;
        }
        rows.end();
        Ok(reusable)
    }

    /// The types of a statement's columns; text, if it cannot be described any more. The second is
    /// whether the driver is as it was: to learn of a type that PostgreSQL did not come with, it
    /// prepares statements, which it misses when the session is cleaned up.
    async fn describe(&self, statement: &str, names: &[String]) -> (Vec<Column>, bool) {
        let unknown = || vec![Column::Text; names.len()];
        let Ok(described) = self.client.prepare(statement).await else { return (unknown(), false) };
        let columns = described.columns();
        let reusable = columns.iter().all(|column| Type::from_oid(column.type_().oid()).is_some());
        if !columns.iter().map(|column| column.name()).eq(names.iter().map(String::as_str)) {
            return (unknown(), reusable);
        }
        (columns.iter().map(|column| Column::of(column.type_())).collect(), reusable)
    }
}

/// What came of a query that ran alone.
#[derive(Debug)]
pub(super) struct Alone {
    pub(super) affected: u64,
    /// The connection may carry another, once it is cleaned up.
    pub(super) reusable: bool,
}

/// Reads a prepared statement's rows, which are in binary.
async fn read(
    stream: RowStream,
    query: &str,
    prepared: &Prepared,
    mut rows: Option<&mut Rows<'_>>,
) -> Result<u64, Failure> {
    let mut stream = pin!(stream);
    let (mut any, mut problem) = (false, Ok(()));
    if let Some(rows) = rows.as_deref_mut() {
        rows.begin(&prepared.layout);
    }
    loop {
        let row = stream.try_next().await;
        let Some(row) = row.map_err(|error| failure::of_query(&error, query, any))? else { break };
        any = true;
        let Some(rows) = rows.as_deref_mut().filter(|_| problem.is_ok()) else { continue };
        problem = stop_or_drain(rows.row(&prepared.layout, |column, out| {
            let value = row.try_get::<_, Option<Raw<'_>>>(column);
            match value.map_err(|error| SqlError::Result(error.to_string()))? {
                None => out.extend_from_slice(b"null"),
                Some(Raw(raw)) => prepared.columns[column].push_binary(out, raw)?,
            }
            Ok(())
        }))?;
    }
    problem?;
    rows.into_iter().for_each(Rows::end);
    Ok(stream.rows_affected().unwrap_or(0))
}

fn write_text(
    rows: &mut Rows<'_>,
    layout: &Layout,
    columns: &[Column],
    row: &SimpleQueryRow,
) -> Result<(), SqlError> {
    rows.row(layout, |column, out| {
        let value = row.try_get(column);
        match value.map_err(|error| SqlError::Result(error.to_string()))? {
            None => out.extend_from_slice(b"null"),
            Some(text) => columns[column].push_text(out, text)?,
        }
        Ok(())
    })
}

/// After a value that JSON cannot hold, the other rows are read and forgotten. A result that is too
/// large, or that is not what it should be, is not read to its end.
fn stop_or_drain(written: Result<(), SqlError>) -> Result<Result<(), SqlError>, Failure> {
    match written {
        Err(error @ SqlError::Result(_)) => Err(error.into()),
        other => Ok(other),
    }
}

/// A value's bytes, as they came.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
