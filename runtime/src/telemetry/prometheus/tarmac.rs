//! The metrics that Tarmac has, under its names and in its unit, milliseconds. Its `path` is the raw
//! path of the request; here it is the pattern of the route, so that clients cannot make series.

use super::{NANOSECONDS_PER_MILLISECOND, own_family, route_series, summary};
use crate::telemetry::exposition::{Exposition, Kind};
use crate::telemetry::{Collected, Labels, Phase};
use std::collections::BTreeMap;

pub(super) fn write(exposition: &mut Exposition, collected: &Collected) {
    http_server(exposition, collected);
    wasm_functions(exposition, collected);
    wasm_callbacks(exposition, collected);
    service_routes(exposition, collected.labels());
}

fn http_server(exposition: &mut Exposition, collected: &Collected) {
    let series = route_series(collected, Labels::pattern_of);
    let help = "Time to answer HTTP requests since the start, in milliseconds, by route pattern";
    own_family(exposition, "http_server", Kind::Summary, help, |family| {
        for (path, routes) in series {
            let record = collected.routes(&routes);
            if let Some(bins) = record.phase_of_all(Phase::Total).get() {
                summary(family, &[("path", path)], bins, NANOSECONDS_PER_MILLISECOND);
            }
        }
    });
}

fn wasm_functions(exposition: &mut Exposition, collected: &Collected) {
    let help = "Time of function invocations since the start, in milliseconds";
    own_family(exposition, "wasm_functions", Kind::Summary, help, |family| {
        for (index, function) in collected.labels().functions.iter().enumerate() {
            if let Some(bins) = collected.function(index).runs().get() {
                let route = format!("{function}:handler");
                summary(family, &[("route", &route)], bins, NANOSECONDS_PER_MILLISECOND);
            }
        }
    });
}

fn wasm_callbacks(exposition: &mut Exposition, collected: &Collected) {
    let help = "Time of host calls since the start, in milliseconds";
    own_family(exposition, "wasm_callbacks", Kind::Summary, help, |family| {
        for (index, callback) in collected.labels().operations.iter().enumerate() {
            if let Some(bins) = collected.operation(index).calls().get() {
                summary(family, &[("callback", callback)], bins, NANOSECONDS_PER_MILLISECOND);
            }
        }
    });
}

fn service_routes(exposition: &mut Exposition, labels: &Labels) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for route in &labels.service_routes {
        *counts.entry((&route.service, route.kind)).or_default() += 1;
    }
    let help = "Configured routes by service and type";
    own_family(exposition, "service_routes", Kind::Gauge, help, |family| {
        for ((service, kind), count) in counts {
            family.number(&[("service", service), ("type", kind)], count as f64);
        }
    });
}
