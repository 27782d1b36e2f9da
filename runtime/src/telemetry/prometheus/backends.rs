//! The back ends: calls, failures by kind, connections. Those of one name are one, so the label is its name alone.

use super::own_family;
use crate::telemetry::exposition::{Exposition, Kind};
use crate::telemetry::{BackendStatus, Collected};
use airside_capabilities::backend::FailureKind;

pub(super) fn write(
    exposition: &mut Exposition,
    collected: &Collected,
    backends: &[BackendStatus],
) {
    let help = "Time of host calls to a store, a database or HTTP servers, failed ones included";
    let name = "airside_backend_call_duration_seconds";
    own_family(exposition, name, Kind::Histogram, help, |family| {
        for backend in backends {
            if let Some(bins) = collected.capability(backend.capability).calls().get() {
                family.histogram(&[("backend", backend.name)], bins);
            }
        }
    });
    let help = "Calls that a back end did not answer as asked, by kind";
    own_family(exposition, "airside_backend_failures_total", Kind::Counter, help, |family| {
        for backend in backends {
            for kind in FailureKind::ALL {
                let labels = [("backend", backend.name), ("kind", kind.label())];
                family.number(&labels, backend.counts.failures[kind as usize] as f64);
            }
        }
    });
    let mut write = |name, kind, help, value: &dyn Fn(&BackendStatus) -> Option<f64>| {
        own_family(exposition, name, kind, help, |family| {
            for backend in backends {
                if let Some(value) = value(backend) {
                    family.number(&[("backend", backend.name)], value);
                }
            }
        });
    };
    write("airside_backend_connections", Kind::Gauge, "Connections to a back end", &|backend| {
        Some(backend.counts.connections as f64)
    });
    let help = "Connections made to replace a lost one";
    write("airside_backend_reconnects_total", Kind::Counter, help, &|backend| {
        Some(backend.counts.reconnects as f64)
    });
    let help = "1 if every shard has its connection, else 0";
    write("airside_backend_up", Kind::Gauge, help, &|backend| backend.up.map(f64::from));
}
