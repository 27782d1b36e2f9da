//! The metrics that guests created. They come after all others, so a guest cannot take a name of ours.

use super::{GuestMetric, GuestValue, RESERVED_PREFIXES, own_family, with_number};
use crate::telemetry::exposition::{Exposition, Kind, metric_name};

pub(super) fn write(exposition: &mut Exposition, metrics: &[GuestMetric<'_>]) {
    let shown = metrics.iter().filter(|metric| guest_metric(exposition, metric)).count();
    let help = "Metrics of guests left out because another metric has their name";
    own_family(exposition, "airside_guest_metrics_hidden", Kind::Gauge, help, |family| {
        family.sample("", &[], (metrics.len() - shown) as f64);
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
    let Some(mut family) = exposition.family(&name, kind, "Created by a function") else {
        return false;
    };
    match &metric.value {
        GuestValue::Counter(value) | GuestValue::Gauge(value) => family.sample("", &[], *value),
        GuestValue::Summary { count, sum, quantiles } => {
            for &(quantile, value) in quantiles {
                with_number(&mut family, "", &[], ("quantile", quantile), value);
            }
            family.sample("_sum", &[], *sum);
            family.sample("_count", &[], *count as f64);
        }
    }
    true
}
