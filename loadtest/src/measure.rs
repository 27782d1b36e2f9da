//! One measured run: wrk against one server, or several at once, with what that cost them.

use std::iter::Sum;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::machine::Stage;
use crate::peers::Server;
use crate::proc;
use crate::spectrum::Spectrum;
use crate::wrk::{self, Load};

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

impl Pace {
    /// Requests one after the other on so many connections.
    pub fn load(self, connections: u32) -> Load {
        Load::get(connections, Duration::from_secs(self.seconds))
    }
}

pub fn measure(stage: &Stage, server: &Server, load: Load) -> Result<Sample> {
    measure_all(stage, &[server], load)
}

/// Several servers under one load, all with the target of the first; what each of them took and refused is added up.
pub fn measure_all(stage: &Stage, servers: &[&Server], load: Load) -> Result<Sample> {
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let target = &servers.first().context("no server to measure")?.target;
    let run = |time| wrk::send(stage, &addresses, target, Load { time, ..load });
    run(Load::WARM_UP)?;
    let shed_before = sum(servers, Server::shed)?;
    let cpu_before = sum(servers, Server::cpu_time)?;
    let outcome = run(load.time)?;
    let cpu = sum(servers, Server::cpu_time)?.saturating_sub(cpu_before);
    let resident_bytes = sum(servers, |server| proc::resident_bytes(server.process_id()))?;
    let shed = sum(servers, Server::shed)?.saturating_sub(shed_before);
    ensure!(outcome.requests > 0, "{target} of {addresses:?} is not answered");
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

fn sum<T: Sum>(servers: &[&Server], value: impl Fn(&Server) -> Result<T>) -> Result<T> {
    servers.iter().map(|&server| value(server)).sum()
}
