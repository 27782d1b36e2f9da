//! The page as an aligned table, in microseconds.

use super::Page;
use super::summary::{QUANTILES_ARE, Summary};
use crate::telemetry::BackendStatus;
use crate::telemetry::bins::{SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use airside_capabilities::backend::FailureKind;

/// Of the table of back ends.
const BACKEND_NAMES: [&str; 4] = ["capability", "backend", "state", "target"];

pub(super) fn render(page: &Page<'_>) -> String {
    let mut text = header(page);
    let names: Vec<_> = page.query.by.iter().map(|by| by.label()).collect();
    let numbers = ["count", "rate/s"].into_iter().chain(Summary::time_names()).chain(["beyond"]);
    let header = names.iter().copied().chain(numbers).map(str::to_owned).collect();
    let rows = page.selection.series().map(|(place, bins)| {
        let values =
            page.labels(place).map(|(_, value)| if value.is_empty() { "-" } else { value });
        let mut row: Vec<_> = values.map(str::to_owned).collect();
        row.extend(cells(&Summary::of(&bins, page.view.length)));
        row
    });
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    write_table(&mut text, &rows, names.len());
    if !page.backends.is_empty() {
        text.push_str("\nnow, and failures and reconnects since the start\n");
        let numbers = ["connections", "reconnects"]
            .into_iter()
            .chain(FailureKind::ALL.map(FailureKind::label));
        let header = BACKEND_NAMES.into_iter().chain(numbers).map(str::to_owned).collect();
        let rows = page.backends.iter().map(|one| backend(one));
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
        write_table(&mut text, &rows, BACKEND_NAMES.len());
    }
    text
}

fn backend(status: &BackendStatus) -> Vec<String> {
    let state = match status.up {
        Some(true) => "up",
        Some(false) => "down",
        None => "-",
    };
    let names = [status.capability.label(), status.name, state, &status.target];
    let counts = &status.counts;
    let numbers = [counts.connections, counts.reconnects].into_iter().chain(counts.failures);
    names.into_iter().map(str::to_owned).chain(numbers.map(|number| number.to_string())).collect()
}

fn header(page: &Page<'_>) -> String {
    let filters = page.query.filters(page.values);
    let filters = filters.map(|(name, values)| format!("{name} {}", values.join(" or ")));
    let filters = filters.collect::<Vec<_>>().join(", ");
    format!(
        "window  {}: {} to {}, {:.3} s\nshards  {}\nonly    {}\n\
         unit    microseconds, {SIGNIFICANT_DIGITS} significant digits, up to {} s; beyond: values above that\n\
         shares  {QUANTILES_ARE}\n\n",
        page.query.window.name(),
        humantime::format_rfc3339_millis(page.view.start),
        humantime::format_rfc3339_millis(page.view.end),
        page.view.length.as_secs_f64(),
        page.shards,
        if filters.is_empty() { "(all)" } else { &filters },
        VALUE_MAX_NS / 1_000_000_000,
    )
}

fn cells(summary: &Summary) -> impl Iterator<Item = String> {
    let counts = [summary.count.to_string(), format!("{:.1}", summary.rate_per_second)];
    let times = summary.times().map(|nanoseconds| format!("{:.3}", nanoseconds / 1_000.0));
    counts.into_iter().chain(times).chain([summary.beyond.to_string()])
}

/// The first columns hold names, aligned left; the others hold numbers.
fn write_table(text: &mut String, rows: &[Vec<String>], names: usize) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < names { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
}
