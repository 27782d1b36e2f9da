//! Reads airside's own counts off `GET /debug/latency?format=json`.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::client;

/// Only the totals of requests, split by route and status class.
const QUERY: &str = "/debug/latency?format=json&by=route,status";

#[derive(Debug, Deserialize)]
pub struct LatencyPage {
    /// Routes and classes without a request may be missing.
    series: Vec<Series>,
}

#[derive(Debug, Deserialize)]
struct Series {
    labels: Labels,
    count: u64,
    /// Nanoseconds.
    p99: u64,
}

#[derive(Debug, Deserialize)]
struct Labels {
    /// The pattern, `/hello`.
    route: String,
    /// The class, `2xx` or `shed`.
    status: String,
}

pub fn read(address: SocketAddr) -> Result<LatencyPage> {
    let response = client::get(address, QUERY)?;
    ensure!(response.status == 200, "the latency page answers {}", response.status);
    serde_json::from_slice(&response.body).context("read the latency page")
}

impl LatencyPage {
    /// Requests on a route that its function answered.
    pub fn answered(&self, pattern: &str) -> u64 {
        self.count(pattern, "2xx")
    }

    /// Requests on a route that were refused because there was no instance.
    pub fn shed(&self, pattern: &str) -> u64 {
        self.count(pattern, "shed")
    }

    /// The p99 of the requests on a route that its function answered, in microseconds.
    pub fn p99_us(&self, pattern: &str) -> Option<f64> {
        self.of(pattern, "2xx").next().map(|one| one.p99 as f64 / 1e3)
    }

    fn count(&self, pattern: &str, status: &str) -> u64 {
        self.of(pattern, status).map(|one| one.count).sum()
    }

    fn of<'p>(&'p self, pattern: &'p str, status: &'p str) -> impl Iterator<Item = &'p Series> {
        let of = move |one: &&Series| one.labels.route == pattern && one.labels.status == status;
        self.series.iter().filter(of)
    }
}

#[cfg(test)]
mod tests {
    use super::LatencyPage;

    #[test]
    fn counts_are_those_of_the_route() {
        let page = r#"{"seconds": 1.5, "unit": "ns", "by": ["route", "status"], "series": [
            {"labels": {"route": "/hello", "status": "2xx"}, "count": 7, "p50": 9, "p99": 1500},
            {"labels": {"route": "/hello", "status": "shed"}, "count": 3, "p99": 1},
            {"labels": {"route": "(unmatched)", "status": "4xx"}, "count": 2, "p99": 2}
        ]}"#;
        let page: LatencyPage = serde_json::from_str(page).unwrap();
        assert_eq!((page.answered("/hello"), page.shed("/hello")), (7, 3));
        assert_eq!((page.p99_us("/hello"), page.p99_us("/other")), (Some(1.5), None));
        assert_eq!((page.answered("/other"), page.shed("/other")), (0, 0));
    }
}
