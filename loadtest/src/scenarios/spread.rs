//! A few long connections on two shards: SO_REUSEPORT chooses the listener by a hash, so of four connections all can come to
//! one core while the other idles. airside gives a new connection to the shard that has fewer. nginx with as many workers and
//! `reuseport` shows what the kernel alone does; each try is a wrk of its own, with new connections and so new hashes.
//!
//! How to read the table: each cell is the median of all tries and, in parentheses, the least and the most, which is the
//! worst try. `busiest has` is how many of the connections are on the shard, or worker, with the most, counted in the middle
//! of a try, and `x even` that over its equal share. `busiest works` is the largest part of the server's CPU time that one
//! thread used, known to 10 ms; `busiest serves` the largest part of the requests, which airside's shards count and nginx's
//! workers do not. Even is 50 % on two.
//!
//! The load generator has one of the two CPUs too. So rates and latencies are worse than what two cores give, and even
//! connections make no even work: airside's shards are pinned, and the one beside wrk answers more slowly, which in a closed
//! loop is less often. nginx's workers are not: they go where there is room.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::latency_page;
use crate::machine::{Stage, require_tool};
use crate::peers::{Peer, Server, airside, nginx};
use crate::proc;
use crate::report::{Bar, Report};
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, show, whole};
use crate::{versions, wrk};

/// Of airside: what the busiest shard may have, x an even share. It gives connections away from an eighth on.
const X_EVEN_MAX: f64 = 1.125;
/// Of one try: the shortest that wrk knows.
const TRY_TIME: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub struct Options {
    /// Numbers of connections to measure with.
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_value = "4,8,64")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: Vec<u32>,
    /// Each with new connections, for a second.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..))]
    shards: u32,
}

#[derive(Debug, Default, Serialize)]
struct Sample {
    /// Of each shard or worker that has any, the most first.
    connections: Vec<usize>,
    /// Of each thread during the try, in microseconds.
    cpu_us: Vec<u64>,
    /// Of each shard during the try; nginx does not say.
    requests: Vec<u64>,
    requests_per_s: f64,
    p99_us: f64,
    /// Socket errors and statuses of 400 and over.
    errors: u64,
}

/// All tries of one server with so many connections.
#[derive(Serialize)]
struct Series {
    connections: u32,
    peer: Peer,
    shards: u32,
    tries: Vec<Sample>,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let cpus = stage.server_cpus(options.shards as usize)?;
    let servers = [
        (Peer::Nginx, nginx::start_on(cpus.clone())?),
        (Peer::Airside, airside::start_on(stage, cpus, &[airside::hello()], &[])?),
    ];
    let mut all = Vec::new();
    for &connections in &options.connections {
        for peer in servers.each_ref().map(|&(peer, _)| peer) {
            all.push(Series { connections, peer, shards: options.shards, tries: Vec::new() });
        }
    }
    for (_, server) in &servers {
        wrk::run(stage, &server.url(), 64, TRY_TIME)?;
    }
    for round in 1..=options.tries {
        for series in &mut all {
            let server = servers.iter().find(|(peer, _)| *peer == series.peer);
            let (_, server) = server.context("each series has its server")?;
            let sample = measure(stage, server, series).with_context(|| {
                format!("{} connections to {}", series.connections, server.name)
            })?;
            eprintln!(
                "{} connections to {}, try {round} of {}: {:?}, busiest works {:.1} %",
                series.connections,
                server.name,
                options.tries,
                sample.connections,
                sample.busiest_works_percent()
            );
            series.tries.push(sample);
        }
    }
    Ok(Report {
        scenario: "spread",
        table: table(&all),
        notes: vec![
            format!("{} shards or workers, {} tries", options.shards, options.tries),
            String::from("the load generator has one of their CPUs too"),
            versions::note(stage, &["wrk"], &[Peer::Nginx, Peer::Airside]),
        ],
        bars: bars(&all),
        rows: all.iter().map(Series::row).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

fn measure(stage: &Stage, server: &Server, series: &Series) -> Result<Sample> {
    let before = Counts::read(server, series.peer)?;
    let load = wrk::start(stage, &server.url(), series.connections, TRY_TIME)?;
    std::thread::sleep(TRY_TIME / 2);
    let connections = proc::watched_connections(server.process_id(), server.address)?;
    let outcome = load.finish()?;
    let after = Counts::read(server, series.peer)?;
    let here: usize = connections.iter().sum();
    ensure!(here == series.connections as usize, "the server has {here} connections");
    Ok(Sample {
        connections,
        cpu_us: added(&before.cpu_us, &after.cpu_us),
        requests: added(&before.requests, &after.requests),
        requests_per_s: outcome.requests_per_s(),
        p99_us: outcome.spectrum.at(99.0).unwrap_or(f64::NAN),
        errors: outcome.socket_errors + outcome.bad_statuses,
    })
}

/// Since the server's start.
struct Counts {
    /// By thread.
    cpu_us: BTreeMap<u32, u64>,
    /// By shard; empty for nginx.
    requests: BTreeMap<String, u64>,
}

impl Counts {
    fn read(server: &Server, peer: Peer) -> Result<Counts> {
        let times = proc::cpu_times(server.process_id())?.into_iter();
        let requests = match peer {
            Peer::Airside => latency_page::requests_by_shard(server.address, &server.target)?,
            _ => BTreeMap::new(),
        };
        let cpu_us = times.map(|(thread, time)| (thread, time.as_micros() as u64)).collect();
        Ok(Counts { cpu_us, requests })
    }
}

/// What has done nothing before may be in `after` alone.
fn added<K: Ord>(before: &BTreeMap<K, u64>, after: &BTreeMap<K, u64>) -> Vec<u64> {
    let since = |(name, after): (&K, &u64)| {
        after.saturating_sub(before.get(name).copied().unwrap_or_default())
    };
    after.iter().map(since).collect()
}

/// No number when there are no parts.
fn largest_part_percent(parts: &[u64]) -> f64 {
    let all: u64 = parts.iter().sum();
    let most = parts.iter().max().copied().unwrap_or_default();
    most as f64 * 100.0 / all as f64
}

impl Sample {
    fn busiest_has(&self) -> f64 {
        self.connections.iter().max().map_or(f64::NAN, |&most| most as f64)
    }

    fn busiest_works_percent(&self) -> f64 {
        largest_part_percent(&self.cpu_us)
    }

    fn busiest_serves_percent(&self) -> f64 {
        largest_part_percent(&self.requests)
    }
}

impl Series {
    fn row(&self) -> Row {
        let all = |value: fn(&Sample) -> f64| self.tries.iter().map(value);
        Row::new(format!("{} connections, {}", self.connections, self.peer.name()))
            .lower("connections of the busiest", all(Sample::busiest_has))
            .lower("% of CPU time of the busiest", all(Sample::busiest_works_percent))
            .lower("% of requests of the busiest", all(Sample::busiest_serves_percent))
            .higher("requests/s", all(|sample| sample.requests_per_s))
            .lower("p99 us", all(|sample| sample.p99_us))
            .lower("errors", all(|sample| sample.errors as f64))
    }

    fn spread(&self, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.tries.iter().map(value))
    }

    /// Over what each shard has when all have the same, which may be one connection more than another.
    fn x_even(&self) -> Option<Spread> {
        let even = f64::from(self.connections.div_ceil(self.shards));
        self.spread(|sample| sample.busiest_has() / even)
    }

    fn errors(&self) -> u64 {
        self.tries.iter().map(|sample| sample.errors).sum()
    }
}

fn table(all: &[Series]) -> Table {
    let mut table = Table::new(&[
        "connections",
        "peer",
        "busiest has",
        "x even",
        "busiest works %",
        "busiest serves %",
        "requests/s",
        "p99 us",
        "errors",
    ]);
    for series in all {
        table.push([
            series.connections.to_string(),
            series.peer.name().to_owned(),
            show(series.spread(Sample::busiest_has), whole),
            show(series.x_even(), fixed(2)),
            show(series.spread(Sample::busiest_works_percent), fixed(1)),
            show(series.spread(Sample::busiest_serves_percent), fixed(1)),
            show(series.spread(|sample| sample.requests_per_s), whole),
            show(series.spread(|sample| sample.p99_us), whole),
            series.errors().to_string(),
        ]);
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let airside = all.iter().filter(|series| series.peer == Peer::Airside);
    let even = airside.filter_map(|series| {
        let promise =
            format!("connections of the busiest shard of {}, x an even share", series.connections);
        Some(Bar::at_most(&promise, series.x_even()?.median, X_EVEN_MAX))
    });
    even.chain([Bar::none("no request fails", all.iter().map(Series::errors).sum())]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Sample, Series, added, bars, table};
    use crate::peers::Peer;

    fn series(peer: Peer, connections: u32, tries: &[(&[usize], &[u64])]) -> Series {
        let sample = |&(connections, work): &(&[usize], &[u64])| Sample {
            connections: connections.into(),
            cpu_us: work.into(),
            requests: if peer == Peer::Airside { work.into() } else { Vec::new() },
            ..Sample::default()
        };
        Series { connections, peer, shards: 2, tries: tries.iter().map(sample).collect() }
    }

    #[test]
    fn the_busiest_is_held_against_an_even_share() {
        let all = [
            series(Peer::Nginx, 4, &[(&[4], &[100, 0, 0])]),
            series(
                Peer::Airside,
                4,
                &[(&[2, 2], &[60, 40]), (&[3, 1], &[25, 75]), (&[2, 2], &[1, 1])],
            ),
            series(Peer::Airside, 5, &[(&[3, 2], &[1, 3])]),
            series(Peer::Airside, 8, &[(&[5, 3], &[1, 3])]),
        ];
        let text = table(&all).to_string();
        assert!(text.contains("2 (2..3) | 1.00 (1.00..1.50) | 60.0 (50.0..75.0)"), "{text}");
        assert!(text.contains("2.00 |             100.0 |                 - |"), "{text}");
        let verdicts: Vec<String> = bars(&all).iter().map(|bar| format!("{bar:?}")).collect();
        let met: Vec<bool> = verdicts.iter().map(|text| text.contains("met: true")).collect();
        assert_eq!(met, [true, true, false, true], "{verdicts:?}");
    }

    #[test]
    fn work_is_what_was_added() {
        let at = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|&(name, count)| (name.to_owned(), count)).collect()
        };
        assert_eq!(added(&at(&[("0", 5)]), &at(&[("0", 7), ("1", 9)])), [2, 9]);
        assert!(added(&at(&[]), &at(&[])).is_empty());
    }
}
