//! The page as comma-separated values (RFC 4180), in nanoseconds: one row for each series, each with its window, so that
//! pages of several moments and machines can be joined.

use super::Page;
use super::summary::Summary;
use crate::telemetry::bins::SIGNIFICANT_DIGITS;
use std::borrow::Cow;

const BEFORE_LABELS: [&str; 6] =
    ["window", "start", "end", "seconds", "unit", "significant_digits"];

pub(super) fn render(page: &Page<'_>) -> String {
    let mut text = String::new();
    let labels = page.query.by.iter().map(|by| by.label());
    let numbers = ["count", "rate_per_second"].into_iter();
    let names = BEFORE_LABELS.into_iter().chain(labels).chain(numbers);
    write_row(&mut text, names.chain(Summary::time_names()).chain(["beyond"]).map(Cow::Borrowed));
    for (place, bins) in page.selection.series() {
        let summary = Summary::of(&bins, page.view.length);
        let window = [
            Cow::Borrowed(page.query.window.name()),
            Cow::Owned(humantime::format_rfc3339_nanos(page.view.start).to_string()),
            Cow::Owned(humantime::format_rfc3339_nanos(page.view.end).to_string()),
            Cow::Owned(page.view.length.as_secs_f64().to_string()),
            Cow::Borrowed("ns"),
            Cow::Owned(SIGNIFICANT_DIGITS.to_string()),
        ];
        let labels = page.labels(place).map(|(_, value)| Cow::Borrowed(value));
        let counts = [summary.count.to_string(), summary.rate_per_second.to_string()];
        let times = summary.times().map(|time| time.to_string());
        let numbers = counts.into_iter().chain(times).chain([summary.beyond.to_string()]);
        write_row(&mut text, window.into_iter().chain(labels).chain(numbers.map(Cow::Owned)));
    }
    text
}

fn write_row<'c>(text: &mut String, cells: impl Iterator<Item = Cow<'c, str>>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains(['"', ',', '\r', '\n']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}
