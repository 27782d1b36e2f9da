//! [`ShardRecord`]: what one shard counted between two collections, and the sums of such records.
//!
//! A record is filled on its shard, sent to the control thread as a whole, added to a total and
//! emptied there, and goes back as the next spare. Emptied, it keeps the memory of its histograms.

mod requests;

pub use requests::{Latencies, OperationRecord, RouteRecord};

use super::bins::Bins;
use super::kinds::{ConnectionEvent, FunctionFault, REJECT_STATUSES, StatusClass};
use super::labels::Labels;
use super::stretch::{Phase, Stretch};

/// A shard's instances of one function, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Instances {
    /// Instances that exist.
    pub live: u32,
    /// Those of them that serve an invocation.
    pub in_use: u32,
    /// Invocations that wait for one.
    pub waiting: u32,
}

/// Which of a record's histograms. Numbers, because thousands of them are kept for every second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HistogramKey {
    /// As [`Labels`] numbers them; the configuration's limits keep them within 32 bits.
    pub(super) source: u32,
    pub(super) status: StatusClass,
    /// [`Stretch::index`].
    pub(super) stretch: u8,
}

/// Everything one shard counted. `Send`, so that it can go to the control thread and come back empty.
#[derive(Debug, Clone)]
pub struct ShardRecord {
    /// Of the routes and pseudo routes, then of the calls of each function.
    pub(super) requests: Box<[RouteRecord]>,
    pub(super) functions: Box<[FunctionRecord]>,
    pub(super) operations: Box<[OperationRecord]>,
    pub(super) connections: Box<ConnectionRecord>,
}

impl ShardRecord {
    /// An empty record with a place for each label. Histograms are made at their first value.
    pub fn new(labels: &Labels) -> ShardRecord {
        ShardRecord {
            requests: (0..labels.request_source_count()).map(|_| RouteRecord::default()).collect(),
            functions: labels.functions.iter().map(|_| FunctionRecord::default()).collect(),
            operations: labels.operations.iter().map(|_| OperationRecord::default()).collect(),
            connections: Box::default(),
        }
    }

    /// Adds all counts of another record of the same labels. Its gauges replace the ones here.
    pub(super) fn add(&mut self, other: &ShardRecord) {
        self.requests.iter_mut().zip(&other.requests).for_each(|(to, from)| to.add(from));
        self.functions.iter_mut().zip(&other.functions).for_each(|(to, from)| {
            to.instances = from.instances.or(to.instances);
            to.add_counts(from);
        });
        self.operations.iter_mut().zip(&other.operations).for_each(|(to, from)| to.add(from));
        self.connections.add(&other.connections);
    }

    /// All histograms that hold something, in the order of their keys.
    pub(super) fn histograms(&self) -> impl Iterator<Item = (HistogramKey, &Bins)> {
        let requests = self.requests.iter().enumerate().flat_map(|(source, record)| {
            record.histograms().map(move |(status, stretch, bins)| (source, status, stretch, bins))
        });
        let operations = self.operations.iter().enumerate().flat_map(|(operation, record)| {
            let source = self.requests.len() + operation;
            let total = Stretch::Phase(Phase::Total);
            record.histograms().map(move |(status, bins)| (source, status, total, bins))
        });
        requests.chain(operations).map(|(source, status, stretch, bins)| {
            let source = source as u32;
            (HistogramKey { source, status, stretch: stretch.index() as u8 }, bins)
        })
    }

    /// Forgets everything and keeps the memory of the histograms.
    pub(super) fn clear(&mut self) {
        self.requests.iter_mut().for_each(RouteRecord::clear);
        self.functions.iter_mut().for_each(FunctionRecord::clear);
        self.operations.iter_mut().for_each(OperationRecord::clear);
        *self.connections = ConnectionRecord::default();
    }
}

/// Counts of one function.
#[derive(Debug, Clone, Default)]
pub struct FunctionRecord {
    /// The last known gauges; none if the pool has said nothing since the record was empty.
    pub(super) instances: Option<Instances>,
    pub(super) faults: [u64; FunctionFault::COUNT],
    pub(super) runs: Latencies,
}

impl FunctionRecord {
    /// The instances at the last change.
    pub fn instances(&self) -> Instances {
        self.instances.unwrap_or_default()
    }

    /// How many invocations cost their instance for this reason.
    pub fn faults(&self, fault: FunctionFault) -> u64 {
        self.faults[fault as usize]
    }

    /// Lengths of all invocations, host calls included, whatever caused them and however they ended.
    pub fn runs(&self) -> &Latencies {
        &self.runs
    }

    /// Adds another shard's record of the same function: here the gauges add up too.
    pub(super) fn add_shard(&mut self, other: &FunctionRecord) {
        let (mine, theirs) = (self.instances(), other.instances());
        self.instances = Some(Instances {
            live: mine.live + theirs.live,
            in_use: mine.in_use + theirs.in_use,
            waiting: mine.waiting + theirs.waiting,
        });
        self.add_counts(other);
    }

    fn add_counts(&mut self, other: &FunctionRecord) {
        add_counts(&mut self.faults, &other.faults);
        self.runs.add(&other.runs);
    }

    fn clear(&mut self) {
        self.instances = None;
        self.faults = [0; FunctionFault::COUNT];
        self.runs.clear();
    }
}

/// Counts of connections and of requests that were rejected before they had a route.
#[derive(Debug, Clone, Default)]
pub struct ConnectionRecord {
    pub(super) events: [u64; ConnectionEvent::COUNT],
    pub(super) rejected: [u64; REJECT_STATUSES.len()],
}

impl ConnectionRecord {
    /// How often this happened.
    pub fn events(&self, event: ConnectionEvent) -> u64 {
        self.events[event as usize]
    }

    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        let closed = self.events(ConnectionEvent::Closed);
        self.events(ConnectionEvent::Accepted).saturating_sub(closed)
    }

    /// The statuses of [`REJECT_STATUSES`], each with the number of requests rejected so.
    pub fn rejected(&self) -> impl Iterator<Item = (u16, u64)> {
        REJECT_STATUSES.into_iter().zip(self.rejected)
    }

    pub(super) fn add(&mut self, other: &ConnectionRecord) {
        add_counts(&mut self.events, &other.events);
        add_counts(&mut self.rejected, &other.rejected);
    }
}

fn add_counts(to: &mut [u64], from: &[u64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
