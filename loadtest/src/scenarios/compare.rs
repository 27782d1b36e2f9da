//! Every peer answers the same body to the same wrk; the peers take turns within each round, so
//! that a machine that gets slower or faster does so for all of them.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and
//! the most. `CPU us/request` is the number to compare: user and system time that the server's
//! processes used over the answers that they gave; it does not depend on how fast wrk is.
//! `requests/s` does: at `core` under 100 % the load, not the server, was the limit. `CPU x nginx`,
//! `CPU x epoll` and `p50 x nginx` divide by that peer's figure of the same round and connection
//! count; epoll, a loop that does nothing else, is the floor. With one
//! connection the p50 is the way through an idle server; of pipelined requests all latencies are a batch's, and what was
//! measured, while those of the other patterns hold what wrk makes up for long ones (`wrk/correction.rs`). `errors` are socket errors, timeouts and
//! bad statuses; `shed` are requests refused at once because the server was full (503).

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::machine::{Stage, require_tool};
use crate::measure::{Pace, Sample, measure};
use crate::peers::{Peer, Server, Started, start_all};
use crate::plot::{self, Line, Plot};
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, show, whole};
use crate::versions;
use crate::wrk::{Load, Requests};

const CPU_X_NGINX_MAX: f64 = 0.95;
const CPU_X_EPOLL_MAX: f64 = 1.15;
const CPU_BAR_CONNECTIONS: [u32; 2] = [64, 256];
/// The other runtimes of functions are to be three times as dear.
const CPU_X_RUNTIME_MAX: f64 = 0.33;
const RUNTIME_BAR_CONNECTIONS: u32 = 64;
const P50_X_NGINX_MAX: f64 = 1.1;
const P50_BAR_CONNECTIONS: u32 = 1;

/// Requests that wrk sends at once.
const PIPELINE_DEPTH: u32 = 16;

/// How requests come; the bars are for the first kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Pattern {
    /// One after the other on each connection
    KeepAlive,
    /// 16 at once on each connection
    Pipelined,
    /// Each on a new connection
    Churn,
}

impl Pattern {
    fn requests(self) -> Requests {
        match self {
            Pattern::KeepAlive => Requests::Get,
            Pattern::Pipelined => Requests::Pipelined { depth: PIPELINE_DEPTH },
            Pattern::Churn => Requests::Closing,
        }
    }
}

#[derive(clap::Args)]
pub struct Options {
    /// Servers to compare, in the order of their turns.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "nginx,hyper,hyper-threads,epoll,conventional,wasmtime,workerd,airside"
    )]
    pub peers: Vec<Peer>,
    /// Numbers of connections to measure with.
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_value = "1,64,256")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    connections: Vec<u32>,
    #[arg(long, value_enum, default_value = "keep-alive")]
    pattern: Pattern,
    #[command(flatten)]
    pace: Pace,
}

/// All rounds of one peer with one number of connections.
#[derive(Serialize)]
struct Series {
    connections: u32,
    peer: Peer,
    rounds: Rounds,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    ensure!(!options.peers.is_empty(), "no peers to compare");
    let Started { servers, skipped } = start_all(stage, &options.peers)?;
    ensure!(!servers.is_empty(), "no peer starts here");
    let mut all: Vec<Series> = Vec::new();
    for &connections in &options.connections {
        let requests = options.pattern.requests();
        let load = Load { requests, ..options.pace.load(connections) };
        all.extend(take_turns(stage, &servers, load, options.pace.rounds)?);
    }
    Ok(Report {
        scenario: "compare",
        table: table(&all),
        notes: [
            format!("{:?}; median (min..max) of all rounds", options.pattern),
            versions::note(stage, &["wrk"], &options.peers),
        ]
        .into_iter()
        .chain(skipped)
        .collect(),
        bars: bars(&all, options.pattern),
        rows: all.iter().map(Series::row).collect(),
        plots: options.connections.iter().map(|&count| spectrum(&all, count)).collect(),
        samples: json!(all),
    })
}

fn take_turns(
    stage: &Stage,
    servers: &[(Peer, Server)],
    load: Load,
    rounds: u32,
) -> Result<Vec<Series>> {
    let connections = load.connections;
    let series =
        |&(peer, _): &(Peer, Server)| Series { connections, peer, rounds: Rounds::default() };
    let mut all: Vec<Series> = servers.iter().map(series).collect();
    for round in 1..=rounds {
        for ((peer, server), series) in servers.iter().zip(&mut all) {
            let sample = measure(stage, server, load)?;
            eprintln!(
                "{connections} connections, round {round} of {rounds}: {} {}/s, {:.2} us CPU",
                peer.name(),
                whole(sample.requests_per_s),
                sample.cpu_us_per_request
            );
            series.rounds.push(sample);
        }
    }
    Ok(all)
}

fn spectrum(all: &[Series], connections: u32) -> Plot {
    let line = |series: &Series| {
        Line::new(series.peer.name(), series.rounds.spectrum().points().iter().copied())
    };
    let lines = all.iter().filter(|series| series.connections == connections).map(line).collect();
    let title = format!("closed loop, {connections} connections");
    plot::spectrum(format!("spectrum-{connections}"), title, lines)
}

impl Series {
    fn row(&self) -> Row {
        self.rounds.row(format!("{} connections, {}", self.connections, self.peer.name()))
    }

    /// Round by round over another peer's value of that round; `None` without that peer.
    fn over(&self, all: &[Series], peer: Peer, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        self.rounds.over(&find(all, peer, self.connections)?.rounds, value)
    }
}

fn find(all: &[Series], peer: Peer, connections: u32) -> Option<&Series> {
    all.iter().find(|series| series.peer == peer && series.connections == connections)
}

fn table(all: &[Series]) -> Table {
    let subject = ["connections", "peer"];
    let ratios = ["CPU x nginx", "CPU x epoll", "p50 x nginx", "core"];
    let mut table = Table::new(&[&subject[..], &Rounds::HEAD, &ratios].concat());
    for series in all {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let subject = [series.connections.to_string(), series.peer.name().to_owned()];
        let ratios = [
            show(series.over(all, Peer::Nginx, cpu_us), fixed(2)),
            show(series.over(all, Peer::Epoll, cpu_us), fixed(2)),
            show(series.over(all, Peer::Nginx, p50_us), fixed(2)),
            show(series.rounds.spread(|sample| sample.core_share), percent),
        ];
        table.push([&subject[..], &series.rounds.cells(), &ratios].concat());
    }
    table
}

fn cpu_us(sample: &Sample) -> f64 {
    sample.cpu_us_per_request
}

fn p50_us(sample: &Sample) -> f64 {
    sample.p50_us
}

fn bars(all: &[Series], pattern: Pattern) -> Vec<Bar> {
    let mut bars = match pattern {
        Pattern::KeepAlive => cost_bars(all),
        Pattern::Pipelined | Pattern::Churn => Vec::new(),
    };
    let failed = all.iter().map(|series| series.rounds.failed()).sum();
    bars.push(Bar::none("no request fails or is shed, at any peer", failed));
    bars
}

fn cost_bars(all: &[Series]) -> Vec<Bar> {
    let ratio = |peer, connections, value: fn(&Sample) -> f64| {
        find(all, Peer::Airside, connections)?.over(all, peer, value)
    };
    let mut bars = Vec::new();
    for connections in CPU_BAR_CONNECTIONS {
        for (peer, limit) in [(Peer::Nginx, CPU_X_NGINX_MAX), (Peer::Epoll, CPU_X_EPOLL_MAX)] {
            let name = peer.name();
            let promise = format!("CPU of airside's function, x {name}, {connections} connections");
            let cpu = ratio(peer, connections, cpu_us);
            bars.extend(cpu.map(|cpu| Bar::at_most(&promise, cpu.median, limit)));
        }
    }
    for peer in [Peer::Wasmtime, Peer::Workerd] {
        let connections = RUNTIME_BAR_CONNECTIONS;
        let promise =
            format!("CPU of airside's function, x {}, {connections} connections", peer.name());
        let cpu = ratio(peer, connections, cpu_us);
        bars.extend(cpu.map(|cpu| Bar::at_most(&promise, cpu.median, CPU_X_RUNTIME_MAX)));
    }
    if let Some(p50) = ratio(Peer::Nginx, P50_BAR_CONNECTIONS, p50_us) {
        let promise =
            format!("p50 of airside's function, x nginx, {P50_BAR_CONNECTIONS} connection");
        bars.push(Bar::at_most(&promise, p50.median, P50_X_NGINX_MAX));
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Series, bars, table};
    use crate::peers::Peer;
    use crate::rounds::Rounds;

    fn series(peer: Peer, connections: u32, cpu_us: &[f64]) -> Series {
        Series { connections, peer, rounds: Rounds::costing(cpu_us) }
    }

    #[test]
    fn ratios_are_to_peers_with_as_many_connections() {
        let all = [
            series(Peer::Nginx, 64, &[4.0, 8.0, 4.0]),
            series(Peer::Airside, 64, &[4.0, 8.0, 4.2]),
            series(Peer::Airside, 1, &[4.0]),
        ];
        let text = table(&all).to_string();
        assert!(text.contains("1.00 (1.00..1.05)"), "{text}");
        // No nginx with 1 connection: no ratio and no bar.
        assert_eq!(text.lines().last().unwrap().matches(" - ").count(), 3, "{text}");
        assert_eq!(bars(&all, Pattern::KeepAlive).len(), 2);
        assert_eq!(bars(&all, Pattern::Churn).len(), 1);
    }
}
