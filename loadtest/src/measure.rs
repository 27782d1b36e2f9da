//! One measured run: wrk against one server, with what that cost the server.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::machine::Stage;
use crate::peers::Server;
use crate::wrk::{self, Requests};

#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub requests_per_s: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// CPU time, user and system, of the server's process tree, over the answers of any status.
    pub cpu_us_per_request: f64,
    /// The share of its core that the server used, 0 to 1.
    pub core_share: f64,
    /// Socket errors and statuses of 400 and over, without the shed ones.
    pub errors: u64,
    /// 503 at once because the server was full: by its own count, see `Server::shed`.
    pub shed: u64,
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
    let shed = server.shed()?.saturating_sub(shed_before);
    ensure!(outcome.requests > 0, "{} answered nothing", server.name);
    Ok(Sample {
        requests_per_s: outcome.requests_per_s(),
        p50_us: outcome.p50_us,
        p99_us: outcome.p99_us,
        cpu_us_per_request: cpu.as_secs_f64() * 1e6 / outcome.requests as f64,
        core_share: cpu.as_secs_f64() / outcome.seconds,
        errors: (outcome.socket_errors + outcome.bad_statuses).saturating_sub(shed),
        shed,
    })
}
