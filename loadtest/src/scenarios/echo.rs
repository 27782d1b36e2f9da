//! What it costs to move bytes: a function that answers with the body of a POST, beside nginx that sends a static file of
//! that size.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most; the peers take
//! turns within each round. nginx moves a file's bytes once, out of the page cache and, with sendfile, without copying
//! them into its own memory; the function's bytes come in and go out. So they are compared by `CPU ns/KiB`, the CPU
//! time of the server's processes over all bytes of bodies that it moved. `x nginx` is a ratio within a round.

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::client::Client;
use crate::guests;
use crate::machine::{Stage, require_tool};
use crate::measure::{Pace, Sample, measure};
use crate::peers::airside::{self, Function};
use crate::peers::{Peer, Server, nginx};
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, show, whole};
use crate::versions;
use crate::wrk::{Load, Requests};

const X_NGINX_MAX: f64 = 1.2;
/// The size of a body that is held to it.
const BAR_BYTES: usize = 64 << 10;
/// What the guest has room for.
const BODY_BYTES_MAX: i64 = 128 << 10;

#[derive(clap::Args)]
pub struct Options {
    /// Sizes of the body.
    #[arg(long, value_name = "BYTES,..", value_delimiter = ',', default_value = "1024,65536")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=BODY_BYTES_MAX))]
    bytes: Vec<u32>,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    #[command(flatten)]
    pace: Pace,
}

/// All rounds with one size of body.
#[derive(Serialize)]
struct Series {
    bytes: usize,
    nginx: Rounds,
    function: Rounds,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let sizes: Vec<usize> = options.bytes.iter().map(|&bytes| bytes as usize).collect();
    let mut nginx = nginx::start_with_files(stage, &sizes)?;
    let airside = airside::start(stage, &[Function::new("echo", guests::ECHO)], &[])?;
    let series =
        |&bytes: &usize| Series { bytes, nginx: Rounds::default(), function: Rounds::default() };
    let mut all: Vec<Series> = sizes.iter().map(series).collect();
    for series in &all {
        check_echo(&airside, series.bytes)?;
    }
    let load = options.pace.load(options.connections);
    for round in 1..=options.pace.rounds {
        for series in &mut all {
            let bytes = series.bytes;
            nginx.target = nginx::file_target(bytes);
            let of_nginx = measure(stage, &nginx, load)?;
            let posting = Load { requests: Requests::Post { bytes }, ..load };
            let of_function = measure(stage, &airside, posting)?;
            eprintln!(
                "{bytes} bytes, round {round} of {}: nginx {:.0} ns CPU per KiB, function {:.0}",
                options.pace.rounds,
                cpu_ns_per_kib(&of_nginx, bytes),
                cpu_ns_per_kib(&of_function, 2 * bytes),
            );
            series.nginx.push(of_nginx);
            series.function.push(of_function);
        }
    }
    Ok(Report {
        scenario: "echo",
        table: table(&all),
        notes: vec![
            format!("{} connections; median (min..max) of all rounds", options.connections),
            versions::note(stage, &["wrk"], &[Peer::Nginx, Peer::Airside]),
        ],
        bars: bars(&all),
        rows: all.iter().flat_map(Series::rows).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

fn check_echo(airside: &Server, bytes: usize) -> Result<()> {
    let body: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8).collect();
    let answer = Client::connect(airside.address)?.post(&airside.target, &body)?;
    ensure!(answer.status == 200 && answer.body == body, "{bytes} bytes do not come back");
    Ok(())
}

/// `moved` is what one request and its response move, in bytes.
fn cpu_ns_per_kib(sample: &Sample, moved: usize) -> f64 {
    sample.cpu_us_per_request * 1e3 / (moved as f64 / 1024.0)
}

impl Series {
    fn rows(&self) -> [Row; 2] {
        [("nginx, static file", &self.nginx), ("echo function", &self.function)]
            .map(|(peer, rounds)| rounds.row(format!("{} bytes, {peer}", self.bytes)))
    }

    /// Round by round, by bytes moved: by the function twice as many.
    fn x_nginx(&self) -> Option<Spread> {
        let x = self.function.cpu_x(&self.nginx)?;
        Some(Spread { median: x.median / 2.0, min: x.min / 2.0, max: x.max / 2.0 })
    }
}

fn table(all: &[Series]) -> Table {
    let subject = ["bytes", "peer"];
    let ratios = ["CPU ns/KiB", "x nginx"];
    let mut table = Table::new(&[&subject[..], &Rounds::HEAD, &ratios].concat());
    for series in all {
        let peers = [
            ("nginx, static file", &series.nginx, series.bytes, None),
            ("echo function", &series.function, 2 * series.bytes, series.x_nginx()),
        ];
        for (peer, rounds, moved, x_nginx) in peers {
            let subject = [series.bytes.to_string(), peer.to_owned()];
            let ratios = [
                show(rounds.spread(|sample| cpu_ns_per_kib(sample, moved)), whole),
                show(x_nginx, fixed(2)),
            ];
            table.push([&subject[..], &rounds.cells(), &ratios].concat());
        }
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let mut bars = Vec::new();
    for series in all.iter().filter(|series| series.bytes == BAR_BYTES) {
        let promise = "CPU of an echo of 64 KiB, x nginx with a file, by bytes moved";
        bars.extend(series.x_nginx().map(|x| Bar::at_most(promise, x.median, X_NGINX_MAX)));
    }
    let failed = all.iter().map(|series| series.function.failed() + series.nginx.failed()).sum();
    bars.push(Bar::none("no request fails or is shed", failed));
    bars
}

#[cfg(test)]
mod tests {
    use super::{Series, bars, table};
    use crate::rounds::Rounds;

    #[test]
    fn bytes_are_counted_both_ways_for_an_echo() {
        let (nginx, function) = (Rounds::costing(&[10.0, 20.0]), Rounds::costing(&[22.0, 44.0]));
        let all = [
            Series { bytes: 1024, nginx: nginx.clone(), function: function.clone() },
            Series { bytes: 65_536, nginx, function },
        ];
        assert_eq!(all[1].x_nginx().map(|x| (x.median * 10.0).round()), Some(11.0));
        let verdicts = bars(&all);
        assert_eq!(verdicts.len(), 2, "{verdicts:?}");
        let text = table(&all).to_string();
        // 22 to 44 us for 128 KiB.
        assert!(text.contains("258 (172..344)"), "{text}");
    }
}
