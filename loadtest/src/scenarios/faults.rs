//! A healthy function alone, then beside a guest that never returns (timeout 100 ms), one that
//! traps, and one that grows its memory without end; one shard, so all share one core.
//!
//! How to read the table: each row is oha with 32 connections on the healthy function, in an open
//! loop: requests come at a fixed rate and each one's latency begins when it was due, so a stall
//! counts for all that it kept waiting. Meanwhile wrk keeps the bad function busy with 4
//! connections, each of which calls again as soon as it is answered: a flood of traps is as many
//! as the server can give. `p99 x alone` divides by the p99 of the same round without company;
//! the bar holds its median over the rounds. `server p99` is the server's own, of all rounds
//! together: it begins when the shard sees the request, so it has no part of a turn that kept the
//! shard from looking, and nothing of what the client's own core costs. `bad/s` is how often the
//! bad function was called; `bad statuses` are those of single requests sent to it meanwhile: 504
//! for the deadline, 500 for trap and memory limit.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::client;
use crate::guests;
use crate::latency_page;
use crate::machine::{Stage, require_tool};
use crate::oha::{Oha, OpenLoop};
use crate::peers::Server;
use crate::peers::airside::{self, Function};
use crate::report::{Bar, Report};
use crate::rows;
use crate::table::{Spread, Table, fixed, show, whole};
use crate::wrk::{self, Load};

const HEALTHY_CONNECTIONS: u32 = 32;
const BAD_CONNECTIONS: u32 = 4;
const LOOP_TIMEOUT_MS: u64 = 100;
const P99_X_ALONE_MAX: f64 = 3.0;
/// Requests sent to the bad function by hand in each round, to see their status.
const PROBES: usize = 5;

#[derive(clap::Args)]
pub struct Options {
    /// Times that everything is measured; the table shows medians and spreads.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Length of one measurement, after a warm-up of one second.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Requests per second on the healthy function. oha alone takes three quarters of a core for
    /// 20,000, and its own waits are in every figure then.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
}

/// The healthy function, under a name and so with a histogram of its own, and who is beside it.
struct Company {
    title: &'static str,
    healthy: Function,
    fault: Option<Fault>,
}

/// A bad function and the status that its callers must get.
struct Fault {
    function: Function,
    status: u16,
}

/// The first is nobody.
fn companies() -> [Company; 4] {
    let company =
        |title, name, fault| Company { title, healthy: Function::new(name, guests::HELLO), fault };
    let endless_loop = Function {
        timeout_ms: Some(LOOP_TIMEOUT_MS),
        ..Function::new("endless-loop", guests::ENDLESS_LOOP)
    };
    let trap = Function::new("trap", guests::TRAP);
    let growth = Function::new("endless-growth", guests::ENDLESS_GROWTH);
    [
        company("(alone)", "alone", None),
        company("endless loop", "beside-loop", Some(Fault { function: endless_loop, status: 504 })),
        company("trap", "beside-trap", Some(Fault { function: trap, status: 500 })),
        company("endless growth", "beside-growth", Some(Fault { function: growth, status: 500 })),
    ]
}

/// One round of the healthy function in one company.
#[derive(Serialize)]
struct Sample {
    requests_per_s: f64,
    p50_us: f64,
    p99_us: f64,
    /// Requests without an answer and statuses of 400 and over, without the shed ones.
    errors: u64,
    /// 503 at once because the server was full, by its own count.
    shed: u64,
    bad: Option<BadSample>,
}

#[derive(Serialize)]
struct BadSample {
    requests_per_s: f64,
    /// Answers below 400, which it must not give.
    successes: u64,
    /// How many probes got which status; 0 stands for no answer.
    statuses: BTreeMap<u16, usize>,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let oha = Oha::find()?.context("oha is not on the PATH: run `cargo install --locked oha`")?;
    let companies = companies();
    let server = start(stage, &companies)?;
    let mut rows = companies.each_ref().map(|_| Vec::new());
    for round in 1..=options.rounds {
        for (company, samples) in companies.iter().zip(&mut rows) {
            eprintln!("round {round} of {}: {}", options.rounds, company.title);
            samples.push(in_company(stage, &oha, &server, company, options)?);
        }
    }
    let page = latency_page::read(server.address)?;
    let rows: Vec<Row> = companies
        .iter()
        .zip(rows)
        .map(|(company, samples)| Row {
            company,
            samples,
            server_p99_us: page.p99_us(&company.healthy.target()),
        })
        .collect();
    Ok(Report {
        scenario: "faults",
        table: table(&rows),
        notes: vec![format!(
            "median (min..max) of all rounds, {} requests/s on the healthy function",
            whole(options.rate as f64)
        )],
        bars: bars(&rows),
        rows: rows.iter().map(Row::comparable).collect(),
        plots: Vec::new(),
        samples: json!(
            rows.iter().map(|row| (row.company.title, &row.samples)).collect::<BTreeMap<_, _>>()
        ),
    })
}

fn start(stage: &Stage, companies: &[Company]) -> Result<Server> {
    let healthy = companies.iter().map(|company| &company.healthy);
    let faults = || companies.iter().filter_map(|company| company.fault.as_ref());
    let functions: Vec<Function> =
        healthy.chain(faults().map(|fault| &fault.function)).cloned().collect();
    let server = airside::start(stage, &functions, &[])?;
    for Fault { function, status } in faults() {
        let got = client::get(server.address, &function.target())?.status;
        ensure!(got == *status, "{} answers {got}, not {status}", function.name);
    }
    Ok(server)
}

fn in_company(
    stage: &Stage,
    oha: &Oha,
    server: &Server,
    company: &Company,
    options: &Options,
) -> Result<Sample> {
    let time = Duration::from_secs(options.seconds);
    let measure = || measure(stage, oha, server, company, options);
    let Some(fault) = &company.fault else { return measure() };
    let target = fault.function.target();
    // One second more, so that the bad load is there from the first to the last healthy request.
    let time = Load::WARM_UP + time + Duration::from_secs(1);
    let bad = wrk::start(stage, &server.url_of(&target), BAD_CONNECTIONS, time)?;
    let (healthy, statuses) = std::thread::scope(|scope| {
        let probes = scope.spawn(|| probe(server, &target));
        (measure(), probes.join())
    });
    let (healthy, bad) = (healthy?, bad.finish()?);
    let bad = BadSample {
        requests_per_s: bad.requests_per_s(),
        successes: bad.requests - bad.bad_statuses,
        statuses: statuses.map_err(|_| anyhow::anyhow!("the probes panicked"))?,
    };
    Ok(Sample { bad: Some(bad), ..healthy })
}

fn measure(
    stage: &Stage,
    oha: &Oha,
    server: &Server,
    company: &Company,
    options: &Options,
) -> Result<Sample> {
    let target = company.healthy.target();
    let url = server.url_of(&target);
    let load = OpenLoop { connections: HEALTHY_CONNECTIONS, requests_per_s: options.rate };
    let shed = || Ok::<_, anyhow::Error>(latency_page::read(server.address)?.shed(&target));
    oha.run_open(stage, &url, load, Load::WARM_UP)?;
    let shed_before = shed()?;
    let outcome = oha.run_open(stage, &url, load, Duration::from_secs(options.seconds))?;
    let shed = shed()?.saturating_sub(shed_before);
    let latency = |percentile| {
        let at = outcome.spectrum.at(percentile);
        at.with_context(|| format!("{target} answered nothing"))
    };
    Ok(Sample {
        requests_per_s: outcome.answered as f64 / outcome.seconds,
        p50_us: latency(50.0)?,
        p99_us: latency(99.0)?,
        errors: outcome.errors.saturating_sub(shed),
        shed,
        bad: None,
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

/// All rounds in one company.
struct Row<'a> {
    company: &'a Company,
    samples: Vec<Sample>,
    server_p99_us: Option<f64>,
}

impl Row<'_> {
    fn comparable(&self) -> rows::Row {
        let all = |value: fn(&Sample) -> f64| self.samples.iter().map(value);
        rows::Row::new(format!("beside {}", self.company.title))
            .higher("requests/s", all(|sample| sample.requests_per_s))
            .lower("p50 us", all(|sample| sample.p50_us))
            .lower("p99 us", all(|sample| sample.p99_us))
            .lower("errors and shed", all(|sample| (sample.errors + sample.shed) as f64))
    }

    fn spread(&self, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples.iter().map(value))
    }

    /// Each round's p99 over that of the same round alone.
    fn p99_x(&self, alone: &Row) -> Option<Spread> {
        let ratio = |(sample, alone): (&Sample, &Sample)| sample.p99_us / alone.p99_us;
        Spread::of(self.samples.iter().zip(&alone.samples).map(ratio))
    }

    fn sum(&self, count: impl Fn(&Sample) -> u64) -> u64 {
        self.samples.iter().map(count).sum()
    }

    fn bad(&self) -> impl Iterator<Item = &BadSample> {
        self.samples.iter().filter_map(|sample| sample.bad.as_ref())
    }

    fn statuses(&self) -> BTreeMap<u16, usize> {
        let mut sum = BTreeMap::new();
        for (&status, &count) in self.bad().flat_map(|bad| &bad.statuses) {
            *sum.entry(status).or_default() += count;
        }
        sum
    }

    fn show_statuses(&self) -> String {
        let show = |(status, count): (&u16, &usize)| format!("{status} x {count}");
        let all = self.statuses().iter().map(show).collect::<Vec<_>>().join(", ");
        if all.is_empty() { "-".to_owned() } else { all }
    }

    /// Every probe got the status that was due, and no caller in the load got a success.
    fn punished(&self, status: u16) -> bool {
        self.statuses().keys().eq([&status]) && self.bad().all(|bad| bad.successes == 0)
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "beside",
        "requests/s",
        "p50 us",
        "p99 us",
        "p99 x alone",
        "server p99 us",
        "errors",
        "shed",
        "bad/s",
        "bad statuses",
    ]);
    for row in rows {
        table.push([
            row.company.title.to_owned(),
            show(row.spread(|sample| sample.requests_per_s), whole),
            show(row.spread(|sample| sample.p50_us), whole),
            show(row.spread(|sample| sample.p99_us), whole),
            show(row.p99_x(&rows[0]), fixed(2)),
            row.server_p99_us.map_or_else(|| "-".to_owned(), whole),
            row.sum(|sample| sample.errors).to_string(),
            row.sum(|sample| sample.shed).to_string(),
            show(Spread::of(row.bad().map(|bad| bad.requests_per_s)), whole),
            row.show_statuses(),
        ]);
    }
    table
}

fn bars(rows: &[Row]) -> Vec<Bar> {
    let failed = rows.iter().map(|row| row.sum(|sample| sample.errors + sample.shed)).sum();
    let mut bars = vec![Bar::none("the healthy function answers every request", failed)];
    for row in rows {
        let Some(fault) = &row.company.fault else { continue };
        let title = row.company.title;
        if let Some(ratio) = row.p99_x(&rows[0]) {
            let promise = format!("healthy p99 beside {title}, x alone");
            bars.push(Bar::at_most(&promise, ratio.median, P99_X_ALONE_MAX));
        }
        let promise = format!("{title} gets {} and nothing else", fault.status);
        bars.push(Bar::that(&promise, row.show_statuses(), row.punished(fault.status)));
    }
    bars
}
