//! The stretch of time that a page is about: since the start or the last reset, or the last seconds or minutes.

use crate::telemetry::bins::{Bins, Sparse};
use crate::telemetry::collected::Collected;
use crate::telemetry::history::{Interval, ShardHistogramKey};
use std::time::{Duration, SystemTime};

/// The windows that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    OneSecond,
    TenSeconds,
    OneMinute,
    FiveMinutes,
    /// Since the start or the last reset, up to now.
    All,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Window {
    const ALL: [Window; 5] = [
        Window::OneSecond,
        Window::TenSeconds,
        Window::OneMinute,
        Window::FiveMinutes,
        Window::All,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Window::OneSecond => "1s",
            Window::TenSeconds => "10s",
            Window::OneMinute => "1m",
            Window::FiveMinutes => "5m",
            Window::All => "all",
        }
    }

    pub(super) fn named(name: &str) -> Option<Window> {
        Window::ALL.into_iter().find(|window| window.name() == name)
    }

    pub(super) fn list() -> String {
        Window::ALL.map(Window::name).join(", ")
    }

    /// None for a window that does not move.
    fn length_ns(self) -> Option<u64> {
        match self {
            Window::OneSecond => Some(SECOND_NS),
            Window::TenSeconds => Some(10 * SECOND_NS),
            Window::OneMinute => Some(60 * SECOND_NS),
            Window::FiveMinutes => Some(300 * SECOND_NS),
            Window::All => None,
        }
    }
}

/// What was recorded between two moments: histograms whose sums are the series.
#[derive(Debug)]
pub(super) struct View<'c> {
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
    pub(super) length: Duration,
    pub(super) histograms: Vec<(ShardHistogramKey, Recorded<'c>)>,
}

/// The values of one source, class, stretch and shard.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recorded<'c> {
    SinceStart(&'c Bins),
    SinceReset(&'c Bins, &'c Sparse),
    Within(&'c Sparse),
}

impl Recorded<'_> {
    pub(super) fn add_to(self, sum: &mut Bins) {
        match self {
            Recorded::SinceStart(bins) => sum.add(bins),
            Recorded::SinceReset(bins, before) => sum.add(&bins.since(before)),
            Recorded::Within(histogram) => sum.add_sparse(histogram),
        }
    }
}

impl<'c> View<'c> {
    /// The whole window.
    pub(super) fn of(collected: &'c Collected, window: Window) -> View<'c> {
        match window.length_ns() {
            Some(length_ns) => {
                View::of_intervals(collected, &collected.history().window(length_ns))
            }
            None => View::of_all(collected),
        }
    }

    /// The window in the pieces that it is kept in, oldest first.
    pub(super) fn pieces(collected: &'c Collected, window: Window) -> Vec<View<'c>> {
        let Some(length_ns) = window.length_ns() else { return vec![View::of_all(collected)] };
        let intervals = collected.history().window(length_ns);
        intervals.iter().map(|one| View::of_intervals(collected, &[one])).collect()
    }

    /// What was recorded in complete intervals since this moment of the monotonic clock.
    pub(super) fn since(collected: &'c Collected, start_ns: u64) -> View<'c> {
        View::of_intervals(collected, &collected.history().since(start_ns))
    }

    fn of_all(collected: &'c Collected) -> View<'c> {
        let reset = collected.reset_point();
        let histograms = collected.histograms().filter_map(|(key, bins)| {
            match reset.and_then(|reset| reset.before.get(&key)) {
                Some(before) if before.count() == bins.count() => None,
                Some(before) => Some((key, Recorded::SinceReset(bins, before))),
                None => Some((key, Recorded::SinceStart(bins))),
            }
        });
        let start_ns = reset.map_or_else(|| collected.start_ns(), |reset| reset.at_ns);
        View::between(collected, start_ns, collected.end_ns(), histograms.collect())
    }

    fn of_intervals(collected: &'c Collected, intervals: &[&'c Interval]) -> View<'c> {
        let end_ns = collected.history().closed_ns();
        let start_ns = intervals.first().map_or(end_ns, |first| first.start_ns);
        let end_ns = intervals.last().map_or(end_ns, |last| last.end_ns);
        let histograms = intervals.iter().flat_map(|interval| &interval.histograms);
        let histograms = histograms.map(|(&key, one)| (key, Recorded::Within(one)));
        View::between(collected, start_ns, end_ns, histograms.collect())
    }

    fn between(
        collected: &Collected,
        start_ns: u64,
        end_ns: u64,
        histograms: Vec<(ShardHistogramKey, Recorded<'c>)>,
    ) -> View<'c> {
        View {
            start: collected.date_of(start_ns),
            end: collected.date_of(end_ns),
            length: Duration::from_nanos(end_ns.saturating_sub(start_ns)),
            histograms,
        }
    }
}
