//! The reference of all settings, printed from the table itself.

use std::io::{self, Write};

use super::keys::{KEYS, Key, Part};

/// Writes a Markdown table of every setting, its columns aligned so that it reads well as it is.
///
/// # Errors
///
/// Those of `out`.
pub fn write_reference(out: &mut dyn Write) -> io::Result<()> {
    let header = ["Variable", "Value", "Default", "Status", "Meaning"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(header).chain(KEYS.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 5] = std::array::from_fn(|column| width(column).unwrap_or(0));
    for (index, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            write!(out, "| {cell:width$} ")?;
        }
        writeln!(out, "|")?;
        if index == 0 {
            for width in widths {
                write!(out, "|{}", "-".repeat(width + 2))?;
            }
            writeln!(out, "|")?;
        }
    }
    Ok(())
}

fn row(key: &Key) -> [String; 5] {
    let default = (key.default)();
    let quoted = if default.is_empty() { String::new() } else { format!("`{default}`") };
    let variable = format!("`{}`", key.variable());
    [variable, (key.kind)(), quoted, status(key), key.doc.to_owned()]
}

fn status(key: &Key) -> String {
    match key.part {
        Part::Always => None,
        Part::Switch(feature) | Part::Of(feature) => feature.not_yet(),
    }
    .map_or_else(|| "in effect".to_owned(), |feature| format!("not yet ({feature})"))
}
