//! Functions with one route each, for what counts by function and route.

use airside::telemetry::{Labels, RouteLabels};

/// So many functions; the route of each has its index.
pub(crate) fn labels(functions: usize) -> Labels {
    let functions: Vec<String> = (0..functions).map(|index| format!("function{index}")).collect();
    let routes = functions.iter().map(|function| RouteLabels {
        function: function.clone(),
        pattern: format!("/{function}"),
    });
    Labels { routes: routes.collect(), functions, ..Labels::default() }
}
