//! [`FirstResult`]: rows that come before it is known what they are.

use tokio_postgres::{SimpleColumn, SimpleQueryRow};

use crate::payload::responses::{RESULT_BYTES_MAX, TooLarge};

/// A result that is kept until its columns are known.
#[derive(Debug, Default)]
pub(super) struct FirstResult {
    pub(super) names: Vec<String>,
    /// Which of the statements gave it.
    pub(super) statement: usize,
    pub(super) rows: Vec<SimpleQueryRow>,
    bytes: usize,
    pub(super) ended: bool,
}

impl FirstResult {
    pub(super) fn new(columns: &[SimpleColumn], statement: usize) -> FirstResult {
        let names = columns.iter().map(|column| column.name().to_owned()).collect();
        FirstResult { names, statement, ..FirstResult::default() }
    }

    pub(super) fn push(&mut self, row: SimpleQueryRow) -> Result<(), TooLarge> {
        let length = |column| row.try_get(column).ok().flatten().map_or(0, str::len);
        self.bytes += (0..row.len()).map(length).sum::<usize>();
        self.rows.push(row);
        if self.bytes > RESULT_BYTES_MAX { Err(TooLarge) } else { Ok(()) }
    }
}
