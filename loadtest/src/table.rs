//! Medians, spreads and Markdown tables.

use std::fmt;

use serde::Serialize;

/// Median and both ends of a few samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// `None` when there are no samples; those that are no number are none. Of an even number the
    /// median is the mean of the middle two.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let known = samples.into_iter().filter(|sample| !sample.is_nan());
        let mut sorted: Vec<f64> = known.collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = sorted.len() / 2;
        let lower = (sorted.len() - 1) / 2;
        Some(Spread { median: sorted[lower].midpoint(sorted[upper]), min, max })
    }

    /// `median (min..max)`, or the median alone when nothing varies.
    pub fn show(&self, format: impl Fn(f64) -> String) -> String {
        let [median, min, max] = [self.median, self.min, self.max].map(format);
        if min == max { median } else { format!("{median} ({min}..{max})") }
    }
}

/// `show` of a spread that may not exist.
pub fn show(spread: Option<Spread>, format: impl Fn(f64) -> String) -> String {
    spread.map_or_else(|| "-".to_owned(), |spread| spread.show(format))
}

pub fn fixed(decimals: usize) -> impl Fn(f64) -> String {
    move |value| format!("{value:.decimals$}")
}

/// Rounded to a whole number, with a comma every three digits.
pub fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as MiB.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Rows of text under a head; printed as Markdown whose columns also line up in a terminal.
#[derive(Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Table {
        Table { head: head.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// `row` has one cell for each name in the head.
    pub fn push(&mut self, row: impl Into<Vec<String>>) {
        let row = row.into();
        debug_assert_eq!(row.len(), self.head.len());
        self.rows.push(row);
    }

    fn widths(&self) -> Vec<usize> {
        let column = |index: usize| {
            let cells = self.rows.iter().map(move |row| row[index].chars().count());
            cells.chain([self.head[index].chars().count()]).max().unwrap_or(0)
        };
        (0..self.head.len()).map(column).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "| {cell:>width$} ")?;
            }
            writeln!(f, "|")
        };
        line(f, &self.head)?;
        for width in &widths {
            write!(f, "|{:->width$}:", "-", width = width + 1)?;
        }
        writeln!(f, "|")?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

#[cfg(test)]
mod tests {
    use super::{Spread, Table, fixed, show, whole};

    #[test]
    fn spreads() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::NAN]), None);
        let three = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(three, Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([1.0, 4.0]).unwrap().median, 2.5);
        assert_eq!(three.show(fixed(1)), "2.0 (1.0..3.0)");
        assert_eq!(show(Spread::of([7.0]), whole), "7");
        assert_eq!(show(None, whole), "-");
    }

    #[test]
    fn whole_numbers_are_grouped() {
        for (value, want) in
            [(0.4, "0"), (999.0, "999"), (1000.0, "1,000"), (1234567.8, "1,234,568")]
        {
            assert_eq!(whole(value), want);
        }
    }

    #[test]
    fn tables_line_up() {
        let mut table = Table::new(&["name", "n"]);
        table.push(["a".to_owned(), "10,000".to_owned()]);
        let want = "| name |      n |\n|-----:|-------:|\n|    a | 10,000 |\n";
        assert_eq!(table.to_string(), want);
    }
}
