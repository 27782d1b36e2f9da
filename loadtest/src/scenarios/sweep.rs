//! An open loop at rising rates, to beyond the knee: oha sends what is due, whatever became of the requests before, and each
//! latency begins when its request was due. airside's trivial function beside nginx at the same rates.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most; the peers take
//! turns within each round. A rate is `held` when what was achieved is within 1 % of it and the p99 is within
//! `--p99-max-ms`; the knee is the highest rate that is held. Rates rise until both peers have failed to hold two in a row.
//! `server` percentiles are those of airside's own histogram of the same requests, which begins when the shard sees a
//! request: what the client has more is the way, its own queue, and the time before the shard looked; so much it has of nginx
//! too, which is a bar. `load core` is what oha
//! took of its core: with that full and the server's not, the knee is the load's, and a note says so. Below the table
//! is 70 % of the lower knee, in rounds of its own. `errors` are requests without an answer and statuses of 400 and over,
//! without the `shed` ones, which are refused because the server was full (503).

mod point;
mod show;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::machine::Stage;
use crate::measure::Pace;
use crate::oha::{Oha, OpenLoop};
use crate::open_loop::{Sample, measure};
use crate::peers::{Peer, Server, Started, start_all};
use crate::report::Report;
use crate::versions;
use point::Point;

/// Of the knee: where servers are run.
const STEADY_PART: f64 = 0.7;
/// Rates in a row that a peer may fail to hold before it is not asked for more.
const FAILED_MAX: usize = 2;

#[derive(clap::Args)]
pub struct Options {
    /// The first rate, in requests per second.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// Each rate is so many times the one before.
    #[arg(long, default_value_t = 1.4, value_parser = factor)]
    factor: f64,
    /// No rate is higher.
    #[arg(long, default_value_t = 400_000)]
    to: u64,
    /// The p99 with which a rate still counts as held.
    #[arg(long, default_value_t = 10.0)]
    p99_max_ms: f64,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    #[command(flatten)]
    pace: Pace,
}

/// Rates must rise.
fn factor(text: &str) -> Result<f64> {
    let factor: f64 = text.parse()?;
    ensure!((1.05..=10.0).contains(&factor), "from 1.05 to 10");
    Ok(factor)
}

/// What has been found out.
struct Sweep {
    points: Vec<Point>,
    /// At `STEADY_PART` of the lower knee; empty when a peer has none.
    steady: Vec<Point>,
    p99_max_us: f64,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    let oha = Oha::find()?.context("oha is not on the PATH: run `cargo install --locked oha`")?;
    let Started { servers, skipped } = start_all(stage, &[Peer::Nginx, Peer::Airside])?;
    let driver = Driver { stage, oha, servers, options };
    let p99_max_us = options.p99_max_ms * 1e3;
    let mut points = driver.climb(p99_max_us)?;
    driver.repeat(&mut points, 2)?;
    let mut sweep = Sweep { points, steady: Vec::new(), p99_max_us };
    if let Some(rate) = sweep.steady_rate() {
        sweep.steady = driver.servers.iter().map(|&(peer, _)| Point::new(rate, peer)).collect();
        driver.repeat(&mut sweep.steady, 1)?;
    }
    let peers: Vec<Peer> = driver.servers.iter().map(|&(peer, _)| peer).collect();
    let mut notes = vec![format!(
        "open loop by oha, {} connections; median (min..max) of all rounds",
        options.connections
    )];
    notes.push(versions::note(stage, &["oha"], &peers));
    notes.extend(skipped);
    notes.extend(sweep.notes());
    Ok(Report {
        scenario: "sweep",
        table: show::table(&sweep.points, p99_max_us),
        notes,
        bars: sweep.bars(),
        rows: sweep.rows(),
        plots: sweep.plots(),
        samples: json!({ "rates": sweep.points, "at 70 % of the knee": sweep.steady }),
    })
}

impl Sweep {
    /// The highest rate that a peer holds.
    fn knee(&self, peer: Peer) -> Option<u64> {
        let of_peer = self.points.iter().filter(|point| point.peer == peer);
        of_peer.filter(|point| point.held(self.p99_max_us)).map(|point| point.rate).max()
    }

    /// One that all peers hold with ease, so that they can be compared.
    fn steady_rate(&self) -> Option<u64> {
        let peers = [Peer::Nginx, Peer::Airside].into_iter();
        let here = peers.filter(|&peer| self.points.iter().any(|point| point.peer == peer));
        let knees: Option<Vec<u64>> = here.map(|peer| self.knee(peer)).collect();
        let knee = knees?.into_iter().min()?;
        Some(((knee as f64 * STEADY_PART) as u64).max(1))
    }
}

struct Driver<'s> {
    stage: &'s Stage,
    oha: Oha,
    servers: Vec<(Peer, Server)>,
    options: &'s Options,
}

impl Driver<'_> {
    /// The first round, which finds out how far up it goes.
    fn climb(&self, p99_max_us: f64) -> Result<Vec<Point>> {
        let mut points: Vec<Point> = Vec::new();
        let mut failed = vec![0; self.servers.len()];
        let mut rate = self.options.from;
        while rate <= self.options.to && failed.iter().any(|&count| count < FAILED_MAX) {
            for ((peer, server), failed) in self.servers.iter().zip(&mut failed) {
                let mut point = Point::new(rate, *peer);
                point.rounds.push(self.measure(server, &point, 1)?);
                *failed = if point.held(p99_max_us) { 0 } else { *failed + 1 };
                points.push(point);
            }
            rate = (rate as f64 * self.options.factor).ceil() as u64;
        }
        ensure!(!points.is_empty(), "--from is more than --to");
        Ok(points)
    }

    /// All rounds from this one on.
    fn repeat(&self, points: &mut [Point], first: u32) -> Result<()> {
        for round in first..=self.options.pace.rounds {
            for point in &mut *points {
                let server = self.servers.iter().find(|(peer, _)| *peer == point.peer);
                let (_, server) = server.context("each point has its server")?;
                point.rounds.push(self.measure(server, point, round)?);
            }
        }
        Ok(())
    }

    fn measure(&self, server: &Server, point: &Point, round: u32) -> Result<Sample> {
        let load = OpenLoop { connections: self.options.connections, requests_per_s: point.rate };
        let time = Duration::from_secs(self.options.pace.seconds);
        let sample = measure(self.stage, &self.oha, (point.peer, server), load, time)?;
        eprintln!(
            "{}/s, round {round} of {}: {} {:.0}/s, p99 {:.0} us",
            point.rate,
            self.options.pace.rounds,
            point.peer.name(),
            sample.requests_per_s,
            sample.client.at(99.0).unwrap_or(f64::NAN)
        );
        Ok(sample)
    }
}

#[cfg(test)]
mod tests;
