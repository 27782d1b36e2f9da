//! Functions that do something, beside the trivial one and beside nginx: a get from the store in memory, five of them in one
//! request, and a transform of JSON within the guest.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most; all take turns
//! within each round on one server, and `x nginx` and `x hello` are ratios of CPU time within a round. `p50` to `RSS` are
//! those of `compare`. The JSON is a POST of 800 bytes: white space goes, strings become upper case, byte by byte.

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use crate::calls::{KEY, VALUE};
use crate::client::Client;
use crate::guests;
use crate::kv_messages::{get_request, read_get_response, set_request};
use crate::machine::{Stage, require_tool};
use crate::measure::{Pace, measure};
use crate::peers::airside::{self, Function};
use crate::peers::{Peer, Server, Started, start_all};
use crate::plot::{self, Line};
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::table::{Spread, Table, fixed, show, whole};
use crate::versions;
use crate::wrk::{Load, Requests};

const KV_X_HELLO_MAX: f64 = 1.1;
/// Host calls of one request to the function that fans out.
const FAN_OUT: u32 = 5;

#[derive(clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    #[command(flatten)]
    pace: Pace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Subject {
    Nginx,
    Hello,
    KvGet,
    FanOut,
    Json,
}

impl Subject {
    const ALL: [Subject; 5] =
        [Subject::Nginx, Subject::Hello, Subject::KvGet, Subject::FanOut, Subject::Json];

    /// That of the table; the functions are found under it too.
    fn name(self) -> &'static str {
        match self {
            Subject::Nginx => "nginx",
            Subject::Hello => "hello",
            Subject::KvGet => "kv-get",
            Subject::FanOut => "fan-out",
            Subject::Json => "json",
        }
    }

    /// `None` when it is not a guest.
    fn guest(self) -> Option<String> {
        let get = |count| guests::host_calls(count, "kvstore", "get", &get_request(KEY));
        match self {
            Subject::Nginx => None,
            Subject::Hello => Some(guests::HELLO.to_owned()),
            Subject::KvGet => Some(get(1)),
            Subject::FanOut => Some(get(FAN_OUT)),
            Subject::Json => Some(guests::JSON.to_owned()),
        }
    }

    fn requests(self) -> Requests {
        match self {
            Subject::Json => Requests::PostText(guests::JSON_TEXT),
            _ => Requests::Get,
        }
    }
}

/// All rounds of one subject.
#[derive(Serialize)]
struct Series {
    subject: Subject,
    rounds: Rounds,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let Started { servers, skipped } = start_all(stage, &[Peer::Nginx])?;
    let nginx = servers.into_iter().map(|(_, server)| server).next();
    let mut airside = start(stage)?;
    let here = |subject: &Subject| *subject != Subject::Nginx || nginx.is_some();
    let series = |subject| Series { subject, rounds: Rounds::default() };
    let mut all: Vec<Series> = Subject::ALL.into_iter().filter(here).map(series).collect();
    for round in 1..=options.pace.rounds {
        for series in &mut all {
            let name = series.subject.name();
            airside.target = format!("/{name}");
            let load = options.pace.load(options.connections);
            let load = Load { requests: series.subject.requests(), ..load };
            let server = match series.subject {
                Subject::Nginx => nginx.as_ref().context("nginx was left out")?,
                _ => &airside,
            };
            let sample = measure(stage, server, load)?;
            let (per_s, cpu_us) = (whole(sample.requests_per_s), sample.cpu_us_per_request);
            eprintln!(
                "{name}, round {round} of {}: {per_s}/s, {cpu_us:.2} us CPU",
                options.pace.rounds
            );
            series.rounds.push(sample);
        }
    }
    let connections = format!("{} connections; median (min..max)", options.connections);
    let versions = versions::note(stage, &["wrk"], &[Peer::Nginx, Peer::Airside]);
    let lines = all.iter().map(Series::line).collect();
    Ok(Report {
        scenario: "functions",
        table: table(&all),
        notes: [connections, versions].into_iter().chain(skipped).collect(),
        bars: bars(&all),
        rows: all.iter().map(|series| series.rounds.row(series.subject.name())).collect(),
        plots: vec![plot::spectrum("spectrum", "functions, closed loop", lines)],
        samples: json!(all),
    })
}

/// All functions, each checked to do what it is measured for.
fn start(stage: &Stage) -> Result<Server> {
    let guests = Subject::ALL.into_iter().filter_map(|subject| Some((subject, subject.guest()?)));
    let functions = guests.map(|(subject, guest)| Function::new(subject.name(), guest));
    let functions: Vec<Function> =
        functions.chain([Function::new("put", guests::kv_set())]).collect();
    let settings = [("APP_ENABLE_KVSTORE", "true"), ("APP_KVSTORE_TYPE", "memory")];
    let server = airside::start(stage, &functions, &settings)?;
    let mut client = Client::connect(server.address)?;
    let put = client.post("/put", &set_request(KEY, VALUE))?;
    ensure!(put.status == 200, "a set answers {}", String::from_utf8_lossy(&put.body));
    for target in ["/kv-get", "/fan-out"] {
        let got = client.get(target)?;
        let value = read_get_response(&got.body);
        ensure!(got.status == 200 && value == Some(VALUE), "{target} does not get the value");
    }
    let got = client.post("/json", guests::JSON_TEXT.as_bytes())?;
    let order: Value = serde_json::from_slice(&got.body).context("/json answers no JSON")?;
    ensure!(order["CURRENCY"] == "EUR", "/json answers something else");
    Ok(server)
}

impl Series {
    /// Round by round, by CPU time.
    fn over(&self, all: &[Series], subject: Subject) -> Option<Spread> {
        let other = all.iter().find(|series| series.subject == subject)?;
        self.rounds.cpu_x(&other.rounds)
    }

    fn line(&self) -> Line {
        Line::new(self.subject.name(), self.rounds.spectrum().points().iter().copied())
    }
}

fn table(all: &[Series]) -> Table {
    let mut table =
        Table::new(&[&["function"][..], &Rounds::HEAD, &["x nginx", "x hello"]].concat());
    for series in all {
        let ratios = [Subject::Nginx, Subject::Hello]
            .map(|subject| show(series.over(all, subject), fixed(2)));
        let name = [series.subject.name().to_owned()];
        table.push([&name[..], &series.rounds.cells(), &ratios].concat());
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let mut bars = Vec::new();
    if let Some(series) = all.iter().find(|series| series.subject == Subject::KvGet) {
        let promise = "CPU of a get from the store in memory, x the trivial function";
        let x = series.over(all, Subject::Hello);
        bars.extend(x.map(|x| Bar::at_most(promise, x.median, KV_X_HELLO_MAX)));
    }
    bars.push(Bar::none(
        "no request fails or is shed",
        all.iter().map(|series| series.rounds.failed()).sum(),
    ));
    bars
}

#[cfg(test)]
mod tests {
    use super::{Series, Subject, bars, table};
    use crate::rounds::Rounds;

    #[test]
    fn ratios_are_to_nginx_and_to_the_trivial_function() {
        let series = |subject, cpu_us| Series { subject, rounds: Rounds::costing(&[cpu_us]) };
        let all =
            [series(Subject::Nginx, 4.0), series(Subject::Hello, 5.0), series(Subject::KvGet, 6.0)];
        let text = table(&all).to_string();
        assert!(text.contains("1.50 |    1.20"), "{text}");
        assert!(format!("{:?}", bars(&all)).contains("met: false"));
        // Without nginx there is only the other ratio.
        assert!(table(&all[1..]).to_string().contains("- |    1.20"), "{text}");
    }
}
