//! [`ShardTelemetry`]: where one shard counts its own work.
//!
//! Each method is O(1) and, after the first value of a range, allocates nothing; recording a length
//! costs about 4 ns. Callers measure with [`super::clock::now_ns`]; nothing here reads a clock.

use super::Labels;
use super::kinds::{ConnectionEvent, FunctionFault, Outcome, Phase, REJECT_STATUSES};
use super::record::{Instances, ShardRecord};
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
}

/// How long the stretches of one request took, in nanoseconds. [`Phase`] says what each one is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestTimes {
    pub total_ns: u64,
    pub wait_ns: u64,
    pub guest_ns: u64,
    /// None if the guest made no host call.
    pub host_ns: Option<u64>,
}

impl ShardTelemetry {
    /// Empty counters for these labels.
    pub fn new(labels: &Labels) -> ShardTelemetry {
        ShardTelemetry {
            record: RefCell::new(ShardRecord::new(labels)),
            unmatched: labels.unmatched(),
            admin: labels.admin(),
        }
    }

    /// One request on a route is over.
    #[inline]
    pub fn request(&self, route: usize, outcome: Outcome, times: &RequestTimes) {
        let route = &mut self.record.borrow_mut().routes[route];
        route.outcomes[outcome as usize] += 1;
        if outcome == Outcome::Answered {
            route.phases[Phase::Total as usize].record(times.total_ns);
            route.phases[Phase::Wait as usize].record(times.wait_ns);
            route.phases[Phase::Guest as usize].record(times.guest_ns);
            if let Some(host_ns) = times.host_ns {
                route.phases[Phase::Host as usize].record(host_ns);
            }
        } else if outcome.is_failure() {
            route.phases[Phase::Failed as usize].record(times.total_ns);
        }
    }

    /// One request that matched no route was answered with this status: 404, 405, a redirect, or 200
    /// to `OPTIONS`.
    pub fn unrouted(&self, status: u16, total_ns: u64) {
        let outcome = match status {
            404 => Outcome::NotFound,
            405 => Outcome::MethodNotAllowed,
            _ => Outcome::Answered,
        };
        self.pseudo_route(self.unmatched, outcome, total_ns);
    }

    /// One request of an admin page was answered.
    pub fn admin(&self, total_ns: u64) {
        self.pseudo_route(self.admin, Outcome::Answered, total_ns);
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
        let operation = &mut self.record.borrow_mut().operations[operation];
        operation.errors += u64::from(failed);
        operation.calls.record(elapsed_ns);
    }

    /// Goes on with `spare`, an empty record of the same labels, and gives away what was counted so far.
    pub fn swap(&self, spare: ShardRecord) -> ShardRecord {
        self.record.replace(spare)
    }

    fn pseudo_route(&self, route: usize, outcome: Outcome, total_ns: u64) {
        let route = &mut self.record.borrow_mut().routes[route];
        route.outcomes[outcome as usize] += 1;
        route.phases[Phase::Total as usize].record(total_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::{RequestTimes, ShardTelemetry};
    use crate::telemetry::kinds::{ConnectionEvent, FunctionFault, Outcome, Phase};
    use crate::telemetry::record::{Instances, RouteRecord, ShardRecord};
    use crate::telemetry::{Labels, RouteLabels};

    fn labels() -> Labels {
        Labels {
            functions: vec!["hello".to_owned()],
            routes: vec![RouteLabels {
                function: "hello".to_owned(),
                pattern: "/".to_owned(),
                methods: vec!["GET".to_owned()],
            }],
            operations: &["kvstore:get", "kvstore:set"],
            service_routes: Vec::new(),
        }
    }

    fn counts(route: &RouteRecord) -> [u64; 5] {
        Phase::ALL.map(|phase| route.phase(phase).count())
    }

    #[track_caller]
    fn check(outcome: Outcome, host_ns: Option<u64>, phases: [u64; 5]) {
        let labels = labels();
        let telemetry = ShardTelemetry::new(&labels);
        let times = RequestTimes { total_ns: 50_000, wait_ns: 0, guest_ns: 700, host_ns };
        telemetry.request(0, outcome, &times);
        let record = telemetry.swap(ShardRecord::new(&labels));
        assert_eq!(record.routes[0].outcome(outcome), 1);
        assert_eq!(record.routes[0].requests(), 1);
        assert_eq!(counts(&record.routes[0]), phases, "{outcome:?}");
    }

    #[test]
    fn histograms_hold_answered_requests_and_failures_apart() {
        check(Outcome::Answered, None, [1, 1, 1, 0, 0]);
        check(Outcome::Answered, Some(90), [1, 1, 1, 1, 0]);
        check(Outcome::GuestError, Some(90), [0, 0, 0, 0, 1]);
        check(Outcome::Trap, None, [0, 0, 0, 0, 1]);
        check(Outcome::Timeout, None, [0, 0, 0, 0, 1]);
        check(Outcome::Fault, None, [0, 0, 0, 0, 1]);
        check(Outcome::Shed, None, [0; 5]);
        check(Outcome::NoInstance, None, [0; 5]);
        check(Outcome::Aborted, None, [0; 5]);
    }

    #[test]
    fn requests_without_a_route_count_under_pseudo_routes() {
        let labels = labels();
        let telemetry = ShardTelemetry::new(&labels);
        [404, 405, 301, 200].into_iter().for_each(|status| telemetry.unrouted(status, 1_000));
        telemetry.admin(2_000);
        let record = telemetry.swap(ShardRecord::new(&labels));
        let unmatched = &record.routes[labels.unmatched()];
        assert_eq!(unmatched.outcome(Outcome::NotFound), 1);
        assert_eq!(unmatched.outcome(Outcome::MethodNotAllowed), 1);
        assert_eq!(unmatched.outcome(Outcome::Answered), 2);
        assert_eq!(counts(unmatched), [4, 0, 0, 0, 0]);
        assert_eq!(counts(&record.routes[labels.admin()]), [1, 0, 0, 0, 0]);
    }

    #[test]
    fn everything_else_counts_where_it_belongs() {
        let labels = labels();
        let telemetry = ShardTelemetry::new(&labels);
        let gauges = Instances { live: 3, in_use: 2, waiting: 1 };
        telemetry.invocation(0, 800);
        telemetry.function_fault(0, FunctionFault::MemoryLimit);
        telemetry.instances(0, Instances::default());
        telemetry.instances(0, gauges);
        telemetry.host_call(1, true, 90);
        telemetry.host_call(1, false, 80);
        telemetry.connection(ConnectionEvent::Accepted);
        telemetry.connection(ConnectionEvent::Accepted);
        telemetry.connection(ConnectionEvent::Closed);
        telemetry.rejected(431);
        telemetry.rejected(599);
        let record = telemetry.swap(ShardRecord::new(&labels));
        assert_eq!(record.functions[0].runs().count(), 1);
        assert_eq!(record.functions[0].faults(FunctionFault::MemoryLimit), 1);
        assert_eq!(record.functions[0].faults(FunctionFault::Trap), 0);
        assert_eq!(record.functions[0].instances(), gauges);
        assert_eq!((record.operations[1].calls().count(), record.operations[1].errors()), (2, 1));
        assert_eq!(record.operations[0].calls().count(), 0);
        assert_eq!(record.connections.open(), 1);
        let rejected: Vec<_> = record.connections.rejected().filter(|&(_, n)| n > 0).collect();
        assert_eq!(rejected, [(431, 1), (0, 1)]);
    }

    #[test]
    fn a_swap_starts_an_empty_record() {
        let labels = labels();
        let telemetry = ShardTelemetry::new(&labels);
        telemetry.admin(5);
        let mut first = telemetry.swap(ShardRecord::new(&labels));
        first.clear();
        telemetry.admin(6);
        let second = telemetry.swap(first);
        assert_eq!(second.routes[labels.admin()].requests(), 1);
        let third = telemetry.swap(second);
        assert_eq!(third.routes[labels.admin()].requests(), 0);
    }

    #[test]
    fn a_record_can_change_threads() {
        fn send<T: Send>() {}
        send::<ShardRecord>();
    }
}
