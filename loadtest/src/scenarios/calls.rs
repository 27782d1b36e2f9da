//! One host call per request, on each store, database and server that functions can reach, beside a plain tokio and hyper
//! server that makes the same call with the same crate, and beside the trivial function that makes none.
//!
//! How to read the table: each cell is the median of all rounds and, in parentheses, the least and the most. The peers
//! take turns within each round. Each call's rows are shown when it is done and again in the end; a call that cannot be
//! measured is a bar that is missed, and the others go on. `CPU us/request` is that of the server alone; what answers the call runs on the load's
//! core. `x plain` is the price of the guest and of airside's runtime, `x trivial` that of the call; both are ratios
//! within a round. The plain server's answer is the value alone, the function's the message that holds it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, anyhow, ensure};
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;

use crate::calls::{Call, KEY, Place, VALUE};
use crate::client::Client;
use crate::guests;
use crate::kv_messages::set_request;
use crate::machine::{Stage, require_tool};
use crate::measure::{Pace, measure};
use crate::peers::airside::{self, Function};
use crate::peers::{Server, plain};
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::rows::Row;
use crate::table::{Table, fixed, show};

const MEMORY_X_TRIVIAL_MAX: f64 = 1.1;
const X_PLAIN_MAX: f64 = 1.25;
/// The calls that are held to it.
const X_PLAIN_BARS: [Call; 2] = [Call::RedisGet, Call::PostgresSelect];

#[derive(clap::Args)]
pub struct Options {
    /// Calls to measure [default: all].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CALL,..")]
    calls: Vec<Call>,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    #[command(flatten)]
    pace: Pace,
}

/// All rounds of one call.
#[derive(Serialize)]
struct Series {
    call: Call,
    plain: Rounds,
    trivial: Rounds,
    function: Rounds,
}

impl Series {
    fn peers(&self) -> [(&'static str, &Rounds); 3] {
        [("plain", &self.plain), ("trivial function", &self.trivial), ("function", &self.function)]
    }

    fn rows(&self) -> [Row; 3] {
        let call = self.call.name();
        self.peers().map(|(peer, rounds)| rounds.row(format!("{call}, {peer}")))
    }
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let calls = match &*options.calls {
        [] => <Call as clap::ValueEnum>::value_variants(),
        chosen => chosen,
    };
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for &call in calls {
        // The harness panics when a server is missing or does not start: the other calls go on.
        let measured = catch_unwind(AssertUnwindSafe(|| measure_call(stage, call, options)));
        match measured.unwrap_or_else(|_| Err(anyhow!("its server does not start, see above"))) {
            Ok(series) => {
                println!("{}", table(std::slice::from_ref(&series)));
                all.push(series);
            }
            Err(error) => {
                eprintln!("{}: {error:#}", call.name());
                failures.push((call, error));
            }
        }
    }
    ensure!(!all.is_empty(), "no call could be measured");
    let failed = |(call, error): &(Call, anyhow::Error)| {
        Bar::that(&format!("{} is measured", call.name()), format!("{error:#}"), false)
    };
    Ok(Report {
        scenario: "calls",
        table: table(&all),
        notes: vec![format!(
            "{} connections; median (min..max) of all rounds",
            options.connections
        )],
        bars: bars(&all).into_iter().chain(failures.iter().map(failed)).collect(),
        rows: all.iter().flat_map(Series::rows).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

fn measure_call(stage: &Stage, call: Call, options: &Options) -> Result<Series> {
    let folder = TempDir::new()?;
    let backend = call.start_backend();
    let place = Place { backend: backend.as_deref(), address: None };
    let plain = plain::start(stage, call, &place, folder.path())?;
    let mut airside = start_airside(stage, call, &place, &folder)?;
    let load = options.pace.load(options.connections);
    let none = Rounds::default;
    let mut series = Series { call, plain: none(), trivial: none(), function: none() };
    for round in 1..=options.pace.rounds {
        let of_plain = measure(stage, &plain, load)?;
        airside.target = String::from("/hello");
        let of_trivial = measure(stage, &airside, load)?;
        airside.target = String::from("/call");
        let of_function = measure(stage, &airside, load)?;
        eprintln!(
            "{}, round {round} of {}: plain {:.2} us CPU, trivial {:.2}, function {:.2}",
            call.name(),
            options.pace.rounds,
            of_plain.cpu_us_per_request,
            of_trivial.cpu_us_per_request,
            of_function.cpu_us_per_request
        );
        series.plain.push(of_plain);
        series.trivial.push(of_trivial);
        series.function.push(of_function);
    }
    Ok(series)
}

/// A server with the trivial function and the one that makes the call, checked to succeed.
pub(super) fn start_airside(
    stage: &Stage,
    call: Call,
    place: &Place<'_>,
    folder: &TempDir,
) -> Result<Server> {
    let functions = [
        Function { callable: true, ..airside::hello() },
        Function::new("call", call.guest(place)),
        Function::new("put", guests::kv_set()),
    ];
    let settings: Vec<(String, String)> = call
        .settings(place, folder.path())
        .into_iter()
        .map(|(key, value)| (format!("APP_{}", key.to_ascii_uppercase()), value))
        .collect();
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let server = airside::start(stage, &functions, &settings)?;
    let mut client = Client::connect(server.address)?;
    if call.is_get() {
        let put = client.post("/put", &set_request(KEY, VALUE))?;
        ensure!(put.status == 200, "a set answers {}", String::from_utf8_lossy(&put.body));
    }
    let answer = client.get("/call")?;
    ensure!(answer.status == 200, "the call answers {}", String::from_utf8_lossy(&answer.body));
    Ok(server)
}

fn table(all: &[Series]) -> Table {
    let mut table =
        Table::new(&[&["call", "peer"][..], &Rounds::HEAD, &["x plain", "x trivial"]].concat());
    for series in all {
        for (peer, rounds) in series.peers() {
            let is_function = std::ptr::eq(rounds, &series.function);
            let ratios = [&series.plain, &series.trivial].map(|other| {
                let x = is_function.then(|| rounds.cpu_x(other)).flatten();
                show(x, fixed(2))
            });
            let subject = [series.call.name(), peer.to_owned()];
            table.push([&subject[..], &rounds.cells(), &ratios].concat());
        }
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    let mut bars = Vec::new();
    for series in all {
        let name = series.call.name();
        if series.call == Call::MemoryGet
            && let Some(x) = series.function.cpu_x(&series.trivial)
        {
            let promise = format!("CPU of {name}, x the trivial function");
            bars.push(Bar::at_most(&promise, x.median, MEMORY_X_TRIVIAL_MAX));
        }
        if X_PLAIN_BARS.contains(&series.call)
            && let Some(x) = series.function.cpu_x(&series.plain)
        {
            let promise = format!("CPU of {name}, x the plain server");
            bars.push(Bar::at_most(&promise, x.median, X_PLAIN_MAX));
        }
    }
    let failed = all.iter().map(|series| series.function.failed() + series.trivial.failed()).sum();
    bars.push(Bar::none("no request to a function fails or is shed", failed));
    bars
}

#[cfg(test)]
mod tests {
    use super::{Series, bars, table};
    use crate::calls::Call;
    use crate::rounds::Rounds;

    #[test]
    fn each_bar_has_the_peer_it_is_about() {
        let series = |call, plain, trivial, function| Series {
            call,
            plain: Rounds::costing(plain),
            trivial: Rounds::costing(trivial),
            function: Rounds::costing(function),
        };
        let all = [
            series(Call::MemoryGet, &[4.0, 4.0], &[4.0, 8.0], &[4.4, 8.8]),
            series(Call::RedisGet, &[10.0, 20.0], &[4.0, 8.0], &[13.0, 26.0]),
            series(Call::RedisSet, &[10.0], &[4.0], &[90.0]),
        ];
        let verdicts: Vec<String> = bars(&all).iter().map(|bar| format!("{bar:?}")).collect();
        assert_eq!(verdicts.len(), 3, "{verdicts:?}");
        let text = table(&all).to_string();
        assert!(text.contains("1.10") && text.contains("1.30") && text.contains("9.00"), "{text}");
    }
}
