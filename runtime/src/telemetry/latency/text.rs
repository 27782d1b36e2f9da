//! The latency page as aligned tables.

mod capabilities;

pub(super) use capabilities::render as render_capabilities;

use super::{Page, QUANTILE_NAMES, QUANTILES, outcomes, phases, rate};
use crate::telemetry::bins::{Bins, SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use crate::telemetry::{Collected, Outcome};
use std::iter::once;

/// Rows of cells; all rows are as long as the header.
struct Table {
    rows: Vec<Vec<String>>,
    /// Columns from the left that hold names, aligned left; the others hold numbers.
    names: usize,
}

pub(super) fn render(page: &Page<'_>) -> String {
    let mut text = window(page.collected);
    text.push_str("requests    answered ones only, but for the phase \"failed\"\n\n");
    latencies(page).write(&mut text);
    text.push_str("\nrequests by outcome; the phase \"failed\" above is the total of guest_error, trap, timeout and fault\n");
    outcome_counts(page).write(&mut text);
    if !page.host_calls.is_empty() {
        text.push_str("\nhost calls, failed ones included\n");
        host_calls(page).write(&mut text);
    }
    text
}

/// What every page begins with.
fn window(collected: &Collected) -> String {
    format!(
        "window      {} to {}, {:.3} s\nshards      {}\n\
         unit        times in microseconds, {SIGNIFICANT_DIGITS} significant digits, up to {} s\n",
        humantime::format_rfc3339_millis(collected.window_start()),
        humantime::format_rfc3339_millis(collected.window_end()),
        collected.window().as_secs_f64(),
        collected.shards(),
        VALUE_MAX_NS / 1_000_000_000,
    )
}

fn latencies(page: &Page<'_>) -> Table {
    let mut table = Table::new(&["function", "route", "phase"], &latency_columns());
    for (index, route) in page.routes() {
        for (phase, bins) in phases(&route) {
            let mut row = route_names(page, index);
            row.push(phase.label().to_owned());
            row.extend(latency_cells(page.collected, bins));
            table.rows.push(row);
        }
    }
    table
}

fn outcome_counts(page: &Page<'_>) -> Table {
    let labels: Vec<_> = Outcome::ALL.into_iter().map(Outcome::label).collect();
    let mut table = Table::new(&["function", "route"], &labels);
    for (index, route) in page.routes() {
        let mut row = route_names(page, index);
        row.extend(outcomes(&route).map(|(_, count)| count.to_string()));
        table.rows.push(row);
    }
    table
}

fn host_calls(page: &Page<'_>) -> Table {
    let columns: Vec<_> = once("errors").chain(latency_columns()).collect();
    let mut table = Table::new(&["operation"], &columns);
    for (label, errors, calls) in &page.host_calls {
        if let Some(bins) = calls.get() {
            let mut row = vec![(*label).to_owned(), errors.to_string()];
            row.extend(latency_cells(page.collected, bins));
            table.rows.push(row);
        }
    }
    table
}

fn latency_columns() -> Vec<&'static str> {
    let ends = ["max", "beyond"];
    ["count", "rate/s", "min", "mean"].into_iter().chain(QUANTILE_NAMES).chain(ends).collect()
}

fn latency_cells(collected: &Collected, bins: &Bins) -> Vec<String> {
    let mut cells = vec![
        bins.count().to_string(),
        format!("{:.1}", rate(collected, bins.count())),
        microseconds(bins.min_ns() as f64),
        microseconds(bins.mean_ns()),
    ];
    cells.extend(bins.quantiles_ns(QUANTILES).map(|value| microseconds(value as f64)));
    cells.push(microseconds(bins.max_ns() as f64));
    cells.push(bins.beyond().to_string());
    cells
}

fn microseconds(nanoseconds: f64) -> String {
    format!("{:.3}", nanoseconds / 1_000.0)
}

/// Function and route; the methods stand before the pattern because a pattern can have several routes.
fn route_names(page: &Page<'_>, index: usize) -> Vec<String> {
    let labels = page.collected.labels();
    let function = match labels.function_of(index) {
        "" => "-",
        name => name,
    };
    let methods = labels.methods_of(index).join(",");
    let route = format!("{methods} {}", labels.pattern_of(index));
    vec![function.to_owned(), route.trim_start().to_owned()]
}

impl Table {
    fn new(names: &[&str], numbers: &[&str]) -> Table {
        let header = names.iter().chain(numbers).map(|&name| name.to_owned()).collect();
        Table { rows: vec![header], names: names.len() }
    }

    fn write(&self, text: &mut String) {
        let widths: Vec<usize> = (0..self.rows[0].len())
            .map(|column| {
                self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
            })
            .collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column < self.names {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
    }
}
