//! The prepared statements of one connection, by their text. Bounded: the one that was not used for
//! longest goes, and the server is told to forget it.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Statement;

use super::column::Column;
use crate::payload::responses::Layout;

/// Statements that a connection remembers. A server keeps a few KiB for each.
const STATEMENTS_MAX: usize = 256;
/// A longer text is not remembered: it is data rather than a statement.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// What is run as text is not bound to what was prepared: were the columns' types to change, nobody
/// would say so. They are asked for again after this long.
const TYPES_MAX_AGE: Duration = Duration::from_secs(5);

/// A statement that the server has prepared.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) statement: Statement,
    pub(super) columns: Vec<Column>,
    pub(super) layout: Layout,
    /// Every column can be read in binary.
    pub(super) binary: bool,
    at: Instant,
    used: Cell<u64>,
}

impl Prepared {
    /// `utc`: the session's zone is.
    pub(super) fn new(statement: Statement, utc: bool) -> Prepared {
        let columns: Vec<_> =
            statement.columns().iter().map(|column| Column::of(column.type_())).collect();
        let layout = Layout::new(statement.columns().iter().map(|column| column.name()));
        let binary = columns.iter().all(|column| column.has_binary(utc));
        let at = Instant::now();
        Prepared { statement, columns, layout, binary, at, used: Cell::new(0) }
    }
}

#[derive(Debug, Default)]
pub(super) struct Statements {
    by_text: HashMap<Box<str>, Rc<Prepared>>,
    /// Counts uses, to tell which statement's last is longest ago.
    clock: u64,
}

impl Statements {
    pub(super) fn get(&mut self, text: &str) -> Option<Rc<Prepared>> {
        let found = self.by_text.get(text)?;
        if !found.binary && found.at.elapsed() > TYPES_MAX_AGE {
            self.by_text.remove(text);
            return None;
        }
        self.clock += 1;
        found.used.set(self.clock);
        Some(Rc::clone(found))
    }

    pub(super) fn put(&mut self, text: &str, prepared: &Rc<Prepared>) {
        if text.len() > TEXT_BYTES_MAX {
            return;
        }
        if self.by_text.len() >= STATEMENTS_MAX {
            let oldest = self.by_text.iter().min_by_key(|(_, prepared)| prepared.used.get());
            if let Some(text) = oldest.map(|(text, _)| text.clone()) {
                self.by_text.remove(&text);
            }
        }
        self.clock += 1;
        prepared.used.set(self.clock);
        self.by_text.insert(text.into(), Rc::clone(prepared));
    }

    /// The server no longer has it, or has it for other columns.
    pub(super) fn forget(&mut self, text: &str) {
        self.by_text.remove(text);
    }
}
