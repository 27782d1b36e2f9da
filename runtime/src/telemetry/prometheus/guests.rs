//! The metrics that guests created. They come after all others, so a guest cannot take a name of ours.

use super::{GuestMetric, GuestValue, RESERVED_PREFIXES, own_family};
use crate::telemetry::exposition::{Exposition, Kind, metric_name};

pub(super) fn write(exposition: &mut Exposition, metrics: &[GuestMetric<'_>]) {
    let shown = metrics.iter().filter(|metric| guest_metric(exposition, metric)).count();
    let help = "Metrics of guests left out because another metric has their name";
    own_family(exposition, "airside_guest_metrics_hidden", Kind::Gauge, help, |family| {
        family.number(&[], (metrics.len() - shown) as f64);
    });
}

/// Whether the metric could be shown.
fn guest_metric(exposition: &mut Exposition, metric: &GuestMetric<'_>) -> bool {
    let name = metric_name(metric.name);
    let kind = match metric.value {
        GuestValue::Counter(_) => Kind::Counter,
        GuestValue::Gauge(_) => Kind::Gauge,
        GuestValue::Summary { .. } => Kind::Summary,
    };
    if name.is_empty() || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return false;
    }
    let Some(family) = exposition.family(&name, kind, "Created by a function") else {
        return false;
    };
    match &metric.value {
        GuestValue::Counter(value) | GuestValue::Gauge(value) => family.number(&[], *value),
        GuestValue::Summary { count, sum, quantiles } => {
            family.summary(&[], (*count, *sum), quantiles.clone());
        }
    }
    true
}
