//! A healthy function alone, then beside a guest that never returns (timeout 100 ms), one that
//! traps, and one that grows its memory without end; one shard, so all share one core.
//!
//! How to read the table: each row is wrk with 32 connections on the healthy function while a
//! second wrk keeps the bad one busy with 4. `p99 x alone` divides by the p99 of the same round
//! without company; the bar holds its median over the rounds. `bad/s` is how often the bad function
//! was called; `bad statuses` are those of single requests sent to it meanwhile: 504 for the
//! deadline, 500 for trap and memory limit. Both loads share a core, so compare the rows of one
//! table with each other only.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::client;
use crate::guests;
use crate::machine::{Stage, require_tool};
use crate::measure::{Load, Pace, Sample, measure};
use crate::peers::Server;
use crate::peers::airside::{self, Function};
use crate::report::{Bar, Report};
use crate::table::{Spread, Table, fixed, show, whole};
use crate::wrk;

const HEALTHY_CONNECTIONS: u32 = 32;
const BAD_CONNECTIONS: u32 = 4;
const LOOP_TIMEOUT_MS: u64 = 100;
const P99_X_ALONE_MAX: f64 = 3.0;
/// Requests sent to the bad function by hand in each round, to see their status.
const PROBES: usize = 5;

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    pace: Pace,
}

/// A bad function and the status that its callers must get.
struct Fault {
    title: &'static str,
    function: Function,
    status: u16,
}

fn all_faults() -> Vec<Fault> {
    let endless_loop = Function {
        timeout_ms: Some(LOOP_TIMEOUT_MS),
        ..Function::new("endless-loop", guests::ENDLESS_LOOP)
    };
    let trap = Function::new("trap", guests::TRAP);
    let growth = Function::new("endless-growth", guests::ENDLESS_GROWTH);
    vec![
        Fault { title: "endless loop", function: endless_loop, status: 504 },
        Fault { title: "trap", function: trap, status: 500 },
        Fault { title: "endless growth", function: growth, status: 500 },
    ]
}

/// One round of the healthy function beside a bad one.
#[derive(Serialize)]
struct Company {
    healthy: Sample,
    p99_x_alone: f64,
    bad_requests_per_s: f64,
    /// Answers below 400 that the bad function gave, which it must not.
    bad_successes: u64,
    /// How many probes got which status; 0 stands for no answer.
    bad_statuses: BTreeMap<u16, usize>,
}

#[derive(Serialize)]
struct Series {
    title: &'static str,
    status: u16,
    rounds: Vec<Company>,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "wrk")?;
    let (faults, server) = start(stage)?;
    let load = Load::new(HEALTHY_CONNECTIONS, options.pace);
    let mut alone = Vec::new();
    let series =
        |fault: &Fault| Series { title: fault.title, status: fault.status, rounds: vec![] };
    let mut beside: Vec<Series> = faults.iter().map(series).collect();
    for round in 1..=options.pace.rounds {
        eprintln!("round {round} of {}: alone", options.pace.rounds);
        let baseline = measure(stage, &server, load)?;
        for (fault, series) in faults.iter().zip(&mut beside) {
            eprintln!("round {round} of {}: beside {}", options.pace.rounds, fault.title);
            series.rounds.push(in_company(stage, &server, load, fault, &baseline)?);
        }
        alone.push(baseline);
    }
    Ok(Report {
        scenario: "faults",
        table: table(&alone, &beside),
        notes: vec!["median (min..max) of all rounds".to_owned()],
        bars: bars(&alone, &beside),
        samples: json!({ "alone": alone, "beside": beside }),
    })
}

fn start(stage: &Stage) -> Result<(Vec<Fault>, Server)> {
    let faults = all_faults();
    let mut functions = vec![airside::hello()];
    functions.extend(faults.iter().map(|fault| fault.function.clone()));
    let server = airside::start(stage, &functions, &[])?;
    for fault in &faults {
        let status = client::get(server.address, &fault.function.target())?.status;
        ensure!(status == fault.status, "{} answers {status}, not {}", fault.title, fault.status);
    }
    Ok((faults, server))
}

fn in_company(
    stage: &Stage,
    server: &Server,
    load: Load,
    fault: &Fault,
    alone: &Sample,
) -> Result<Company> {
    let target = fault.function.target();
    // One second more, so that the bad load is there from the first to the last healthy request.
    let time = Load::WARM_UP + load.time + Duration::from_secs(1);
    let bad = wrk::start(stage, &server.url_of(&target), BAD_CONNECTIONS, time)?;
    let (healthy, statuses) = std::thread::scope(|scope| {
        let probes = scope.spawn(|| probe(server, &target));
        (measure(stage, server, load), probes.join())
    });
    let (healthy, bad) = (healthy?, bad.finish()?);
    let bad_statuses = statuses.map_err(|_| anyhow::anyhow!("the probes panicked"))?;
    Ok(Company {
        p99_x_alone: healthy.p99_us / alone.p99_us,
        healthy,
        bad_requests_per_s: bad.requests_per_s(),
        bad_successes: bad.requests - bad.bad_statuses,
        bad_statuses,
    })
}

fn probe(server: &Server, target: &str) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for _ in 0..PROBES {
        let status = client::get(server.address, target).map_or(0, |response| response.status);
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

impl Series {
    fn spread(&self, value: impl Fn(&Company) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(value))
    }

    fn failed(&self) -> u64 {
        self.rounds.iter().map(|round| round.healthy.errors + round.healthy.shed).sum()
    }

    fn statuses(&self) -> BTreeMap<u16, usize> {
        let mut sum = BTreeMap::new();
        for (&status, &count) in self.rounds.iter().flat_map(|round| &round.bad_statuses) {
            *sum.entry(status).or_default() += count;
        }
        sum
    }

    fn show_statuses(&self) -> String {
        let show = |(status, count): (&u16, &usize)| format!("{status} x {count}");
        self.statuses().iter().map(show).collect::<Vec<_>>().join(", ")
    }

    /// Every probe got the status that was due, and no caller in the load got a success.
    fn punished(&self) -> bool {
        self.statuses().keys().eq([&self.status])
            && self.rounds.iter().all(|round| round.bad_successes == 0)
    }
}

fn table(alone: &[Sample], beside: &[Series]) -> Table {
    let mut table = Table::new(&[
        "beside",
        "requests/s",
        "p50 us",
        "p99 us",
        "p99 x alone",
        "errors",
        "shed",
        "bad/s",
        "bad statuses",
    ]);
    let of_alone = |value: fn(&Sample) -> f64| show(Spread::of(alone.iter().map(value)), whole);
    table.push([
        "(alone)".to_owned(),
        of_alone(|sample| sample.requests_per_s),
        of_alone(|sample| sample.p50_us),
        of_alone(|sample| sample.p99_us),
        "1".to_owned(),
        alone.iter().map(|sample| sample.errors).sum::<u64>().to_string(),
        alone.iter().map(|sample| sample.shed).sum::<u64>().to_string(),
        "-".to_owned(),
        "-".to_owned(),
    ]);
    for series in beside {
        table.push([
            series.title.to_owned(),
            show(series.spread(|round| round.healthy.requests_per_s), whole),
            show(series.spread(|round| round.healthy.p50_us), whole),
            show(series.spread(|round| round.healthy.p99_us), whole),
            show(series.spread(|round| round.p99_x_alone), fixed(2)),
            series.rounds.iter().map(|round| round.healthy.errors).sum::<u64>().to_string(),
            series.rounds.iter().map(|round| round.healthy.shed).sum::<u64>().to_string(),
            show(series.spread(|round| round.bad_requests_per_s), whole),
            series.show_statuses(),
        ]);
    }
    table
}

fn bars(alone: &[Sample], beside: &[Series]) -> Vec<Bar> {
    let failed_alone: u64 = alone.iter().map(|sample| sample.errors + sample.shed).sum();
    let failed: u64 = beside.iter().map(Series::failed).sum();
    let mut bars =
        vec![Bar::none("the healthy function answers every request", failed + failed_alone)];
    for series in beside {
        let title = series.title;
        if let Some(ratio) = series.spread(|round| round.p99_x_alone) {
            let promise = format!("healthy p99 beside {title}, x alone");
            bars.push(Bar::at_most(&promise, ratio.median, P99_X_ALONE_MAX));
        }
        let promise = format!("{title} gets {} and nothing else", series.status);
        bars.push(Bar::that(&promise, series.show_statuses(), series.punished()));
    }
    bars
}
