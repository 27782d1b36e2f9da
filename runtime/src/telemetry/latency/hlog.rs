//! The interval log, version 1.3, as HdrHistogram's `HistogramLogWriter` writes it: a line for each interval and series, a
//! tag that says which series, the histogram compressed and in base64. Timestamps are seconds since 1970.
//!
//! A window is written in the pieces that it is kept in, so that a reader sees how it developed.

use super::Page;
use super::dimension::Values;
use super::exchange::Exchange;
use super::query::Query;
use super::window::View;
use crate::telemetry::bins::{SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use crate::telemetry::collected::Collected;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the column `Interval_Max` is in, as HdrHistogram's own logs have it.
const NANOSECONDS_PER_MILLISECOND: f64 = 1_000_000.0;
/// Tags end at a comma, and may hold no space and no end of line; `;` separates the labels.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b',').add(b';').add(b'%');

pub(super) fn render(collected: &Collected, query: &Query, values: &Values) -> String {
    let pieces = View::pieces(collected, query.window);
    let start = pieces.first().map_or_else(|| collected.started_at(), |piece| piece.start);
    let mut text = header(start, query, values);
    for piece in pieces {
        let page = Page::of(piece, query, values, collected.shards());
        write_interval(&mut text, &page);
    }
    text
}

/// The lines before the first interval.
pub(super) fn header(start: SystemTime, query: &Query, values: &Values) -> String {
    let filters = query.filters(values);
    let filters = filters.map(|(name, values)| format!("; {name} {}", values.join(" or ")));
    format!(
        "#[Histogram log format version 1.3]\n\
         #[StartTime: {:.3} (seconds since epoch), {}]\n\
         #[Window: {}; values in nanoseconds, {SIGNIFICANT_DIGITS} significant digits, up to {} s; Interval_Max in milliseconds{}]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        seconds(start),
        java_date(start),
        query.window.name(),
        VALUE_MAX_NS / 1_000_000_000,
        filters.collect::<String>(),
    )
}

/// All series of one interval; a comment if there are none, so that a reader sees that time passes.
pub(super) fn write_interval(text: &mut String, page: &Page<'_>) {
    let (start, length) = (seconds(page.view.start), page.view.length.as_secs_f64());
    let mut exchange = Exchange::default();
    for (place, bins) in page.selection.series() {
        let tag: Vec<_> = page
            .labels(place)
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)))
            .collect();
        if !tag.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(text, "Tag={},", tag.join(";"));
        }
        let max = bins.max_ns() as f64 / NANOSECONDS_PER_MILLISECOND;
        let _ = writeln!(text, "{start:.3},{length:.3},{max:.3},{}", exchange.base64(&bins));
        if bins.beyond() > 0 {
            let _ = writeln!(text, "#[Beyond: {} values above the largest]", bins.beyond());
        }
    }
    if page.selection.len() == 0 {
        let _ = writeln!(text, "#[Nothing from {start:.3} for {length:.3} s]");
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// `Tue Nov 15 08:12:31 GMT 1994`, which is what Java makes of a date.
fn java_date(time: SystemTime) -> String {
    let date = httpdate::fmt_http_date(time);
    let parts: Vec<_> = date.split([' ', ',']).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [weekday, day, month, year, time, zone] => {
            format!("{weekday} {month} {day} {time} {zone} {year}")
        }
        _ => date,
    }
}
