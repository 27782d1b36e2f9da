//! One rate with one peer: what oha sees, what it costs, and what airside says of it itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::latency_page;
use crate::machine::Stage;
use crate::measure::Load;
use crate::oha::{Oha, OpenLoop};
use crate::peers::{Peer, Server};
use crate::rows::Row;
use crate::spectrum::{PERCENTILES, Spectrum};
use crate::table::Spread;

/// Of the rate: what must be achieved for it to count as held.
const ACHIEVED_MIN: f64 = 0.99;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Sample {
    /// Answers below 400, over the time from the first request to the last answer.
    pub requests_per_s: f64,
    pub client: Spectrum,
    pub own: Option<Own>,
    /// CPU time of the server's processes over the answers of any status.
    pub cpu_us_per_request: f64,
    /// Shares of their cores that the server and oha used, 0 to 1.
    pub server_core: f64,
    pub load_core: f64,
    pub answered: u64,
    /// Requests without an answer and statuses of 400 and over, without the shed ones.
    pub errors: u64,
    /// By the server's own count.
    pub shed: u64,
}

/// airside's histogram of the requests that oha sent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Own {
    pub count: u64,
    pub spectrum: Spectrum,
}

/// All rounds of one rate with one peer.
#[derive(Serialize)]
pub struct Point {
    pub rate: u64,
    pub peer: Peer,
    pub rounds: Vec<Sample>,
}

impl Point {
    pub fn new(rate: u64, peer: Peer) -> Point {
        Point { rate, peer, rounds: Vec::new() }
    }

    pub fn spread(&self, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(value))
    }

    pub fn client(&self, percentile: f64) -> Option<Spread> {
        self.spread(|sample| sample.client.at(percentile).unwrap_or(f64::NAN))
    }

    pub fn own(&self, percentile: f64) -> Option<Spread> {
        let own = self.rounds.iter().filter_map(|sample| sample.own.as_ref());
        Spread::of(own.filter_map(|own| own.spectrum.at(percentile)))
    }

    /// By the medians of its rounds.
    pub fn held(&self, p99_max_us: f64) -> bool {
        let achieved = self.spread(|sample| sample.requests_per_s);
        let achieved = achieved.is_some_and(|s| s.median >= ACHIEVED_MIN * self.rate as f64);
        achieved && self.client(99.0).is_some_and(|p99| p99.median <= p99_max_us)
    }

    pub fn row(&self, name: String) -> Row {
        let all = |value: fn(&Sample) -> f64| self.rounds.iter().map(value);
        let client =
            |percentile| self.rounds.iter().filter_map(move |sample| sample.client.at(percentile));
        Row::new(name)
            .higher("requests/s", all(|sample| sample.requests_per_s))
            .lower("p50 us", client(50.0))
            .lower("p99 us", client(99.0))
            .lower("p99.9 us", client(99.9))
            .lower("CPU us/request", all(|sample| sample.cpu_us_per_request))
            .lower("errors and shed", all(|sample| (sample.errors + sample.shed) as f64))
    }
}

pub fn measure(
    stage: &Stage,
    oha: &Oha,
    (peer, server): (Peer, &Server),
    load: OpenLoop,
    time: Duration,
) -> Result<Sample> {
    let url = server.url();
    oha.run_open(stage, &url, load, Load::WARM_UP)?;
    if peer == Peer::Airside {
        latency_page::reset(server.address)?;
    }
    let shed_before = server.shed()?;
    let cpu_before = server.cpu_time()?;
    let outcome = oha.run_open(stage, &url, load, time)?;
    let cpu_s = server.cpu_time()?.saturating_sub(cpu_before).as_secs_f64();
    let shed = server.shed()?.saturating_sub(shed_before);
    let all = outcome.answered + outcome.errors;
    ensure!(all > 0, "oha sent nothing to {}", server.name);
    Ok(Sample {
        requests_per_s: outcome.answered as f64 / outcome.seconds,
        client: outcome.spectrum,
        own: if peer == Peer::Airside { Some(own(server)?) } else { None },
        cpu_us_per_request: cpu_s * 1e6 / all as f64,
        server_core: cpu_s / outcome.seconds,
        load_core: outcome.cpu_time.as_secs_f64() / outcome.seconds,
        answered: outcome.answered,
        errors: outcome.errors.saturating_sub(shed),
        shed,
    })
}

fn own(server: &Server) -> Result<Own> {
    let histogram = latency_page::histogram(server.address, &server.target)?;
    let us = |percentile: f64| (percentile, histogram.value_at_percentile(percentile) as f64 / 1e3);
    // oha gives these two as well.
    let all = PERCENTILES.into_iter().chain([25.0, 75.0]);
    Ok(Own { count: histogram.len(), spectrum: Spectrum::new(all.map(us)) })
}
