//! What a scenario hands back: a table to read, the bars it holds the server to, and every
//! sample as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::machine::Stage;
use crate::plot::Plot;
use crate::rows::Row;
use crate::table::Table;

pub struct Report {
    pub scenario: &'static str,
    pub table: Table,
    /// Facts about the run that the table has no column for.
    pub notes: Vec<String>,
    pub bars: Vec<Bar>,
    /// What another run is compared by.
    pub rows: Vec<Row>,
    /// Pictures for `--plot`.
    pub plots: Vec<Plot>,
    pub samples: Value,
}

/// One promise, and what was measured.
#[derive(Debug)]
pub struct Bar {
    promise: String,
    measured: String,
    met: bool,
}

impl Bar {
    pub fn at_most(promise: &str, measured: f64, limit: f64) -> Bar {
        Bar {
            promise: format!("{promise} <= {limit}"),
            measured: format!("{measured:.2}"),
            met: measured <= limit,
        }
    }

    pub fn none(promise: &str, count: u64) -> Bar {
        Bar::that(promise, count.to_string(), count == 0)
    }

    pub fn that(promise: &str, measured: String, met: bool) -> Bar {
        Bar { promise: promise.to_owned(), measured, met }
    }
}

impl Report {
    pub fn all_met(&self) -> bool {
        self.bars.iter().all(|bar| bar.met)
    }

    pub fn to_json(&self, stage: &Stage) -> Value {
        let bar =
            |bar: &Bar| json!({ "promise": bar.promise, "measured": bar.measured, "met": bar.met });
        json!({
            "scenario": self.scenario,
            "stage": stage.to_json(),
            "notes": self.notes,
            "bars": self.bars.iter().map(bar).collect::<Vec<_>>(),
            "rows": self.rows,
            "samples": self.samples,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table)?;
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        for bar in &self.bars {
            let verdict = if bar.met { "met   " } else { "MISSED" };
            writeln!(f, "{verdict}  {}: {}", bar.promise, bar.measured)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Bar;

    #[test]
    fn bars() {
        assert!(Bar::at_most("x", 1.05, 1.05).met);
        assert!(!Bar::at_most("x", 1.06, 1.05).met);
        assert!(!Bar::at_most("x", f64::NAN, 1.05).met);
        assert!(Bar::none("x", 0).met);
        assert!(!Bar::none("x", 1).met);
    }
}
