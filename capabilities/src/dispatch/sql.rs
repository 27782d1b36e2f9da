//! The sql operations as guests see them. Queries come in protobuf or JSON, statements to execute in
//! protobuf only.

use std::borrow::Cow;

use crate::error::CallError;
use crate::payload::responses::{self, Rows};
use crate::payload::{Format, requests};
use crate::sql::{Sql, SqlError};

const EMPTY: &str = "SQL Query must be defined";

pub(super) async fn query(
    sql: &Sql,
    payload: &[u8],
    response: &mut Vec<u8>,
) -> Result<(), CallError> {
    let request = requests::Query::decode(payload);
    let format = request.format;
    // That there is no query hides why there is none.
    if request.query.is_empty() {
        return Err(refused(response, format, 400, EMPTY, false));
    }
    if let Err(error) = request.decoded {
        return Err(refused(response, format, 400, error.to_string(), false));
    }
    let mut rows = Rows::new(response, format);
    match sql.query(&request.query, &mut rows).await {
        Ok(()) => Ok(()),
        Err(error) => Err(refused(response, format, 500, failed(&error), true)),
    }
}

/// Why a query gave no result: which step failed, and how.
fn failed(error: &SqlError) -> String {
    let step = match error {
        SqlError::Unrepresentable(_) => {
            return format!("Unable to convert query results to JSON - {error}");
        }
        SqlError::Statement(_) | SqlError::Server(_) => "unable to execute query",
        SqlError::Rows(_) => "error while processing query results",
        SqlError::Result(_) => "unable to process query results",
    };
    format!("Unable to execute query - {step} - {error}")
}

fn refused(
    response: &mut Vec<u8>,
    format: Format,
    code: u16,
    text: impl Into<Cow<'static, str>>,
    tried: bool,
) -> CallError {
    let text = text.into();
    response.clear();
    responses::query_refused(response, format, code, &text, tried);
    CallError::Status { code, text }
}

pub(super) async fn exec(
    sql: &Sql,
    payload: &[u8],
    response: &mut Vec<u8>,
) -> Result<(), CallError> {
    let query = requests::sql_text(payload).ok_or(CallError::SqlExec)?;
    if query.is_empty() {
        return Err(not_executed(response, 400, EMPTY, 0));
    }
    let executed = match sql.exec(query).await {
        Ok(executed) => executed,
        Err(error) => {
            return Err(not_executed(
                response,
                500,
                format!("Unable to execute query - {error}"),
                0,
            ));
        }
    };
    match executed.last_insert_id {
        Ok(id) => {
            responses::executed(response, (200, "OK"), id, executed.rows_affected);
            Ok(())
        }
        Err(reason) => {
            let text = format!("Unable to get last insert ID - {reason}");
            Err(not_executed(response, 206, text, executed.rows_affected))
        }
    }
}

fn not_executed(
    response: &mut Vec<u8>,
    code: u16,
    text: impl Into<Cow<'static, str>>,
    rows_affected: i64,
) -> CallError {
    let text = text.into();
    responses::executed(response, (code, &text), 0, rows_affected);
    CallError::Status { code, text }
}
