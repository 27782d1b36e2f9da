//! What thousands of connections cost that do nothing: the memory of a server's processes before and after they have made
//! one request each, over their number. The kernel's own memory for sockets is in nobody's figure.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most. Each round
//! starts each server anew. `before` is measured when it has served, and lost, a hundredth of the connections.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use serde_json::json;

use crate::client::Client;
use crate::machine::Stage;
use crate::peers::{Peer, Server};
use crate::proc;
use crate::report::{Bar, Report};
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, mebibytes, show};

const KIB_EACH_MAX: f64 = 4.0;
/// Descriptors of a server beside its connections.
const OTHER_FILES_MAX: u32 = 500;
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
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
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
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    ensure!(!options.peers.is_empty(), "no peers to measure");
    // For the servers too, which inherit it.
    allow_files(u64::from(options.connections + OTHER_FILES_MAX))?;
    let series = |&peer: &Peer| Series { peer, rounds: Vec::new() };
    let mut all: Vec<Series> = options.peers.iter().map(series).collect();
    for round in 1..=options.rounds {
        for series in &mut all {
            let server = series.peer.start(stage)?;
            let sample = measure(&server, options.connections)
                .with_context(|| format!("hold connections to {}", server.name))?;
            eprintln!(
                "round {round} of {}: {} {:.2} KiB for each connection",
                options.rounds,
                server.name,
                sample.kib_each()
            );
            series.rounds.push(sample);
        }
    }
    let notes = format!("{} connections; median (min..max) of all rounds", options.connections);
    Ok(Report {
        scenario: "idle",
        table: table(&all),
        notes: vec![notes],
        bars: bars(&all),
        rows: all.iter().map(Series::row).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

impl Series {
    fn row(&self) -> Row {
        Row::new(self.peer.name()).lower("KiB/connection", self.rounds.iter().map(Sample::kib_each))
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

fn measure(server: &Server, connections: u32) -> Result<Sample> {
    drop(connect(server.address, &server.target, connections.div_ceil(WARM_UP_PART))?);
    let before = proc::resident_bytes(server.process_id())?;
    let held = connect(server.address, &server.target, connections)?;
    let after = proc::resident_bytes(server.process_id())?;
    drop(held);
    Ok(Sample { before, after, connections })
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
    let mut table = Table::new(&["peer", "before", "after", "KiB/connection"]);
    for series in all {
        let spread = |value: fn(&Sample) -> f64| Spread::of(series.rounds.iter().map(value));
        let bytes = |value: f64| mebibytes(value as u64);
        table.push([
            series.peer.name().to_owned(),
            show(spread(|sample| sample.before as f64), bytes),
            show(spread(|sample| sample.after as f64), bytes),
            show(spread(Sample::kib_each), fixed(2)),
        ]);
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let airside = all.iter().find(|series| series.peer == Peer::Airside);
    let each = airside.and_then(|series| Spread::of(series.rounds.iter().map(Sample::kib_each)));
    let bar = |each: Spread| {
        Bar::at_most("KiB of airside's memory for an idle connection", each.median, KIB_EACH_MAX)
    };
    each.map(bar).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Sample, Series, bars, table};
    use crate::peers::Peer;

    #[test]
    fn memory_is_divided_by_connections() {
        let sample = |after| Sample { before: 10 << 20, after, connections: 1024 };
        let series = |peer, after: &[u64]| Series {
            peer,
            rounds: after.iter().map(|&after| sample(after)).collect(),
        };
        let all = [
            series(Peer::Nginx, &[9 << 20]),
            series(Peer::Airside, &[12 << 20, 13 << 20, 16 << 20]),
        ];
        let text = table(&all).to_string();
        assert!(text.contains("0.00") && text.contains("3.00 (2.00..6.00)"), "{text}");
        assert!(format!("{:?}", bars(&all)).contains("met: true"));
    }
}
