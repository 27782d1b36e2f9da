//! What shards of one process cost each other, by locks, by lines of the cache and by the lock of their address space: one
//! process with two shards beside two processes with one shard each, on the same two CPUs and under the same load. nginx with
//! two workers, beside two of one worker, shows what the way of measuring does by itself.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most; `together` and
//! `apart` take turns within each round. `x apart` is the ratio of CPU time per request within a round. wrk has two threads with
//! half of the connections each: of two processes each has one, of one process both have the same. On a machine of two cores
//! wrk has one of the CPUs too, in both cases alike, so the shard there serves less: `first serves %` is what the other one
//! served of all requests. Rates and latencies mean little then; so does CPU time per request beside that of one shard alone,
//! because the load's own work is in the caches of that CPU.

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::calls::{KEY, VALUE};
use crate::client::Client;
use crate::guests;
use crate::kv_messages::{get_request, set_request};
use crate::latency_page;
use crate::machine::{Stage, require_tool};
use crate::measure::{Pace, Sample, measure_all};
use crate::peers::airside::{self, Function};
use crate::peers::{Peer, Server, nginx};
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, show, whole};
use crate::versions;
use crate::wrk::Load;

const X_APART_MAX: f64 = 1.05;
/// Shards of one process, or processes.
const SHARDS: usize = 2;

#[derive(clap::Args)]
pub struct Options {
    /// What to measure [default: all].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,..")]
    subjects: Vec<Subject>,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..))]
    connections: u32,
    #[command(flatten)]
    pace: Pace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Subject {
    Nginx,
    Hello,
    KvGet,
    /// A fresh instance per call, which writes nothing.
    Fresh0,
    /// One that writes 3 pages of 4 KiB.
    Fresh3,
    /// One that writes 16.
    Fresh16,
}

impl Subject {
    const FUNCTIONS: [Subject; 5] =
        [Subject::Hello, Subject::KvGet, Subject::Fresh0, Subject::Fresh3, Subject::Fresh16];

    /// That of the table; the functions are found under it too.
    fn name(self) -> &'static str {
        match self {
            Subject::Nginx => "nginx",
            Subject::Hello => "hello",
            Subject::KvGet => "kv-get",
            Subject::Fresh0 => "fresh0",
            Subject::Fresh3 => "fresh3",
            Subject::Fresh16 => "fresh16",
        }
    }

    fn function(self) -> Function {
        let fresh =
            |pages| Function { fresh: true, ..Function::new(self.name(), guests::dirty(pages)) };
        match self {
            Subject::Nginx | Subject::Hello => airside::hello(),
            Subject::KvGet => {
                let get = guests::host_call("kvstore", "get", &get_request(KEY));
                Function::new(self.name(), get)
            }
            Subject::Fresh0 => fresh(0),
            Subject::Fresh3 => fresh(3),
            Subject::Fresh16 => fresh(16),
        }
    }
}

/// How the two CPUs are divided among processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Layout {
    Together,
    Apart,
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Layout::Together => "together",
            Layout::Apart => "apart",
        }
    }
}

/// All rounds of one subject in one layout.
#[derive(Serialize)]
struct Series {
    subject: Subject,
    layout: Layout,
    rounds: Rounds,
    /// Of all requests of each round, what the first CPU's shard or process served; nginx does not say.
    first_percent: Vec<f64>,
}

/// The processes of one layout, one for all CPUs or one for each.
struct Place {
    layout: Layout,
    nginx: Vec<Server>,
    airside: Vec<Server>,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let cpus = stage.server_cpus(SHARDS)?;
    let mut places = [
        Place::start(stage, Layout::Together, std::slice::from_ref(&cpus))?,
        Place::start(stage, Layout::Apart, &cpus.iter().map(|&cpu| vec![cpu]).collect::<Vec<_>>())?,
    ];
    let load = Load { threads: SHARDS as u32, ..options.pace.load(options.connections) };
    let subjects = match &*options.subjects {
        [] => <Subject as clap::ValueEnum>::value_variants(),
        chosen => chosen,
    };
    let mut all: Vec<Series> = Vec::new();
    for &subject in subjects {
        let series = |layout| Series {
            subject,
            layout,
            rounds: Rounds::default(),
            first_percent: Vec::new(),
        };
        all.extend([Layout::Together, Layout::Apart].map(series));
    }
    for round in 1..=options.pace.rounds {
        for series in &mut all {
            let place = places.iter_mut().find(|place| place.layout == series.layout);
            let place = place.context("each series has its place")?;
            let (sample, first_percent) = place.measure(stage, series.subject, load)?;
            eprintln!(
                "{} {}, round {round} of {}: {}/s, {:.2} us CPU, {first_percent:.0} % by the first",
                series.subject.name(),
                series.layout.name(),
                options.pace.rounds,
                whole(sample.requests_per_s),
                sample.cpu_us_per_request
            );
            series.rounds.push(sample);
            series.first_percent.push(first_percent);
        }
    }
    let mut notes = vec![
        format!("{} connections; median (min..max) of all rounds", options.connections),
        versions::note(stage, &["wrk"], &[Peer::Nginx, Peer::Airside]),
    ];
    if cpus.contains(&stage.load_cpu) {
        notes.push(String::from("the load generator has one of the CPUs too"));
    }
    Ok(Report {
        scenario: "shards",
        table: table(&all),
        notes,
        bars: bars(&all),
        rows: all.iter().map(Series::row).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

impl Place {
    /// A process of each kind on each of these groups of CPUs.
    fn start(stage: &Stage, layout: Layout, groups: &[Vec<usize>]) -> Result<Place> {
        let nginx = groups.iter().map(|cpus| nginx::start_on(cpus.clone()));
        let airside = groups.iter().map(|cpus| start_airside(stage, cpus.clone()));
        Ok(Place {
            layout,
            nginx: nginx.collect::<Result<_>>()?,
            airside: airside.collect::<Result<_>>()?,
        })
    }

    /// With what the first CPU served of all requests, in percent.
    fn measure(&mut self, stage: &Stage, subject: Subject, load: Load) -> Result<(Sample, f64)> {
        if subject == Subject::Nginx {
            let sample = measure_all(stage, &self.nginx.iter().collect::<Vec<_>>(), load)?;
            return Ok((sample, f64::NAN));
        }
        let target = format!("/{}", subject.name());
        for server in &mut self.airside {
            server.target.clone_from(&target);
        }
        let before = self.served(&target)?;
        let sample = measure_all(stage, &self.airside.iter().collect::<Vec<_>>(), load)?;
        let after = self.served(&target)?;
        let served: Vec<u64> = after.iter().zip(&before).map(|(after, b)| after - b).collect();
        let first = served.first().copied().unwrap_or_default();
        Ok((sample, first as f64 * 100.0 / served.iter().sum::<u64>() as f64))
    }

    /// Requests for this target by each shard of each process, in the order of their CPUs.
    fn served(&self, target: &str) -> Result<Vec<u64>> {
        let mut served = Vec::new();
        for server in &self.airside {
            let shards = latency_page::requests_by_shard(server.address, target)?;
            // A shard that has served nothing is not on the page.
            let of = |shard: usize| shards.get(&shard.to_string()).copied().unwrap_or_default();
            served.extend((0..SHARDS / self.airside.len()).map(of));
        }
        Ok(served)
    }
}

fn start_airside(stage: &Stage, cpus: Vec<usize>) -> Result<Server> {
    let functions = Subject::FUNCTIONS.into_iter().map(Subject::function);
    let functions: Vec<Function> =
        functions.chain([Function::new("put", guests::kv_set())]).collect();
    let settings = [("APP_ENABLE_KVSTORE", "true"), ("APP_KVSTORE_TYPE", "memory")];
    let server = airside::start_on(stage, cpus, &functions, &settings)?;
    let put = Client::connect(server.address)?.post("/put", &set_request(KEY, VALUE))?;
    ensure!(put.status == 200, "a set answers {}", String::from_utf8_lossy(&put.body));
    Ok(server)
}

impl Series {
    fn row(&self) -> Row {
        self.rounds.row(format!("{} {}", self.subject.name(), self.layout.name()))
    }

    /// Of CPU time, round by round; `None` for those that are apart.
    fn x_apart(&self, all: &[Series]) -> Option<Spread> {
        let apart = all
            .iter()
            .find(|other| other.subject == self.subject && other.layout == Layout::Apart)?;
        (self.layout == Layout::Together).then(|| self.rounds.cpu_x(&apart.rounds)).flatten()
    }
}

fn table(all: &[Series]) -> Table {
    let subject = ["function", "processes"];
    let more = ["first serves %", "x apart"];
    let mut table = Table::new(&[&subject[..], &Rounds::HEAD, &more].concat());
    for series in all {
        let subject = [series.subject.name().to_owned(), series.layout.name().to_owned()];
        let first = Spread::of(series.first_percent.iter().copied());
        let more = [show(first, whole), show(series.x_apart(all), fixed(2))];
        table.push([&subject[..], &series.rounds.cells(), &more].concat());
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let ours = all.iter().filter(|series| series.subject != Subject::Nginx);
    let x = ours.filter_map(|series| {
        let promise = format!("CPU of {}, two shards x two processes", series.subject.name());
        Some(Bar::at_most(&promise, series.x_apart(all)?.median, X_APART_MAX))
    });
    let failed = all.iter().map(|series| series.rounds.failed()).sum();
    x.chain([Bar::none("no request fails or is shed", failed)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Layout, Series, Subject, bars, table};
    use crate::rounds::Rounds;

    #[test]
    fn together_is_held_against_apart() {
        let series = |subject, layout, cpu_us: &[f64]| Series {
            subject,
            layout,
            rounds: Rounds::costing(cpu_us),
            first_percent: vec![70.0, f64::NAN],
        };
        let all = [
            series(Subject::Nginx, Layout::Together, &[9.0, 18.0]),
            series(Subject::Nginx, Layout::Apart, &[4.0, 8.0]),
            series(Subject::Hello, Layout::Together, &[4.4, 8.8]),
            series(Subject::Hello, Layout::Apart, &[4.0, 8.0]),
            series(Subject::Fresh3, Layout::Together, &[6.0]),
            series(Subject::Fresh3, Layout::Apart, &[6.0]),
            series(Subject::Fresh16, Layout::Together, &[6.0]),
        ];
        let verdicts = format!("{:?}", bars(&all));
        assert_eq!(
            (verdicts.matches("met: true").count(), verdicts.matches("met: false").count()),
            (2, 1)
        );
        let text = table(&all).to_string();
        assert!(text.contains("|             70 |    1.10 |"), "{text}");
        assert!(text.contains("|             70 |       - |"), "{text}");
    }
}
