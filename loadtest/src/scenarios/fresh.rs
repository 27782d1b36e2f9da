//! What it costs that each call has a fresh instance: the same guests with isolation `reuse` and `fresh`, beside nginx, on
//! one shard and on two. The guests write to 0, 3 and 16 pages of 4 KiB, which are what a fresh instance must not see.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most. All take
//! turns within each round, and all ratios are ratios within a round: `x nginx` with nginx's of as many cores, `x reuse`
//! with the same guest reused, `x one shard` with the same on one shard. `CPU us/request` is that of the server's
//! processes. With two shards on a machine of two cores the load takes its time from one of the shards: rates and
//! latencies mean little then, and `x one shard` has what the load's own work does to the caches of that core: `shards` says
//! what shards cost each other.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

use crate::guests;
use crate::machine::{Stage, require_tool};
use crate::measure::{Pace, Sample, measure};
use crate::peers::airside::{self, Function};
use crate::peers::{Server, nginx};
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, show, whole};
use crate::wrk::Load;

const FRESH_X_NGINX_MAX: f64 = 1.7;
const TWO_SHARDS_X_ONE_MAX: f64 = 1.05;

#[derive(clap::Args)]
pub struct Options {
    /// Numbers of shards to measure with.
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_value = "1,2")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    shards: Vec<u32>,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    #[command(flatten)]
    pace: Pace,
}

/// One of the functions, or nginx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Subject {
    name: &'static str,
    /// Written to by each call; `None`: it is not a guest.
    pages: Option<u32>,
    fresh: bool,
}

const NGINX: Subject = Subject { name: "nginx", pages: None, fresh: false };
const FUNCTIONS: [Subject; 6] = [
    function("reuse0", 0, false),
    function("fresh0", 0, true),
    function("reuse3", 3, false),
    function("fresh3", 3, true),
    function("reuse16", 16, false),
    function("fresh16", 16, true),
];

const fn function(name: &'static str, pages: u32, fresh: bool) -> Subject {
    Subject { name, pages: Some(pages), fresh }
}

/// All rounds of one subject on so many shards.
#[derive(Serialize)]
struct Series {
    shards: u32,
    subject: Subject,
    rounds: Rounds,
}

/// The servers with so many shards, or workers.
struct Place {
    shards: u32,
    nginx: Server,
    airside: Server,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let places = options.shards.iter().map(|&shards| {
        Place::start(stage, shards).with_context(|| format!("start servers on {shards} CPUs"))
    });
    let mut places = places.collect::<Result<Vec<_>>>()?;
    let load = options.pace.load(options.connections);
    let mut all = Vec::new();
    for place in &places {
        for subject in [NGINX].into_iter().chain(FUNCTIONS) {
            all.push(Series { shards: place.shards, subject, rounds: Rounds::default() });
        }
    }
    for round in 1..=options.pace.rounds {
        for series in &mut all {
            let place = places.iter_mut().find(|place| place.shards == series.shards);
            let place = place.context("each series has its place")?;
            let sample = place.measure(stage, series.subject, load)?;
            eprintln!(
                "{} on {} shards, round {round} of {}: {}/s, {:.2} us CPU",
                series.subject.name,
                series.shards,
                options.pace.rounds,
                whole(sample.requests_per_s),
                sample.cpu_us_per_request
            );
            series.rounds.push(sample);
        }
    }
    Ok(Report {
        scenario: "fresh",
        table: table(&all),
        notes: notes(stage, options)?,
        bars: bars(&all),
        rows: all.iter().map(Series::row).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

fn notes(stage: &Stage, options: &Options) -> Result<Vec<String>> {
    let mut notes =
        vec![format!("{} connections; median (min..max) of all rounds", options.connections)];
    for &shards in &options.shards {
        if stage.server_cpus(shards as usize)?.contains(&stage.load_cpu) {
            notes.push(format!("of the CPUs of {shards} shards one is the load's too"));
        }
    }
    Ok(notes)
}

impl Place {
    fn start(stage: &Stage, shards: u32) -> Result<Place> {
        let cpus = stage.server_cpus(shards as usize)?;
        let functions = FUNCTIONS.map(|subject| Function {
            fresh: subject.fresh,
            ..Function::new(subject.name, guests::dirty(subject.pages.unwrap_or(0)))
        });
        let nginx = nginx::start_on(cpus.clone())?;
        Ok(Place { shards, nginx, airside: airside::start_on(stage, cpus, &functions, &[])? })
    }

    fn measure(&mut self, stage: &Stage, subject: Subject, load: Load) -> Result<Sample> {
        if subject == NGINX {
            return measure(stage, &self.nginx, load);
        }
        self.airside.target = format!("/{}", subject.name);
        measure(stage, &self.airside, load)
    }
}

impl Series {
    fn row(&self) -> Row {
        self.rounds.row(format!("{} on {} shards", self.subject.name, self.shards))
    }

    /// Round by round over the CPU time of another series of the same run.
    fn over(&self, all: &[Series], shards: u32, subject: Subject) -> Option<Spread> {
        let other = all.iter().find(|other| (other.shards, other.subject) == (shards, subject))?;
        self.rounds.cpu_x(&other.rounds)
    }

    fn x_nginx(&self, all: &[Series]) -> Option<Spread> {
        self.over(all, self.shards, NGINX)
    }

    fn x_reuse(&self, all: &[Series]) -> Option<Spread> {
        let mut functions = FUNCTIONS.into_iter();
        let reused = functions.find(|other| !other.fresh && other.pages == self.subject.pages)?;
        self.over(all, self.shards, reused)
    }

    fn x_one_shard(&self, all: &[Series]) -> Option<Spread> {
        self.over(all, 1, self.subject)
    }
}

fn table(all: &[Series]) -> Table {
    let subject = ["shards", "pages", "isolation"];
    let ratios = ["x nginx", "x reuse", "x one shard"];
    let mut table = Table::new(&[&subject[..], &Rounds::HEAD, &ratios].concat());
    for series in all {
        let Subject { pages, fresh, .. } = series.subject;
        let isolation = match pages {
            None => "(nginx)",
            Some(_) if fresh => "fresh",
            Some(_) => "reuse",
        };
        let subject = [
            series.shards.to_string(),
            pages.map_or_else(|| String::from("-"), |pages| pages.to_string()),
            isolation.to_owned(),
        ];
        let ratios = [series.x_nginx(all), series.x_reuse(all), series.x_one_shard(all)]
            .map(|x| show(x, fixed(2)));
        table.push([&subject[..], &series.rounds.cells(), &ratios].concat());
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let mut bars = Vec::new();
    for series in all.iter().filter(|series| series.subject.fresh) {
        let pages = series.subject.pages.unwrap_or(0);
        let what = format!("CPU with a fresh instance, {pages} pages written");
        match series.shards {
            1 => {
                bars.extend(series.x_nginx(all).map(|x| {
                    Bar::at_most(&format!("{what}, x nginx"), x.median, FRESH_X_NGINX_MAX)
                }))
            }
            shards => bars.extend(series.x_one_shard(all).map(|x| {
                let promise = format!("{what}, {shards} shards x one");
                Bar::at_most(&promise, x.median, TWO_SHARDS_X_ONE_MAX)
            })),
        }
    }
    bars.push(Bar::none(
        "no request fails or is shed",
        all.iter().map(|series| series.rounds.failed()).sum(),
    ));
    bars
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, NGINX, Series, Subject, bars, table};
    use crate::rounds::Rounds;

    fn series(shards: u32, subject: Subject, cpu_us: &[f64]) -> Series {
        Series { shards, subject, rounds: Rounds::costing(cpu_us) }
    }

    #[test]
    fn each_ratio_has_its_own_divisor() {
        let [reuse, fresh] = [FUNCTIONS[2], FUNCTIONS[3]];
        let all = [
            series(1, NGINX, &[4.0, 8.0]),
            series(1, reuse, &[4.4, 8.8]),
            series(1, fresh, &[6.6, 13.2]),
            series(2, NGINX, &[5.0, 10.0]),
            series(2, fresh, &[7.5, 15.0]),
        ];
        let x = |spread: Option<crate::table::Spread>| spread.map(|x| (x.median * 100.0).round());
        assert_eq!(x(all[2].x_nginx(&all)), Some(165.0));
        assert_eq!(x(all[2].x_reuse(&all)), Some(150.0));
        assert_eq!(x(all[4].x_nginx(&all)), Some(150.0));
        assert_eq!(x(all[4].x_reuse(&all)), None);
        assert_eq!(x(all[4].x_one_shard(&all)), Some(114.0));
        let verdicts: Vec<String> = bars(&all).iter().map(|bar| format!("{bar:?}")).collect();
        assert_eq!(verdicts.len(), 3, "{verdicts:?}");
        let met: Vec<bool> = verdicts.iter().map(|text| text.contains("met: true")).collect();
        assert_eq!(met, [true, false, true]);
        assert_eq!(table(&all).to_string().lines().count(), 7);
    }
}
