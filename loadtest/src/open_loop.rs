//! One measured run of oha in an open loop against one server: what it sees, what that costs, and what airside says of it
//! itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::latency_page;
use crate::machine::Stage;
use crate::oha::{Oha, OpenLoop};
use crate::peers::{Peer, Server};
use crate::proc;
use crate::spectrum::{PERCENTILES, Spectrum};
use crate::wrk::Load;

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
    /// Of the server's process tree, right after the load.
    pub resident_bytes: u64,
}

/// airside's histogram of the requests that oha sent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Own {
    pub count: u64,
    pub spectrum: Spectrum,
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
        resident_bytes: proc::resident_bytes(server.process_id())?,
    })
}

fn own(server: &Server) -> Result<Own> {
    let histogram = latency_page::histogram(server.address, &server.target)?;
    let us = |percentile: f64| (percentile, histogram.value_at_percentile(percentile) as f64 / 1e3);
    // oha gives these two as well.
    let all = PERCENTILES.into_iter().chain([25.0, 75.0]);
    Ok(Own { count: histogram.len(), spectrum: Spectrum::new(all.map(us)) })
}
