//! [`ShardTelemetry`]: where one shard counts its own work.
//!
//! Each method is O(1) and, after the first value of a range, allocates nothing; recording a length
//! costs about 4 ns. Callers measure with [`super::clock::now_ns`]; nothing here reads a clock.

use super::kinds::{ConnectionEvent, FunctionFault, Outcome, REJECT_STATUSES, StatusClass};
use super::labels::Labels;
use super::record::{Instances, ShardRecord};
use super::stretch::{Capability, RequestTimes};
use std::cell::RefCell;

/// The counters and histograms of one shard, for the shard's thread only.
///
/// Route, function and operation indices are those of the [`Labels`] it was made with; another index
/// panics.
#[derive(Debug)]
pub struct ShardTelemetry {
    record: RefCell<ShardRecord>,
    unmatched: usize,
    admin: usize,
    /// Index of the calls of the first function.
    calls: usize,
    /// By operation index.
    capabilities: Box<[Option<Capability>]>,
}

impl ShardTelemetry {
    /// Empty counters for these labels.
    pub fn new(labels: &Labels) -> ShardTelemetry {
        ShardTelemetry {
            record: RefCell::new(ShardRecord::new(labels)),
            unmatched: labels.unmatched(),
            admin: labels.admin(),
            calls: labels.calls_of(0),
            capabilities: labels
                .operations
                .iter()
                .map(|one| Capability::of_operation(one))
                .collect(),
        }
    }

    /// One request on a route is over.
    #[inline]
    pub fn request(&self, route: usize, outcome: Outcome, times: &RequestTimes) {
        self.record.borrow_mut().requests[route].record(outcome, times);
    }

    /// One call of a function by another one is over.
    pub fn call(&self, function: usize, outcome: Outcome, times: &RequestTimes) {
        self.record.borrow_mut().requests[self.calls + function].record(outcome, times);
    }

    /// One request that matched no route was answered with this status: 404, 405, a redirect, or 200
    /// to `OPTIONS`.
    pub fn unrouted(&self, status: u16, total_ns: u64) {
        let outcome = match status {
            404 => Outcome::NotFound,
            405 => Outcome::MethodNotAllowed,
            _ => Outcome::Answered,
        };
        let status = StatusClass::of_status(status);
        self.record.borrow_mut().requests[self.unmatched].record_total(outcome, status, total_ns);
    }

    /// One request of an admin page was answered with this status.
    pub fn admin(&self, status: u16, total_ns: u64) {
        let status = StatusClass::of_status(status);
        let admin = &mut self.record.borrow_mut().requests[self.admin];
        admin.record_total(Outcome::Answered, status, total_ns);
    }

    /// One request was rejected before it had a route.
    pub fn rejected(&self, status: u16) {
        let other = REJECT_STATUSES.len() - 1;
        let index = REJECT_STATUSES.iter().position(|&known| known == status).unwrap_or(other);
        self.record.borrow_mut().connections.rejected[index] += 1;
    }

    /// Something happened to a connection.
    pub fn connection(&self, event: ConnectionEvent) {
        self.record.borrow_mut().connections.events[event as usize] += 1;
    }

    /// One invocation of a function is over, whatever caused it and however it ended. The length
    /// includes its host calls and excludes the wait for an instance.
    #[inline]
    pub fn invocation(&self, function: usize, elapsed_ns: u64) {
        self.record.borrow_mut().functions[function].runs.record(elapsed_ns);
    }

    /// An invocation cost its instance.
    pub fn function_fault(&self, function: usize, fault: FunctionFault) {
        self.record.borrow_mut().functions[function].faults[fault as usize] += 1;
    }

    /// The shard's pool of a function is now like this.
    #[inline]
    pub fn instances(&self, function: usize, instances: Instances) {
        self.record.borrow_mut().functions[function].instances = Some(instances);
    }

    /// One host call is over.
    #[inline]
    pub fn host_call(&self, operation: usize, failed: bool, elapsed_ns: u64) {
        self.record.borrow_mut().operations[operation].record(failed, elapsed_ns);
    }

    /// What answers an operation; none for one whose label names no capability.
    #[inline]
    pub fn capability(&self, operation: usize) -> Option<Capability> {
        self.capabilities[operation]
    }

    /// Goes on with `spare`, an empty record of the same labels, and gives away what was counted so far.
    pub fn swap(&self, spare: ShardRecord) -> ShardRecord {
        self.record.replace(spare)
    }
}

#[cfg(test)]
mod tests;
