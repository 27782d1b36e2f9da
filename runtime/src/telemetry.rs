//! What the process knows of its own work: latency histograms and counters, kept by each shard for
//! itself and added up on the control thread when somebody asks.
//!
//! A shard records into its own [`ShardTelemetry`]; nothing is shared and nothing locked. To read, the
//! control thread sends an empty [`ShardRecord`] to the shard, the shard swaps it for its full one
//! without stopping, and [`Collected`] adds that one to the totals. Labels come from the configuration
//! only, never from a request, so the number of series is bounded.

mod backends;
pub mod bins;
pub mod clock;
pub mod collected;
mod exposition;
pub mod kinds;
pub mod latency;
pub mod process;
pub mod prometheus;
pub mod record;
pub mod shard;

pub use backends::BackendStatus;
pub use collected::Collected;
pub use kinds::{ConnectionEvent, FunctionFault, Outcome, Phase};
pub use record::{Instances, OperationRecord, ShardRecord};
pub use shard::{RequestTimes, ShardTelemetry};

/// The names behind the indices that shards record under. Built once from the configuration.
#[derive(Debug, Default)]
pub struct Labels {
    /// Names of the functions, by function index.
    pub functions: Vec<String>,
    /// The HTTP routes, by route index.
    pub routes: Vec<RouteLabels>,
    /// Labels of the host calls, such as `kvstore:get`, by operation index.
    pub operations: &'static [&'static str],
    /// One entry for each route of any type, for the `service_routes` gauge.
    pub service_routes: Vec<ServiceRoute>,
}

/// What identifies an HTTP route to a reader.
#[derive(Debug, Clone)]
pub struct RouteLabels {
    /// Name of the function that answers.
    pub function: String,
    /// The pattern as configured, such as `/users/:name`.
    pub pattern: String,
    /// Method names, in the order of the configuration.
    pub methods: Vec<String>,
}

/// One configured route, of HTTP or another type.
#[derive(Debug, Clone)]
pub struct ServiceRoute {
    /// Name of the service in `tarmac.json`.
    pub service: String,
    /// Type of the route in `tarmac.json`, such as `http` or `init`.
    pub kind: &'static str,
}

impl Labels {
    /// Index of the pseudo route of requests that match no route.
    pub fn unmatched(&self) -> usize {
        self.routes.len()
    }

    /// Index of the pseudo route of the admin pages.
    pub fn admin(&self) -> usize {
        self.routes.len() + 1
    }

    /// Number of route indices, the pseudo routes included.
    pub fn route_count(&self) -> usize {
        self.routes.len() + 2
    }

    /// The function of a route, empty for a pseudo route.
    pub fn function_of(&self, route: usize) -> &str {
        self.routes.get(route).map_or("", |labels| &labels.function)
    }

    /// The pattern of a route; a pseudo route has a name that no pattern can have.
    pub fn pattern_of(&self, route: usize) -> &str {
        match self.routes.get(route) {
            Some(labels) => &labels.pattern,
            None if route == self.unmatched() => "(unmatched)",
            None => "(admin)",
        }
    }

    /// The methods of a route, none for a pseudo route.
    pub fn methods_of(&self, route: usize) -> &[String] {
        self.routes.get(route).map_or(&[], |labels| &labels.methods)
    }
}
