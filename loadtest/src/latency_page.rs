//! Reads airside's own counts off `GET /debug/latency?format=json`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
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

/// `window=all` begins now.
pub fn reset(address: SocketAddr) -> Result<()> {
    let response = client::Client::connect(address)?.post("/debug/latency", b"")?;
    ensure!(response.status == 200, "the latency page's reset answers {}", response.status);
    Ok(())
}

/// Nanoseconds of all requests on a route since the last reset.
pub fn histogram(address: SocketAddr, pattern: &str) -> Result<Histogram<u64>> {
    let response =
        client::get(address, &format!("/debug/latency?format=json&by=route&route={pattern}"))?;
    ensure!(response.status == 200, "the latency page answers {}", response.status);
    sum(&response.body)
}

/// Requests on a route by the shard that served them, since the last reset.
pub fn requests_by_shard(address: SocketAddr, pattern: &str) -> Result<BTreeMap<String, u64>> {
    let target = format!("/debug/latency?format=json&by=shard&route={pattern}");
    let response = client::get(address, &target)?;
    ensure!(response.status == 200, "the latency page answers {}", response.status);
    by_shard(&response.body)
}

fn by_shard(page: &[u8]) -> Result<BTreeMap<String, u64>> {
    #[derive(Deserialize)]
    struct Page {
        series: Vec<Counted>,
    }
    #[derive(Deserialize)]
    struct Counted {
        labels: ShardLabel,
        count: u64,
    }
    #[derive(Deserialize)]
    struct ShardLabel {
        shard: String,
    }
    let page: Page = serde_json::from_slice(page).context("read the latency page")?;
    Ok(page.series.into_iter().map(|one| (one.labels.shard, one.count)).collect())
}

/// Adds up the histograms of a page, as who reads several machines does.
fn sum(page: &[u8]) -> Result<Histogram<u64>> {
    #[derive(Deserialize)]
    struct Page {
        series: Vec<Encoded>,
    }
    #[derive(Deserialize)]
    struct Encoded {
        histogram: String,
    }
    let page: Page = serde_json::from_slice(page).context("read the latency page")?;
    let mut sum = Histogram::new(3)?;
    for Encoded { histogram } in page.series {
        let bytes = BASE64_STANDARD.decode(histogram).context("decode a histogram")?;
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| anyhow::anyhow!("decode a histogram: {error}"))?;
        sum.add(histogram)?;
    }
    Ok(sum)
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
    use super::{LatencyPage, by_shard, sum};

    #[test]
    fn histograms_are_added_up() {
        // Three requests of 318,208 to 1,062,911 ns, as airside wrote them.
        let one = r#"{"histogram": "HISTFAAAAD14nAEyAM3/HISTEwAAAAoAAAAAAAAAAwAAAAAAAAABAAADRjC4oAA/8AAAAAAAALWTAQKHGALXBAKNYQce"}"#;
        let page = |series: &str| format!(r#"{{"seconds": 1, "series": [{series}]}}"#);
        let both = sum(page(&format!("{one}, {one}")).as_bytes()).unwrap();
        assert_eq!((both.len(), both.max()), (6, 1_062_911));
        assert_eq!(sum(page("").as_bytes()).unwrap().len(), 0);
        assert!(sum(page(r#"{"histogram": "AAAA"}"#).as_bytes()).is_err());
    }

    #[test]
    fn shards_are_told_apart() {
        let page = br#"{"by": ["shard"], "series": [{"labels": {"shard": "0"}, "count": 7},
            {"labels": {"shard": "1"}, "count": 3}]}"#;
        let counts: Vec<(String, u64)> = by_shard(page).unwrap().into_iter().collect();
        assert_eq!(counts, [(String::from("0"), 7), (String::from("1"), 3)]);
    }

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
