//! [`Labels`]: the names behind the indices that shards record under, all from the configuration.

use super::stretch::Capability;

/// The names behind the indices that shards record under. Built once from the configuration.
///
/// A *source* is what values are recorded for. Sources are numbered: the routes, the requests that match none, the admin
/// pages, the calls of each function by other functions, and the operations of host calls.
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
}

/// One configured route, of HTTP or another type.
#[derive(Debug, Clone)]
pub struct ServiceRoute {
    /// Name of the service in `tarmac.json`.
    pub service: String,
    /// Type of the route in `tarmac.json`, such as `http` or `init`.
    pub kind: &'static str,
}

/// What made a source's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Trigger {
    /// A request from outside.
    Http,
    /// A function that called another one.
    Call,
    /// A guest's host call, by itself.
    Host,
    /// A request for one of the server's own pages.
    Admin,
}

impl Trigger {
    /// All of them, in the order of their indices.
    pub const ALL: [Trigger; 4] = [Trigger::Http, Trigger::Call, Trigger::Host, Trigger::Admin];

    /// Name on the latency page.
    pub fn label(self) -> &'static str {
        match self {
            Trigger::Http => "http",
            Trigger::Call => "call",
            Trigger::Host => "host",
            Trigger::Admin => "admin",
        }
    }
}

/// The names of one source; empty where it has none.
#[derive(Debug, Clone, Copy)]
pub struct Source<'l> {
    pub function: &'l str,
    /// The pattern of the route, in brackets for what is no route; the operation of a host call.
    pub route: &'l str,
    pub trigger: Trigger,
    /// Of a host call.
    pub capability: Option<Capability>,
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

    /// Index of the calls of a function by others.
    pub fn calls_of(&self, function: usize) -> usize {
        self.route_count() + function
    }

    /// Number of sources that have requests: all but the operations.
    pub(super) fn request_source_count(&self) -> usize {
        self.route_count() + self.functions.len()
    }

    /// All sources, by index.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        let plain =
            |function, route, trigger| Source { function, route, trigger, capability: None };
        let routes = self.routes.iter();
        let calls = self.functions.iter();
        let operations = self.operations.iter();
        routes
            .map(move |route| plain(route.function.as_str(), route.pattern.as_str(), Trigger::Http))
            .chain([plain("", "(unmatched)", Trigger::Http), plain("", "(admin)", Trigger::Admin)])
            .chain(calls.map(move |function| plain(function.as_str(), "", Trigger::Call)))
            .chain(operations.map(|&operation| Source {
                function: "",
                route: operation,
                trigger: Trigger::Host,
                capability: Capability::of_operation(operation),
            }))
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
}
