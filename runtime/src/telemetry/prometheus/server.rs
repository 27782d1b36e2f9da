//! Our own metrics, in seconds and bytes, and those of the process under the names that Prometheus'
//! client libraries use.

use super::{Extras, NANOSECONDS_PER_SECOND, own_family, route_series};
use crate::telemetry::exposition::{Exposition, Kind};
use crate::telemetry::kinds::StatusClass;
use crate::telemetry::process::ProcessFacts;
use crate::telemetry::record::{ConnectionRecord, FunctionRecord};
use crate::telemetry::{Collected, ConnectionEvent, FunctionFault, Outcome, Phase};
use std::time::UNIX_EPOCH;

pub(super) fn write(exposition: &mut Exposition, collected: &Collected, extras: &Extras<'_>) {
    requests(exposition, collected);
    host_calls(exposition, collected);
    functions(exposition, collected);
    connections(exposition, &collected.connections());
    process(exposition, collected, &extras.process);
    let help = "Log lines lost because writing them could not keep up";
    let dropped = extras.log_lines_dropped as f64;
    single(exposition, "airside_log_lines_dropped_total", Kind::Counter, help, Some(dropped));
    let help = "Threads that serve requests, one for each core";
    let shards = collected.shards() as f64;
    single(exposition, "airside_shards", Kind::Gauge, help, Some(shards));
}

fn requests(exposition: &mut Exposition, collected: &Collected) {
    let series = route_series(collected, |labels, index| {
        (labels.function_of(index), labels.pattern_of(index))
    });
    let help = "Time of requests by phase and by the class that they ended in";
    let name = "airside_request_duration_seconds";
    own_family(exposition, name, Kind::Histogram, help, |family| {
        for (&(function, route), routes) in &series {
            let record = collected.routes(routes);
            for status in StatusClass::ALL {
                for phase in Phase::ALL {
                    let Some(bins) = record.phase(status, phase) else { continue };
                    let labels = [
                        ("function", function),
                        ("route", route),
                        ("phase", phase.label()),
                        ("status", status.label()),
                    ];
                    family.histogram(&labels, bins);
                }
            }
        }
    });
    let help = "Requests by how they ended";
    own_family(exposition, "airside_requests_total", Kind::Counter, help, |family| {
        for (&(function, route), routes) in &series {
            let record = collected.routes(routes);
            for outcome in Outcome::ALL {
                let count = record.outcome(outcome);
                // Answers always have a series, so that a rate starts from zero.
                if count > 0 || outcome == Outcome::Answered {
                    let outcome = ("outcome", outcome.label());
                    let labels = [("function", function), ("route", route), outcome];
                    family.number(&labels, count as f64);
                }
            }
        }
    });
}

fn host_calls(exposition: &mut Exposition, collected: &Collected) {
    let operations = collected.labels().operations.iter().enumerate();
    let records: Vec<_> =
        operations.map(|(index, &operation)| (operation, collected.operation(index))).collect();
    let help = "Time of host calls, failed ones included";
    let name = "airside_host_call_duration_seconds";
    own_family(exposition, name, Kind::Histogram, help, |family| {
        for (operation, record) in &records {
            if let Some(bins) = record.calls().get() {
                family.histogram(&[("operation", operation)], bins);
            }
        }
    });
    let help = "Host calls that failed";
    own_family(exposition, "airside_host_call_errors_total", Kind::Counter, help, |family| {
        for (operation, record) in &records {
            family.number(&[("operation", operation)], record.errors() as f64);
        }
    });
}

fn functions(exposition: &mut Exposition, collected: &Collected) {
    let names = collected.labels().functions.iter().enumerate();
    let records: Vec<_> =
        names.map(|(index, name)| (name.as_str(), collected.function(index))).collect();
    let mut write = |name, kind, help, value: &dyn Fn(&FunctionRecord) -> f64| {
        own_family(exposition, name, kind, help, |family| {
            for (function, record) in &records {
                family.number(&[("function", function)], value(record));
            }
        });
    };
    write("airside_instances", Kind::Gauge, "Instances that exist", &|record| {
        f64::from(record.instances().live)
    });
    write("airside_instances_in_use", Kind::Gauge, "Instances that serve a call", &|record| {
        f64::from(record.instances().in_use)
    });
    write("airside_instance_waits", Kind::Gauge, "Calls that wait for an instance", &|record| {
        f64::from(record.instances().waiting)
    });
    write("airside_traps_total", Kind::Counter, "Invocations that trapped", &|record| {
        record.faults(FunctionFault::Trap) as f64
    });
    let help = "Invocations that ran past their deadline";
    write("airside_timeouts_total", Kind::Counter, help, &|record| {
        record.faults(FunctionFault::Timeout) as f64
    });
    let help = "Invocations that wanted more memory than their limit";
    write("airside_memory_limit_hits_total", Kind::Counter, help, &|record| {
        record.faults(FunctionFault::MemoryLimit) as f64
    });
}

fn connections(exposition: &mut Exposition, connections: &ConnectionRecord) {
    let help = "Connections that are open";
    let open = connections.open() as f64;
    single(exposition, "airside_connections", Kind::Gauge, help, Some(open));
    for (name, help, event) in [
        ("airside_connections_accepted_total", "Connections served", ConnectionEvent::Accepted),
        (
            "airside_connections_timed_out_total",
            "Connections closed because they idled or stalled",
            ConnectionEvent::TimedOut,
        ),
        (
            "airside_connections_refused_total",
            "Connections closed at once because of the connection cap",
            ConnectionEvent::Refused,
        ),
        ("airside_accept_errors_total", "Failures to accept", ConnectionEvent::AcceptFailed),
        ("airside_panics_total", "Connections that a panic ended", ConnectionEvent::Panicked),
    ] {
        let count = connections.events(event) as f64;
        single(exposition, name, Kind::Counter, help, Some(count));
    }
    let help = "Requests rejected before they had a route, by status";
    own_family(exposition, "airside_rejected_requests_total", Kind::Counter, help, |family| {
        for (status, count) in connections.rejected().filter(|&(_, count)| count > 0) {
            let status = if status == 0 { "other".to_owned() } else { status.to_string() };
            family.number(&[("status", &status)], count as f64);
        }
    });
}

fn process(exposition: &mut Exposition, collected: &Collected, facts: &ProcessFacts) {
    let start = collected.started_at().duration_since(UNIX_EPOCH).unwrap_or_default();
    let cpu_seconds = facts.cpu_ns as f64 / NANOSECONDS_PER_SECOND;
    let number = |fact: Option<u64>| fact.map(|fact| fact as f64);
    for (name, kind, help, value) in [
        (
            "process_cpu_seconds_total",
            Kind::Counter,
            "CPU time used, user and system, in seconds",
            Some(cpu_seconds),
        ),
        (
            "process_resident_memory_bytes",
            Kind::Gauge,
            "Memory in RAM",
            number(facts.resident_bytes),
        ),
        ("process_virtual_memory_bytes", Kind::Gauge, "Address space", number(facts.virtual_bytes)),
        ("process_open_fds", Kind::Gauge, "Open file descriptors", number(facts.open_fds)),
        ("process_max_fds", Kind::Gauge, "Most file descriptors allowed", number(facts.fds_max)),
        ("process_threads", Kind::Gauge, "Threads", number(facts.threads)),
        (
            "process_start_time_seconds",
            Kind::Gauge,
            "Start of the process, in seconds since 1970",
            Some(start.as_secs_f64()),
        ),
    ] {
        single(exposition, name, kind, help, value);
    }
}

/// A family of one sample without labels, if its value is known.
fn single(
    exposition: &mut Exposition,
    name: &str,
    kind: Kind,
    help: &'static str,
    value: Option<f64>,
) {
    own_family(exposition, name, kind, help, |family| {
        if let Some(value) = value {
            family.number(&[], value);
        }
    });
}
