//! [`History`]: what was recorded in the last minutes, second by second, on the control thread.
//!
//! Newer intervals are short, older ones long: 10 to 19 of a second, 6 to 11 of ten seconds, 4 of a minute. A window is
//! made of the newest intervals that cover it together, so it may begin up to one interval early; replies say when. All
//! intervals together take at most [`MEMORY_BYTES_MAX`]; beyond it the oldest go, and long windows begin later.

use super::bins::Sparse;
use super::record::{HistogramKey, ShardRecord};
use std::collections::{BTreeMap, VecDeque};

/// Enough for 20 s of one-second intervals of 1,000 functions with 200 different values per phase in each second, and
/// for minutes of anything smaller. Nothing is kept of a function that has no requests.
const MEMORY_BYTES_MAX: usize = 64 << 20;
/// Once a tier has `full` intervals, the `merged` oldest become one of the next tier; the last tier forgets them.
const TIERS: [Tier; 3] =
    [Tier { full: 20, merged: 10 }, Tier { full: 12, merged: 6 }, Tier { full: 5, merged: 1 }];
/// How much shorter than its windows the intervals may be together.
const SLACK_NS: u64 = 100_000_000;
/// What an entry of a map takes besides key and value, about.
const ENTRY_BYTES: usize = 32;

struct Tier {
    full: usize,
    merged: usize,
}

/// A shard's histogram of one source, class and stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShardHistogramKey {
    pub(super) histogram: HistogramKey,
    pub(super) shard: u16,
}

/// What all shards recorded between two moments of [`super::clock::now_ns`].
#[derive(Debug, Clone, Default)]
pub struct Interval {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) histograms: BTreeMap<ShardHistogramKey, Sparse>,
    memory_bytes: usize,
}

/// The intervals that are kept, and the one that goes on.
#[derive(Debug)]
pub struct History {
    open: Interval,
    /// Oldest first in each tier; each tier is older than the one before.
    tiers: [VecDeque<Interval>; TIERS.len()],
    memory_bytes_max: usize,
}

impl Interval {
    /// Adds what a shard recorded.
    pub(super) fn add(&mut self, shard: usize, record: &ShardRecord) {
        for (histogram, bins) in record.histograms() {
            let key = ShardHistogramKey { histogram, shard: shard as u16 };
            self.add_histogram(key, Sparse::from(bins));
        }
    }

    /// Adds the interval that follows this one.
    fn append(&mut self, next: Interval) {
        self.end_ns = next.end_ns;
        for (key, histogram) in next.histograms {
            self.add_histogram(key, histogram);
        }
    }

    fn add_histogram(&mut self, key: ShardHistogramKey, histogram: Sparse) {
        let entry = self.histograms.entry(key).or_default();
        if entry.is_empty() {
            self.memory_bytes += ENTRY_BYTES + size_of::<ShardHistogramKey>();
            *entry = histogram;
        } else {
            self.memory_bytes -= entry.memory_bytes();
            *entry = entry.merged(&histogram);
        }
        self.memory_bytes += entry.memory_bytes();
    }
}

impl History {
    /// Nothing yet; the first interval begins now.
    pub(super) fn new(now_ns: u64) -> History {
        History::bounded(now_ns, MEMORY_BYTES_MAX)
    }

    fn bounded(now_ns: u64, memory_bytes_max: usize) -> History {
        let open = Interval { start_ns: now_ns, end_ns: now_ns, ..Interval::default() };
        History { open, tiers: Default::default(), memory_bytes_max }
    }

    /// Adds to the interval that goes on.
    pub(super) fn add(&mut self, shard: usize, record: &ShardRecord) {
        self.open.add(shard, record);
    }

    /// Ends the interval that goes on and begins the next.
    pub(super) fn close_interval(&mut self, now_ns: u64) {
        let next = Interval { start_ns: now_ns, end_ns: now_ns, ..Interval::default() };
        let mut closed = std::mem::replace(&mut self.open, next);
        closed.end_ns = now_ns;
        self.tiers[0].push_back(closed);
        self.merge_old_ones();
        self.forget_beyond_the_bound();
    }

    /// The newest intervals that together are at least this long, oldest first, or as many as there are.
    pub fn window(&self, length_ns: u64) -> Vec<&Interval> {
        let newest_first = self.tiers.iter().flat_map(|tier| tier.iter().rev());
        let mut intervals = Vec::new();
        let mut covered_ns = 0;
        for interval in newest_first {
            // An interval ends when a timer fires, a little more or less than a second after the last.
            if covered_ns + SLACK_NS >= length_ns {
                break;
            }
            covered_ns += interval.end_ns - interval.start_ns;
            intervals.push(interval);
        }
        intervals.reverse();
        intervals
    }

    /// The intervals that begin at this moment or later, oldest first.
    pub fn since(&self, start_ns: u64) -> Vec<&Interval> {
        let all = self.tiers.iter().rev().flatten();
        all.filter(|interval| interval.start_ns >= start_ns).collect()
    }

    /// When the last complete interval ended.
    pub fn closed_ns(&self) -> u64 {
        self.open.start_ns
    }

    fn merge_old_ones(&mut self) {
        for (index, tier) in TIERS.iter().enumerate() {
            if self.tiers[index].len() < tier.full {
                return;
            }
            let mut oldest = self.tiers[index].drain(..tier.merged);
            let Some(mut merged) = oldest.next() else { return };
            oldest.for_each(|next| merged.append(next));
            if let Some(next) = self.tiers.get_mut(index + 1) {
                next.push_back(merged);
            }
        }
    }

    fn forget_beyond_the_bound(&mut self) {
        let intervals = self.tiers.iter().flatten();
        let mut bytes: usize = intervals.map(|interval| interval.memory_bytes).sum();
        for tier in self.tiers.iter_mut().rev() {
            while bytes > self.memory_bytes_max
                && let Some(oldest) = tier.pop_front()
            {
                bytes -= oldest.memory_bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests;
