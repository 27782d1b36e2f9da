//! The percentile spectrum of one histogram, byte for byte as HdrHistogram's `outputPercentileDistribution` writes it with
//! 5 ticks per half distance, in microseconds. Lines that begin with `#` are comments to those who read it, so the window
//! stands in some of our own behind its last line.

use super::Page;
use crate::telemetry::bins::{Bins, SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use std::fmt::Write;

const TICKS_PER_HALF_DISTANCE: u64 = 5;
const NANOSECONDS_PER_MICROSECOND: f64 = 1_000.0;
/// Values that HdrHistogram's first bucket tells apart with 3 digits; each further bucket doubles the range.
const SUB_BUCKETS: u64 = 2048;
const BUCKETS: u32 = (VALUE_MAX_NS / SUB_BUCKETS).ilog2() + 2;

pub(super) fn render(page: &Page<'_>) -> String {
    let bins = page.selection.series().next().map_or_else(Bins::default, |(_, bins)| bins);
    let mut text = spectrum(&bins);
    let filters = page.query.filters(page.values);
    let filters = filters.map(|(name, values)| format!(", {name} {}", values.join(" or ")));
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "#[Unit    = microseconds, {SIGNIFICANT_DIGITS} significant digits{}]\n\
         #[Beyond  = {} values above {} s]\n#[Window  = {}, {} to {}]\n",
        filters.collect::<String>(),
        bins.beyond(),
        VALUE_MAX_NS / 1_000_000_000,
        page.query.window.name(),
        humantime::format_rfc3339_millis(page.view.start),
        humantime::format_rfc3339_millis(page.view.end),
    );
    text
}

fn spectrum(bins: &Bins) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    for step in steps(bins) {
        let value = fixed(step.value_ns as f64 / NANOSECONDS_PER_MICROSECOND, 3);
        let share = step.percentile / 100.0;
        // Writing to a string cannot fail.
        let _ = write!(text, "{value:>12} {} {:10}", fixed(share, 12), step.total_count);
        if step.percentile < 100.0 {
            let _ = write!(text, " {:>14}", fixed(1.0 / (1.0 - share), 2));
        }
        text.push('\n');
    }
    let (mean, deviation) = moments(bins);
    let (mean, deviation) = (fixed(mean, 3), fixed(deviation, 3));
    let max = fixed(bins.max_ns() as f64 / NANOSECONDS_PER_MICROSECOND, 3);
    let count = bins.count();
    let _ = write!(
        text,
        "#[Mean    = {mean:>12}, StdDeviation   = {deviation:>12}]\n\
         #[Max     = {max:>12}, Total count    = {count:12}]\n\
         #[Buckets = {BUCKETS:12}, SubBuckets     = {SUB_BUCKETS:12}]\n"
    );
    text
}

/// A number from 0 with this many decimals, rounded as Java does: the shortest digits that read back the same, half up. The
/// levels are sums of negative powers of two, so ties happen, which Rust would round to even.
fn fixed(number: f64, decimals: usize) -> String {
    let shortest = number.to_string();
    let (whole, fraction) = shortest.split_once('.').unwrap_or((&shortest, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes().take(decimals)).collect();
    digits.resize(whole.len() + decimals, b'0');
    if fraction.as_bytes().get(decimals).is_some_and(|&next| next >= b'5') {
        let nines = digits.iter().rev().take_while(|&&digit| digit == b'9').count();
        let kept = digits.len() - nines;
        digits[kept..].fill(b'0');
        match kept.checked_sub(1) {
            Some(last) => digits[last] += 1,
            None => digits.insert(0, b'1'),
        }
    }
    let mut text: String = digits.into_iter().map(char::from).collect();
    text.insert(text.len() - decimals, '.');
    text
}

struct Step {
    value_ns: u64,
    percentile: f64,
    total_count: u64,
}

/// The levels grow by a fifth of half the distance to 100 %. A bin that reaches several of them stands for the first at
/// each visit; the last one stands for its first level and for 100 %.
fn steps(bins: &Bins) -> Vec<Step> {
    let (mut steps, mut level, mut reached) = (Vec::new(), 0.0, 0);
    let mut last_ns = 0;
    for (_, value_ns, count) in bins.filled_ranges() {
        reached += count;
        last_ns = value_ns;
        while 100.0 * reached as f64 / bins.count() as f64 >= level {
            steps.push(Step { value_ns, percentile: level, total_count: reached });
            level = next_level(level);
            if reached == bins.count() {
                break;
            }
        }
    }
    if reached > 0 {
        steps.push(Step { value_ns: last_ns, percentile: 100.0, total_count: reached });
    }
    steps
}

fn next_level(level: f64) -> f64 {
    // HdrHistogram's own arithmetic, so that no level differs by a rounding.
    let halvings = ((100.0 / (100.0 - level)).ln() / 2.0_f64.ln()) as u32 + 1;
    level + 100.0 / (TICKS_PER_HALF_DISTANCE << halvings) as f64
}

/// Mean and standard deviation in microseconds, from the middle of each bin.
fn moments(bins: &Bins) -> (f64, f64) {
    let middles = || {
        bins.filled_ranges().map(|(lowest, highest, count)| {
            ((lowest + (highest - lowest).div_ceil(2)) as f64, count as f64)
        })
    };
    let count = (bins.count() as f64).max(1.0);
    let mean = middles().map(|(middle, times)| middle * times).sum::<f64>() / count;
    let squares = middles().map(|(middle, times)| (middle - mean).powi(2) * times).sum::<f64>();
    // The sum of nothing is -0, which would be written so.
    let microseconds = |nanoseconds: f64| nanoseconds.abs() / NANOSECONDS_PER_MICROSECOND;
    (microseconds(mean), microseconds((squares / count).sqrt()))
}

#[cfg(test)]
mod tests;
