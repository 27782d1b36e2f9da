//! What clients feel of somebody who reads an admin page ten times a second. airside has one CPU for all its threads, so the
//! control thread, which adds up and renders, has to take its time from the shard; with a CPU to spare it takes nothing.
//!
//! How to read the table: each row is oha with a fixed rate on the trivial function, in an open loop: each latency begins when
//! its request was due. Meanwhile nobody asks (`(nobody)`), or one more client asks for a page every 100 ms: `/health`, which
//! costs what any other client's request does, the latency page by function and phase, and `/metrics`. Each cell is the
//! median of all rounds and, in parentheses, the least and the most; the rows take turns within each round. `x health` is the
//! ratio of p99s within a round, and the bar: a scrape may not move the p99 by more than a tenth. `server` percentiles are those
//! of airside's own histogram of the same requests. `page us` is how long a page was waited for, `page most` the longest wait.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;
use serde_json::json;

use crate::client::Client;
use crate::machine::Stage;
use crate::oha::{Oha, OpenLoop};
use crate::open_loop::{self, measure};
use crate::peers::{Peer, Server};
use crate::report::{Bar, Report};
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, mebibytes, show, whole};
use crate::versions;

const P99_X_HEALTH_MAX: f64 = 1.1;
const EVERY: Duration = Duration::from_millis(100);
const HEALTH: &str = "/health";
/// Who reads beside the load: nobody, the one that the others are held against, and those that make something.
const PAGES: [Option<&str>; 4] = [
    None,
    Some(HEALTH),
    Some("/debug/latency?format=json&by=function,phase&window=1s"),
    Some("/metrics"),
];

#[derive(clap::Args)]
pub struct Options {
    /// Requests per second: low enough that the server, and so the control thread, is not short of time.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Times that everything is measured; the table shows medians and spreads.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Length of one measurement, after a warm-up of one second.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// One round with one reader.
#[derive(Clone, Debug, Default, Serialize)]
struct Sample {
    load: open_loop::Sample,
    /// What the reader waited for each page, in microseconds.
    waits_us: Vec<f64>,
}

/// All rounds with one reader.
#[derive(Serialize)]
struct Series {
    page: Option<&'static str>,
    rounds: Vec<Sample>,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    let oha = Oha::find()?.context("oha is not on the PATH: run `cargo install --locked oha`")?;
    let server = Peer::Airside.start(stage)?;
    let mut all = PAGES.map(|page| Series { page, rounds: Vec::new() });
    for round in 1..=options.rounds {
        for series in &mut all {
            let sample = read_beside(stage, &oha, &server, series.page, options)?;
            eprintln!(
                "{}, round {round} of {}: p99 {:.0} us",
                series.name(),
                options.rounds,
                sample.client_us(99.0)
            );
            series.rounds.push(sample);
        }
    }
    Ok(Report {
        scenario: "scrape",
        table: table(&all),
        notes: vec![
            format!(
                "{} requests/s, {} connections, a page every {} ms; median (min..max) of all rounds",
                whole(options.rate as f64),
                options.connections,
                EVERY.as_millis()
            ),
            versions::note(stage, &["oha"], &[Peer::Airside]),
        ],
        bars: bars(&all),
        rows: all.iter().map(Series::row).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

/// The load, on the main thread as it must be, and the reader beside it.
fn read_beside(
    stage: &Stage,
    oha: &Oha,
    server: &Server,
    page: Option<&str>,
    options: &Options,
) -> Result<Sample> {
    let load = OpenLoop { connections: options.connections, requests_per_s: options.rate };
    let time = Duration::from_secs(options.seconds);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = page.map(|page| scope.spawn(|| read_until(server.address, page, &over)));
        let load = measure(stage, oha, (Peer::Airside, server), load, time);
        over.store(true, Ordering::Relaxed);
        let waits_us = match reader {
            Some(reader) => reader.join().map_err(|_| anyhow!("the reader panicked"))??,
            None => Vec::new(),
        };
        Ok(Sample { load: load?, waits_us })
    })
}

/// Asks at a fixed rate on one connection.
fn read_until(address: SocketAddr, page: &str, over: &AtomicBool) -> Result<Vec<f64>> {
    let mut client = Client::connect(address)?;
    let mut waits_us = Vec::new();
    let mut due = Instant::now();
    while !over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let status = client.get(page)?.status;
        ensure!(status == 200, "{page} answers {status}");
        waits_us.push(asked.elapsed().as_secs_f64() * 1e6);
        due += EVERY;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(waits_us)
}

impl Sample {
    fn client_us(&self, percentile: f64) -> f64 {
        self.load.client.at(percentile).unwrap_or(f64::NAN)
    }

    fn own_us(&self, percentile: f64) -> f64 {
        let own = self.load.own.as_ref();
        own.and_then(|own| own.spectrum.at(percentile)).unwrap_or(f64::NAN)
    }

    fn page_us(&self) -> Option<Spread> {
        Spread::of(self.waits_us.iter().copied())
    }
}

impl Series {
    fn name(&self) -> &'static str {
        self.page.map_or("(nobody)", |page| page.split('?').next().unwrap_or(page))
    }

    fn spread(&self, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(value))
    }

    fn row(&self) -> Row {
        let all = |value: fn(&Sample) -> f64| self.rounds.iter().map(value);
        Row::new(format!("beside {}", self.name()))
            .lower("p50 us", all(|sample| sample.client_us(50.0)))
            .lower("p99 us", all(|sample| sample.client_us(99.0)))
            .lower("p99.9 us", all(|sample| sample.client_us(99.9)))
            .lower("server p99 us", all(|sample| sample.own_us(99.0)))
            .lower("CPU us/request", all(|sample| sample.load.cpu_us_per_request))
            .lower("errors and shed", all(|sample| (sample.load.errors + sample.load.shed) as f64))
    }

    /// Of p99s, round by round.
    fn x_health(&self, all: &[Series]) -> Option<Spread> {
        let health = all.iter().find(|series| series.page == Some(HEALTH))?;
        let rounds = self.rounds.iter().zip(&health.rounds);
        Spread::of(rounds.map(|(ours, its)| ours.client_us(99.0) / its.client_us(99.0)))
    }

    fn failed(&self) -> u64 {
        self.rounds.iter().map(|sample| sample.load.errors + sample.load.shed).sum()
    }
}

fn table(all: &[Series]) -> Table {
    let mut table = Table::new(&[
        "read beside",
        "requests/s",
        "p50 us",
        "p99 us",
        "p99.9 us",
        "x health",
        "server p50",
        "server p99",
        "server p99.9",
        "CPU us/request",
        "RSS",
        "page us",
        "page most",
        "errors",
    ]);
    for series in all {
        let pages: Vec<Spread> = series.rounds.iter().filter_map(Sample::page_us).collect();
        let page = |value: fn(&Spread) -> f64| Spread::of(pages.iter().map(value));
        let mib = |bytes: f64| mebibytes(bytes as u64);
        table.push([
            series.name().to_owned(),
            show(series.spread(|sample| sample.load.requests_per_s), whole),
            show(series.spread(|sample| sample.client_us(50.0)), whole),
            show(series.spread(|sample| sample.client_us(99.0)), whole),
            show(series.spread(|sample| sample.client_us(99.9)), whole),
            show(series.x_health(all), fixed(2)),
            show(series.spread(|sample| sample.own_us(50.0)), whole),
            show(series.spread(|sample| sample.own_us(99.0)), whole),
            show(series.spread(|sample| sample.own_us(99.9)), whole),
            show(series.spread(|sample| sample.load.cpu_us_per_request), fixed(2)),
            show(series.spread(|sample| sample.load.resident_bytes as f64), mib),
            show(page(|page| page.median), whole),
            show(page(|page| page.max), whole),
            series.failed().to_string(),
        ]);
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let scrapes = all.iter().filter(|series| series.page.is_some_and(|page| page != HEALTH));
    let x = scrapes.filter_map(|series| {
        let promise = format!("p99 while {} is read, x {HEALTH} instead", series.name());
        Some(Bar::at_most(&promise, series.x_health(all)?.median, P99_X_HEALTH_MAX))
    });
    let failed = all.iter().map(Series::failed).sum();
    x.chain([Bar::none("no request fails or is shed", failed)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{PAGES, Sample, Series, bars, table};
    use crate::open_loop::{self, Own};
    use crate::spectrum::Spectrum;

    #[test]
    fn a_scrape_is_held_against_another_client() {
        let sample = |p99_us: f64| Sample {
            load: open_loop::Sample {
                client: Spectrum::new([(50.0, 100.0), (99.0, p99_us)]),
                own: Some(Own { count: 1, spectrum: Spectrum::new([(99.0, p99_us / 2.0)]) }),
                ..open_loop::Sample::default()
            },
            waits_us: vec![10.0, 20.0, 90.0],
        };
        // The machine is busier in round 2.
        let p99s = [[300.0, 600.0], [400.0, 800.0], [440.0, 1000.0], [420.0, 800.0]];
        let all: Vec<Series> = PAGES
            .into_iter()
            .zip(p99s)
            .map(|(page, p99s)| Series { page, rounds: p99s.map(sample).into() })
            .collect();
        let text = table(&all).to_string();
        assert!(text.contains("/debug/latency |"), "{text}");
        assert!(text.contains("1.18 (1.10..1.25)") && text.contains("20 |        90 |"), "{text}");
        let verdicts = format!("{:?}", bars(&all));
        assert!(verdicts.contains("\"1.18\", met: false"), "{verdicts}");
        assert_eq!(verdicts.matches("met: true").count(), 2, "{verdicts}");
    }
}
