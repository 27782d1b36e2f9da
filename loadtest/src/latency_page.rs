//! Reads airside's own counts off `GET /debug/latency?format=json`.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::client;

#[derive(Debug, Deserialize)]
pub struct LatencyPage {
    /// Routes without a request may be missing.
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
struct Route {
    /// The pattern, `/hello`.
    route: String,
    requests: Outcomes,
    phases: Vec<Phase>,
}

#[derive(Debug, Deserialize)]
struct Outcomes {
    shed: u64,
}

#[derive(Debug, Deserialize)]
struct Phase {
    phase: String,
    count: u64,
    /// Nanoseconds; 0 when nothing was counted.
    #[serde(default)]
    p99: u64,
}

pub fn read(address: SocketAddr) -> Result<LatencyPage> {
    let response = client::get(address, "/debug/latency?format=json")?;
    ensure!(response.status == 200, "the latency page answers {}", response.status);
    serde_json::from_slice(&response.body).context("read the latency page")
}

impl LatencyPage {
    /// Requests in the `total` histogram of a route: those that its function answered.
    pub fn answered(&self, pattern: &str) -> u64 {
        let phases = self.of(pattern).flat_map(|route| &route.phases);
        phases.filter(|phase| phase.phase == "total").map(|phase| phase.count).sum()
    }

    /// Requests on a route that were refused at once because its function's queue was full.
    pub fn shed(&self, pattern: &str) -> u64 {
        self.of(pattern).map(|route| route.requests.shed).sum()
    }

    /// The p99 of a route's `total` histogram, in microseconds.
    pub fn p99_us(&self, pattern: &str) -> Option<f64> {
        let mut phases = self.of(pattern).flat_map(|route| &route.phases);
        phases.find(|phase| phase.phase == "total").map(|phase| phase.p99 as f64 / 1e3)
    }

    fn of(&self, pattern: &str) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(move |route| route.route == pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::LatencyPage;

    #[test]
    fn counts_are_those_of_the_route() {
        let page = r#"{"seconds": 1.5, "unit": "ns", "routes": [
            {"function": "hello", "route": "/hello", "methods": ["GET"],
             "requests": {"answered": 7, "shed": 3},
             "phases": [{"phase": "wait", "count": 7, "p99": 1},
                        {"phase": "total", "count": 7, "p50": 9, "p99": 1500}]},
            {"function": "", "route": "(unmatched)", "methods": [],
             "requests": {"answered": 0, "shed": 0},
             "phases": [{"phase": "total", "count": 2}]}
        ], "host_calls": []}"#;
        let page: LatencyPage = serde_json::from_str(page).unwrap();
        assert_eq!((page.answered("/hello"), page.shed("/hello")), (7, 3));
        assert_eq!((page.p99_us("/hello"), page.p99_us("/other")), (Some(1.5), None));
        assert_eq!((page.answered("/other"), page.shed("/other")), (0, 0));
    }
}
