//! One measured run: wrk against one server, with what that cost the server.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::machine::Stage;
use crate::peers::Server;
use crate::proc;
use crate::rows::Row;
use crate::spectrum::Spectrum;
use crate::wrk::{self, Requests};

#[derive(Clone, Debug, Default, Serialize)]
pub struct Sample {
    pub requests_per_s: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    /// CPU time, user and system, of the server's process tree, over the answers of any status.
    pub cpu_us_per_request: f64,
    /// The share of its core that the server used, 0 to 1.
    pub core_share: f64,
    /// Socket errors and statuses of 400 and over, without the shed ones.
    pub errors: u64,
    /// 503 at once because the server was full: by its own count, see `Server::shed`.
    pub shed: u64,
    /// Of the server's process tree, right after the load.
    pub resident_bytes: u64,
    pub spectrum: Spectrum,
}

impl Sample {
    /// For tests of tables and bars: runs that differ in CPU time per request.
    #[cfg(test)]
    pub fn costing(cpu_us: &[f64]) -> Vec<Sample> {
        let sample = |&cpu_us_per_request: &f64| Sample {
            requests_per_s: 100_000.0,
            p50_us: 500.0,
            p99_us: 900.0,
            cpu_us_per_request,
            core_share: 1.0,
            ..Sample::default()
        };
        cpu_us.iter().map(sample).collect()
    }

    /// The row that another run is compared by.
    pub fn row(name: impl Into<String>, rounds: &[Sample]) -> Row {
        let all = |value: fn(&Sample) -> f64| rounds.iter().map(value);
        // One process served all rounds: more than its last figure would seem to be more than one fact.
        let mib = |sample: &Sample| sample.resident_bytes as f64 / f64::from(1 << 20);
        let last_rss_mib = rounds.last().map(mib);
        Row::new(name)
            .higher("requests/s", all(|sample| sample.requests_per_s))
            .lower("p50 us", all(|sample| sample.p50_us))
            .lower("p99 us", all(|sample| sample.p99_us))
            .lower("p99.9 us", all(|sample| sample.p999_us))
            .lower("CPU us/request", all(|sample| sample.cpu_us_per_request))
            .lower("RSS MiB", last_rss_mib)
            .lower("errors and shed", all(|sample| (sample.errors + sample.shed) as f64))
    }
}

/// How often and how long a scenario measures.
#[derive(clap::Args, Clone, Copy)]
pub struct Pace {
    /// Times that everything is measured; the table shows medians and spreads.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Length of one measurement, after a warm-up of one second.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub connections: u32,
    pub time: Duration,
    pub requests: Requests,
}

impl Load {
    /// Load before the measured time: caches, branch predictors, instance pools.
    pub const WARM_UP: Duration = Duration::from_secs(1);

    pub fn new(connections: u32, pace: Pace) -> Load {
        Load { connections, time: Duration::from_secs(pace.seconds), requests: Requests::Get }
    }
}

pub fn measure(stage: &Stage, server: &Server, load: Load) -> Result<Sample> {
    let url = server.url();
    let run = |time| wrk::send(stage, &url, load.connections, time, load.requests);
    run(Load::WARM_UP)?;
    let shed_before = server.shed()?;
    let cpu_before = server.cpu_time()?;
    let outcome = run(load.time)?;
    let cpu = server.cpu_time()?.saturating_sub(cpu_before);
    let resident_bytes = proc::resident_bytes(server.process_id())?;
    let shed = server.shed()?.saturating_sub(shed_before);
    ensure!(outcome.requests > 0, "{} answered nothing", server.name);
    let at = |percentile| outcome.spectrum.at(percentile).unwrap_or(f64::NAN);
    Ok(Sample {
        requests_per_s: outcome.requests_per_s(),
        p50_us: at(50.0),
        p99_us: at(99.0),
        p999_us: at(99.9),
        cpu_us_per_request: cpu.as_secs_f64() * 1e6 / outcome.requests as f64,
        core_share: cpu.as_secs_f64() / outcome.seconds,
        errors: (outcome.socket_errors + outcome.bad_statuses).saturating_sub(shed),
        shed,
        resident_bytes,
        spectrum: outcome.spectrum,
    })
}
