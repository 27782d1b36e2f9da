//! [`Collected`]: what all shards counted, since the start and in the last minutes, on the control thread.

use super::bins::{Bins, Sparse};
use super::clock::{self, Moment};
use super::history::{History, ShardHistogramKey};
use super::labels::Labels;
use super::record::{ConnectionRecord, FunctionRecord, OperationRecord, RouteRecord, ShardRecord};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The sum of all records that came in, one total for each shard; shards are added up when asked.
#[derive(Debug)]
pub struct Collected {
    labels: Arc<Labels>,
    start: Moment,
    /// When the last record came in, in nanoseconds of [`clock::now_ns`].
    end_ns: u64,
    totals: Vec<ShardRecord>,
    spares: Vec<ShardRecord>,
    history: History,
    reset: Option<Reset>,
}

/// What had been recorded when the latencies were reset. The totals go on for the metrics page, whose counters must not
/// fall.
#[derive(Debug)]
pub(super) struct Reset {
    pub(super) at_ns: u64,
    pub(super) before: BTreeMap<ShardHistogramKey, Sparse>,
}

impl Collected {
    /// Empty totals for this number of shards. The window begins now.
    pub fn new(labels: Arc<Labels>, shards: usize) -> Collected {
        let start = Moment::now();
        let totals = (0..shards).map(|_| ShardRecord::new(&labels)).collect();
        Collected {
            labels,
            start,
            end_ns: start.monotonic_ns,
            totals,
            spares: Vec::new(),
            history: History::new(start.monotonic_ns),
            reset: None,
        }
    }

    /// An empty record for a shard to go on with. Records that [`Collected::add`] took come back here
    /// with their memory, so asking one shard after the other needs one spare in all.
    pub fn spare(&mut self) -> ShardRecord {
        self.spares.pop().unwrap_or_else(|| ShardRecord::new(&self.labels))
    }

    /// Adds what a shard gave away for a spare.
    pub fn add(&mut self, shard: usize, mut record: ShardRecord) {
        self.end_ns = clock::now_ns();
        self.totals[shard].add(&record);
        self.history.add(shard, &record);
        record.clear();
        self.spares.push(record);
    }

    /// The names behind the indices.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Number of shards.
    pub fn shards(&self) -> usize {
        self.totals.len()
    }

    /// Ends the interval that goes on, after the records of all shards came in. To be called each second, with
    /// [`clock::now_ns`].
    pub fn close_interval(&mut self, now_ns: u64) {
        self.history.close_interval(now_ns);
    }

    /// From now on, the latencies "of all" are those recorded after this moment.
    pub fn reset(&mut self) {
        let before = self.histograms().map(|(key, bins)| (key, Sparse::from(bins))).collect();
        self.reset = Some(Reset { at_ns: self.end_ns, before });
    }

    pub(super) fn reset_point(&self) -> Option<&Reset> {
        self.reset.as_ref()
    }

    /// What was recorded in the last minutes.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// All histograms since the start, by shard.
    pub(super) fn histograms(&self) -> impl Iterator<Item = (ShardHistogramKey, &Bins)> {
        let shards = (0..).zip(&self.totals);
        shards.flat_map(|(shard, total)| {
            let key = move |histogram| ShardHistogramKey { histogram, shard };
            total.histograms().map(move |(histogram, bins)| (key(histogram), bins))
        })
    }

    /// When the process began to count.
    pub fn started_at(&self) -> SystemTime {
        self.start.wall
    }

    /// When the last records came in, in nanoseconds of [`clock::now_ns`].
    pub fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// When the process began to count, in nanoseconds of [`clock::now_ns`].
    pub fn start_ns(&self) -> u64 {
        self.start.monotonic_ns
    }

    /// The date of a moment of [`clock::now_ns`], by the wall clock of the start: it does not jump.
    pub fn date_of(&self, at_ns: u64) -> SystemTime {
        self.start.wall + Duration::from_nanos(at_ns.saturating_sub(self.start.monotonic_ns))
    }

    /// These routes together, on all shards.
    pub fn routes(&self, routes: &[usize]) -> RouteRecord {
        self.sum(|sum: &mut RouteRecord, total| {
            routes.iter().for_each(|&route| sum.add(&total.requests[route]));
        })
    }

    /// One function on all shards, gauges added up.
    pub fn function(&self, function: usize) -> FunctionRecord {
        self.sum(|sum: &mut FunctionRecord, total| sum.add_shard(&total.functions[function]))
    }

    /// One kind of host call on all shards.
    pub fn operation(&self, operation: usize) -> OperationRecord {
        self.sum(|sum: &mut OperationRecord, total| sum.add(&total.operations[operation]))
    }

    /// The connections of all shards.
    pub fn connections(&self) -> ConnectionRecord {
        self.sum(|sum: &mut ConnectionRecord, total| sum.add(&total.connections))
    }

    fn sum<T: Default>(&self, mut add: impl FnMut(&mut T, &ShardRecord)) -> T {
        let mut sum = T::default();
        self.totals.iter().for_each(|total| add(&mut sum, total));
        sum
    }
}

#[cfg(test)]
mod tests;
