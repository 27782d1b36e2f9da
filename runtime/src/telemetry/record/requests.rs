//! What is counted of requests: outcomes, and histograms by status class and stretch.

use crate::telemetry::bins::Bins;
use crate::telemetry::kinds::{Outcome, StatusClass};
use crate::telemetry::stretch::{Phase, RequestTimes, Stretch};

/// A histogram that is made at its first value.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Option<Box<Bins>>);

impl Latencies {
    #[inline]
    pub(in crate::telemetry) fn record(&mut self, value_ns: u64) {
        self.0.get_or_insert_default().record(value_ns);
    }

    /// The values so far, if there are any.
    pub fn get(&self) -> Option<&Bins> {
        self.0.as_deref().filter(|bins| bins.count() > 0)
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, |bins| bins.count())
    }

    pub(in crate::telemetry) fn add(&mut self, other: &Latencies) {
        if let Some(theirs) = other.get() {
            self.add_bins(theirs);
        }
    }

    fn add_bins(&mut self, other: &Bins) {
        match &mut self.0 {
            Some(mine) => mine.add(other),
            None => self.0 = Some(Box::new(other.clone())),
        }
    }

    pub(super) fn clear(&mut self) {
        if let Some(bins) = &mut self.0 {
            bins.clear();
        }
    }
}

/// Counts of one route, or of the calls of one function.
#[derive(Debug, Clone, Default)]
pub struct RouteRecord {
    outcomes: [u64; Outcome::ALL.len()],
    /// By status class. Most routes have one or two.
    statuses: [Option<Box<StatusRecord>>; StatusClass::ALL.len()],
}

/// The histograms of the requests that ended in one class, by stretch.
type StatusRecord = [Latencies; Stretch::COUNT];

impl RouteRecord {
    /// How many requests ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Number of requests, however they ended.
    pub fn requests(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// The histogram of a phase of the requests that ended in one class.
    pub fn phase(&self, status: StatusClass, phase: Phase) -> Option<&Bins> {
        self.statuses[status as usize].as_ref()?[Stretch::Phase(phase).index()].get()
    }

    /// The histogram of a phase of all requests, however they ended.
    pub fn phase_of_all(&self, phase: Phase) -> Latencies {
        let mut sum = Latencies::default();
        let phases = StatusClass::ALL.into_iter().filter_map(|status| self.phase(status, phase));
        phases.for_each(|bins| sum.add_bins(bins));
        sum
    }

    /// All histograms that hold something, in the order of class and stretch.
    pub(in crate::telemetry) fn histograms(
        &self,
    ) -> impl Iterator<Item = (StatusClass, Stretch, &Bins)> {
        let statuses = StatusClass::ALL.into_iter().zip(&self.statuses);
        let made = statuses.filter_map(|(status, record)| Some((status, record.as_deref()?)));
        made.flat_map(|(status, record)| {
            let stretches = Stretch::all().zip(record);
            stretches.filter_map(move |(stretch, bins)| Some((status, stretch, bins.get()?)))
        })
    }

    #[inline]
    pub(in crate::telemetry) fn record(&mut self, outcome: Outcome, times: &RequestTimes) {
        let stretches = self.open(outcome, outcome.status_class());
        stretches[Phase::Total as usize].record(times.total_ns);
        stretches[Phase::Queue as usize].record(times.queue_ns);
        if let Some(guest_ns) = times.guest_ns {
            stretches[Phase::Guest as usize].record(guest_ns);
        }
        if times.host.any() {
            stretches[Phase::Host as usize].record(times.host.total_ns());
            for (capability, host_ns) in times.host.by_capability() {
                stretches[Stretch::HostOf(capability).index()].record(host_ns);
            }
        }
        if let Some(write_ns) = times.write_ns {
            stretches[Phase::Write as usize].record(write_ns);
        }
    }

    /// Records a request of which the total is all that is known.
    pub(in crate::telemetry) fn record_total(
        &mut self,
        outcome: Outcome,
        status: StatusClass,
        total_ns: u64,
    ) {
        self.open(outcome, status)[Phase::Total as usize].record(total_ns);
    }

    /// Counts a request and gives the histograms that its times belong to.
    #[inline]
    fn open(&mut self, outcome: Outcome, status: StatusClass) -> &mut StatusRecord {
        self.outcomes[outcome as usize] += 1;
        self.statuses[status as usize].get_or_insert_default()
    }

    pub(in crate::telemetry) fn add(&mut self, other: &RouteRecord) {
        super::add_counts(&mut self.outcomes, &other.outcomes);
        for (mine, theirs) in self.statuses.iter_mut().zip(&other.statuses) {
            let Some(theirs) = theirs else { continue };
            let mine = mine.get_or_insert_default();
            mine.iter_mut().zip(theirs.iter()).for_each(|(mine, theirs)| mine.add(theirs));
        }
    }

    pub(super) fn clear(&mut self) {
        self.outcomes = [0; Outcome::ALL.len()];
        self.statuses
            .iter_mut()
            .flatten()
            .flat_map(|one| one.iter_mut())
            .for_each(Latencies::clear);
    }
}

/// Counts of one kind of host call.
#[derive(Debug, Clone, Default)]
pub struct OperationRecord {
    answered: Latencies,
    failed: Latencies,
}

impl OperationRecord {
    /// How many of the calls failed.
    pub fn errors(&self) -> u64 {
        self.failed.count()
    }

    /// Lengths of all calls, failed ones included.
    pub fn calls(&self) -> Latencies {
        let mut calls = self.answered.clone();
        calls.add(&self.failed);
        calls
    }

    /// Both histograms as far as they hold something. A call that failed counts as a server's error.
    pub(in crate::telemetry) fn histograms(&self) -> impl Iterator<Item = (StatusClass, &Bins)> {
        let both =
            [(StatusClass::Success, &self.answered), (StatusClass::ServerError, &self.failed)];
        both.into_iter().filter_map(|(status, calls)| Some((status, calls.get()?)))
    }

    #[inline]
    pub(in crate::telemetry) fn record(&mut self, failed: bool, elapsed_ns: u64) {
        let calls = if failed { &mut self.failed } else { &mut self.answered };
        calls.record(elapsed_ns);
    }

    pub(in crate::telemetry) fn add(&mut self, other: &OperationRecord) {
        self.answered.add(&other.answered);
        self.failed.add(&other.failed);
    }

    pub(super) fn clear(&mut self) {
        self.answered.clear();
        self.failed.clear();
    }
}
