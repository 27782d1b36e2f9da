//! What thousands of connections cost that do nothing: the memory of a server's processes before and after they have made
//! one request each, over their number, and what a load on a few more connections feels of them. The kernel's own memory for
//! sockets is in nobody's figure.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most. Each round
//! starts each server anew. `before` is measured when it has served, and lost, a hundredth of the connections, and served the
//! load alone; the figures from `requests/s` on are of the load beside the idle connections, and `CPU x alone` is the ratio
//! of CPU time per request within a round.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use serde_json::json;

use crate::client::Client;
use crate::machine::{Stage, require_tool};
use crate::measure::{self, Pace};
use crate::peers::{Peer, Server};
use crate::proc;
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, mebibytes, show};
use crate::versions;

const KIB_EACH_MAX: f64 = 4.0;
/// Descriptors of a server beside its connections.
const OTHER_FILES_MAX: u32 = 500;
/// Connections that are not idle.
const LOAD_CONNECTIONS: u32 = 64;
/// The share of the connections that a server has seen before its memory is measured.
const WARM_UP_PART: u32 = 100;

#[derive(clap::Args)]
pub struct Options {
    /// Servers to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "nginx,hyper,epoll,airside")]
    pub peers: Vec<Peer>,
    /// As many as one address has ports for, at most: about 28,000; of airside's shard 16,384.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=16_000))]
    connections: u32,
    #[command(flatten)]
    pace: Pace,
}

/// Resident bytes of a server's processes.
#[derive(Clone, Copy, Serialize)]
struct Sample {
    before: u64,
    after: u64,
    connections: u32,
}

impl Sample {
    fn kib_each(&self) -> f64 {
        self.after.saturating_sub(self.before) as f64 / 1024.0 / f64::from(self.connections)
    }
}

#[derive(Serialize)]
struct Series {
    peer: Peer,
    rounds: Vec<Sample>,
    /// The load without idle connections, and with them.
    alone: Rounds,
    beside: Rounds,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    ensure!(!options.peers.is_empty(), "no peers to measure");
    // For the servers too, which inherit it.
    allow_files(u64::from(options.connections + OTHER_FILES_MAX))?;
    let mut all: Vec<Series> = options.peers.iter().copied().map(Series::new).collect();
    for round in 1..=options.pace.rounds {
        for series in &mut all {
            let server = series.peer.start(stage)?;
            let kib_each = series
                .measure(stage, &server, options)
                .with_context(|| format!("hold connections to {}", server.name))?;
            eprintln!(
                "round {round} of {}: {} {kib_each:.2} KiB for each connection",
                options.pace.rounds, server.name,
            );
        }
    }
    let notes = format!(
        "{} idle connections, {LOAD_CONNECTIONS} with a load; median (min..max) of all rounds",
        options.connections
    );
    Ok(Report {
        scenario: "idle",
        table: table(&all),
        notes: vec![notes, versions::note(stage, &["wrk"], &options.peers)],
        bars: bars(&all),
        rows: all.iter().map(Series::row).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

impl Series {
    fn new(peer: Peer) -> Series {
        let (alone, beside) = (Rounds::default(), Rounds::default());
        Series { peer, rounds: Vec::new(), alone, beside }
    }

    /// One round; returns the KiB of each connection.
    fn measure(&mut self, stage: &Stage, server: &Server, options: &Options) -> Result<f64> {
        let load = options.pace.load(LOAD_CONNECTIONS);
        let count = options.connections;
        drop(connect(server.address, &server.target, count.div_ceil(WARM_UP_PART))?);
        self.alone.push(measure::measure(stage, server, load)?);
        let before = proc::resident_bytes(server.process_id())?;
        let held = connect(server.address, &server.target, count)?;
        let after = proc::resident_bytes(server.process_id())?;
        self.beside.push(measure::measure(stage, server, load)?);
        drop(held);
        let sample = Sample { before, after, connections: count };
        self.rounds.push(sample);
        Ok(sample.kib_each())
    }

    fn row(&self) -> Row {
        self.beside
            .row(self.peer.name())
            .lower("KiB/connection", self.rounds.iter().map(Sample::kib_each))
    }
}

fn allow_files(count: u64) -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= count) {
        return Ok(());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum })
        .with_context(|| format!("{count} open files are not allowed here (see `ulimit -Hn`)"))
}

/// Connections that have each been answered once.
fn connect(address: SocketAddr, target: &str, count: u32) -> Result<Vec<Client>> {
    let connect = |_| {
        let mut client = Client::connect(address)?;
        let status = client.get(target)?.status;
        ensure!(status == 200, "a connection is answered {status}");
        Ok(client)
    };
    (0..count).map(connect).collect()
}

fn table(all: &[Series]) -> Table {
    let memory = ["peer", "before", "after", "KiB/connection"];
    let mut table = Table::new(&[&memory[..], &Rounds::HEAD, &["CPU x alone"]].concat());
    for series in all {
        let spread = |value: fn(&Sample) -> f64| Spread::of(series.rounds.iter().map(value));
        let bytes = |value: f64| mebibytes(value as u64);
        let memory = [
            series.peer.name().to_owned(),
            show(spread(|sample| sample.before as f64), bytes),
            show(spread(|sample| sample.after as f64), bytes),
            show(spread(Sample::kib_each), fixed(2)),
        ];
        let x_alone = [show(series.beside.cpu_x(&series.alone), fixed(2))];
        table.push([&memory[..], &series.beside.cells(), &x_alone].concat());
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let airside = all.iter().find(|series| series.peer == Peer::Airside);
    let each = airside.and_then(|series| Spread::of(series.rounds.iter().map(Sample::kib_each)));
    let bar = |each: Spread| {
        Bar::at_most("KiB of airside's memory for an idle connection", each.median, KIB_EACH_MAX)
    };
    let failed = all.iter().map(|series| series.alone.failed() + series.beside.failed()).sum();
    each.map(bar).into_iter().chain([Bar::none("no request fails or is shed", failed)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Sample, Series, bars, table};
    use crate::peers::Peer;
    use crate::rounds::Rounds;

    #[test]
    fn memory_is_divided_by_connections() {
        let sample = |after| Sample { before: 10 << 20, after, connections: 1024 };
        let series = |peer, after: &[u64]| Series {
            rounds: after.iter().map(|&after| sample(after)).collect(),
            alone: Rounds::costing(&[4.0]),
            beside: Rounds::costing(&[5.0]),
            ..Series::new(peer)
        };
        let all = [
            series(Peer::Nginx, &[9 << 20]),
            series(Peer::Airside, &[12 << 20, 13 << 20, 16 << 20]),
        ];
        let text = table(&all).to_string();
        assert!(text.contains("0.00") && text.contains("3.00 (2.00..6.00)"), "{text}");
        assert!(text.contains("1.25"), "{text}");
        assert_eq!(format!("{:?}", bars(&all)).matches("met: true").count(), 2);
    }
}
