//! What a shard counts, and where.

use super::ShardTelemetry;
use crate::telemetry::bins::Bins;
use crate::telemetry::kinds::{ConnectionEvent, FunctionFault, Outcome, StatusClass};
use crate::telemetry::labels::{Labels, RouteLabels};
use crate::telemetry::record::{Instances, ShardRecord};
use crate::telemetry::stretch::{Capability, Phase, RequestTimes};

fn labels() -> Labels {
    Labels {
        functions: vec!["hello".to_owned()],
        routes: vec![RouteLabels { function: "hello".to_owned(), pattern: "/".to_owned() }],
        operations: &["kvstore:get", "kvstore:set"],
        service_routes: Vec::new(),
    }
}

#[track_caller]
fn check(outcome: Outcome, times: RequestTimes, phases: &[Phase]) {
    let labels = labels();
    let telemetry = ShardTelemetry::new(&labels);
    telemetry.request(0, outcome, &times);
    telemetry.call(0, outcome, &times);
    let record = telemetry.swap(ShardRecord::new(&labels));
    for source in [0, labels.calls_of(0)] {
        let route = &record.requests[source];
        assert_eq!((route.outcome(outcome), route.requests()), (1, 1));
        let stretches: Vec<_> = route
            .histograms()
            .map(|(status, stretch, bins)| {
                assert_eq!((status, bins.count()), (outcome.status_class(), 1));
                stretch
            })
            .collect();
        let found: Vec<_> = stretches
            .iter()
            .filter(|one| one.capability().is_none())
            .map(|one| one.phase())
            .collect();
        assert_eq!(found, phases, "{outcome:?}");
        let host = stretches.iter().filter_map(|one| one.capability());
        assert!(host.eq(times.host.by_capability().map(|(capability, _)| capability)));
    }
}

#[test]
fn histograms_are_apart_by_class_and_stretch() {
    let all = RequestTimes {
        total_ns: 50_000,
        queue_ns: 9,
        guest_ns: Some(700),
        write_ns: Some(20),
        ..RequestTimes::default()
    };
    let refused = RequestTimes { guest_ns: None, ..all };
    let mut with_host = all;
    with_host.host.add(Capability::Kvstore, 300);
    with_host.host.add(Capability::Logger, 40);
    let ran = [Phase::Total, Phase::Queue, Phase::Guest, Phase::Write];
    let called = [Phase::Total, Phase::Queue, Phase::Guest, Phase::Host, Phase::Write];
    let not_ran = [Phase::Total, Phase::Queue, Phase::Write];
    for outcome in Outcome::ALL {
        check(outcome, all, &ran);
        check(outcome, with_host, &called);
        check(outcome, refused, &not_ran);
    }
}

#[test]
fn requests_without_a_route_count_under_pseudo_routes() {
    let labels = labels();
    let telemetry = ShardTelemetry::new(&labels);
    [404, 405, 301, 200].into_iter().for_each(|status| telemetry.unrouted(status, 1_000));
    telemetry.admin(200, 2_000);
    let record = telemetry.swap(ShardRecord::new(&labels));
    let unmatched = &record.requests[labels.unmatched()];
    assert_eq!(unmatched.outcome(Outcome::NotFound), 1);
    assert_eq!(unmatched.outcome(Outcome::MethodNotAllowed), 1);
    assert_eq!(unmatched.outcome(Outcome::Answered), 2);
    let classes: Vec<_> =
        unmatched.histograms().map(|(status, _, bins)| (status.label(), bins.count())).collect();
    assert_eq!(classes, [("2xx", 1), ("3xx", 1), ("4xx", 2)]);
    let admin = record.requests[labels.admin()].phase(StatusClass::Success, Phase::Total);
    assert_eq!(admin.map(Bins::count), Some(1));
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
    telemetry.admin(200, 5);
    let mut first = telemetry.swap(ShardRecord::new(&labels));
    first.clear();
    telemetry.admin(200, 6);
    let second = telemetry.swap(first);
    assert_eq!(second.requests[labels.admin()].requests(), 1);
    let third = telemetry.swap(second);
    assert_eq!(third.requests[labels.admin()].requests(), 0);
}

#[test]
fn a_record_can_change_threads() {
    fn send<T: Send>() {}
    send::<ShardRecord>();
}
