//! [`Collected`]: the totals of all shards since the start, on the control thread.

use super::Labels;
use super::clock::{self, Moment};
use super::record::{ConnectionRecord, FunctionRecord, OperationRecord, RouteRecord, ShardRecord};
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
}

impl Collected {
    /// Empty totals for this number of shards. The window begins now.
    pub fn new(labels: Arc<Labels>, shards: usize) -> Collected {
        let start = Moment::now();
        let totals = (0..shards).map(|_| ShardRecord::new(&labels)).collect();
        Collected { labels, start, end_ns: start.monotonic_ns, totals, spares: Vec::new() }
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

    /// Start of the window that the totals cover.
    pub fn window_start(&self) -> SystemTime {
        self.start.wall
    }

    /// End of the window: the last collection, by the wall clock of the start.
    pub fn window_end(&self) -> SystemTime {
        self.start.wall + self.window()
    }

    /// Length of the window.
    pub fn window(&self) -> Duration {
        Duration::from_nanos(self.end_ns.saturating_sub(self.start.monotonic_ns))
    }

    /// These routes together, on all shards.
    pub fn routes(&self, routes: &[usize]) -> RouteRecord {
        self.sum(|sum: &mut RouteRecord, total| {
            routes.iter().for_each(|&route| sum.add(&total.routes[route]));
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
mod tests {
    use super::Collected;
    use crate::telemetry::bins::VALUE_MAX_NS;
    use crate::telemetry::kinds::{Outcome, Phase};
    use crate::telemetry::record::Instances;
    use crate::telemetry::{Labels, RequestTimes, RouteLabels, ShardTelemetry};
    use hdrhistogram::Histogram;
    use std::sync::Arc;

    fn labels() -> Arc<Labels> {
        Arc::new(Labels {
            functions: vec!["f".to_owned()],
            routes: vec![RouteLabels {
                function: "f".to_owned(),
                pattern: "/".to_owned(),
                methods: Vec::new(),
            }],
            operations: &["kvstore:get"],
            service_routes: Vec::new(),
        })
    }

    fn collect(collected: &mut Collected, shards: &[ShardTelemetry]) {
        for (index, shard) in shards.iter().enumerate() {
            let spare = collected.spare();
            collected.add(index, shard.swap(spare));
        }
    }

    #[track_caller]
    fn check(shard_count: usize, collect_every: u64) {
        let labels = labels();
        let shards: Vec<_> = (0..shard_count).map(|_| ShardTelemetry::new(&labels)).collect();
        let mut collected = Collected::new(Arc::clone(&labels), shard_count);
        let mut whole = Histogram::<u64>::new_with_bounds(1, VALUE_MAX_NS, 3).unwrap();
        let mut value = 1_u64;
        for round in 1..=5_000 {
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let total_ns = value >> (24 + round % 40);
            let times = RequestTimes { total_ns, ..RequestTimes::default() };
            shards[(value >> 7) as usize % shard_count].request(0, Outcome::Answered, &times);
            whole.saturating_record(total_ns);
            if round % collect_every == 0 {
                collect(&mut collected, &shards);
            }
        }
        collect(&mut collected, &shards);
        let route = collected.routes(&[0]);
        assert_eq!(route.requests(), 5_000);
        assert_eq!(route.phase(Phase::Total).get().unwrap().to_histogram(), whole);
        assert!(collected.spares.len() == 1, "asking in turn needs one spare");
    }

    #[test]
    fn shards_add_up_to_one_histogram_of_all_values() {
        check(1, 5_000);
        check(1, 7);
        check(2, 1_000);
        check(3, 13);
        check(16, 100);
    }

    #[test]
    fn gauges_are_the_last_ones_of_each_shard() {
        let labels = labels();
        let shards = [ShardTelemetry::new(&labels), ShardTelemetry::new(&labels)];
        let mut collected = Collected::new(Arc::clone(&labels), 2);
        shards[0].instances(0, Instances { live: 4, in_use: 4, waiting: 9 });
        shards[1].instances(0, Instances { live: 2, in_use: 1, waiting: 0 });
        collect(&mut collected, &shards);
        shards[0].instances(0, Instances { live: 3, in_use: 1, waiting: 0 });
        collect(&mut collected, &shards);
        collect(&mut collected, &shards);
        let expected = Instances { live: 5, in_use: 2, waiting: 0 };
        assert_eq!(collected.function(0).instances(), expected);
    }

    #[test]
    fn the_window_ends_at_the_last_collection() {
        let labels = labels();
        let shard = [ShardTelemetry::new(&labels)];
        let mut collected = Collected::new(labels, 1);
        assert!(collected.window().is_zero());
        collect(&mut collected, &shard);
        assert!(!collected.window().is_zero());
        assert_eq!(collected.window_end(), collected.window_start() + collected.window());
    }
}
