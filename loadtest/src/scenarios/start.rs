//! How soon after exec airside answers, its compiled code being in the cache, and what it holds of memory then: the demo, and
//! a tarmac.json of a thousand functions with a route each, whose modules are one file, or as many files that all differ.
//!
//! How to read the table: each cell is the median of all tries and, in parentheses, the least and the most; all take turns
//! within each try. The clock starts when the process becomes airside's (what pins it runs before), and is read when a GET of
//! the first function was answered with 200 (`first answer`) and when one of `/ready` was; looks are 0.1 ms apart. `cold`
//! is the first answer of the start before all tries, which compiled what was to be compiled. Memory is that at `/ready`. RSS
//! counts a page as often as it is mapped, and shards map compiled code each for itself; PSS counts it once. With two shards
//! on a machine of two cores the client takes its time, which is little, from one of the shards.

mod setup;

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

use crate::guests;
use crate::machine::Stage;
use crate::peers::Peer;
use crate::report::{Bar, Report};
use crate::rows::Row;
use crate::table::{Spread, Table, fixed, mebibytes, show, whole};
use crate::versions;
use setup::{Place, Sample, Setup};

const DEMO_MS_MAX: f64 = 50.0;
const MANY_MS_MAX: f64 = 2_000.0;
const MANY_MIB_MAX: f64 = 500.0;

#[derive(clap::Args)]
pub struct Options {
    /// Numbers of shards to start with.
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_value = "1,2")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    shards: Vec<u32>,
    /// Starts of each, after one that compiles.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    /// Beside the demo.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    functions: u32,
    /// A module that answers a GET with 200, to be these functions [default: the demo's hello, 32 KB of Rust].
    #[arg(long, value_name = "WASM")]
    guest: Option<PathBuf>,
}

/// All starts of one setup on so many shards.
#[derive(Serialize)]
struct Series {
    shards: u32,
    setup: Setup,
    cold: Sample,
    tries: Vec<Sample>,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    let guest = match &options.guest {
        None => guests::DEMO_HELLO.to_vec(),
        Some(path) => std::fs::read(path).with_context(|| format!("read {}", path.display()))?,
    };
    let mut all = Vec::new();
    for &shards in &options.shards {
        for setup in Setup::all(options.functions) {
            let place = Place::prepare(stage, setup, shards, &guest)?;
            let cold = place.start().with_context(|| format!("start {}", setup.name()))?;
            all.push((place, Series { shards, setup, cold, tries: Vec::new() }));
        }
    }
    for round in 1..=options.tries {
        for (place, series) in &mut all {
            let sample = place.start()?;
            eprintln!(
                "{}, try {round} of {}: {:.1} ms, {}",
                series.name(),
                options.tries,
                sample.first_answer_ms,
                mebibytes(sample.resident_bytes)
            );
            series.tries.push(sample);
        }
    }
    let all: Vec<Series> = all.into_iter().map(|(_, series)| series).collect();
    Ok(Report {
        scenario: "start",
        table: table(&all),
        notes: vec![
            format!("{} tries; median (min..max)", options.tries),
            versions::note(stage, &[], &[Peer::Airside]),
        ],
        bars: bars(&all),
        rows: all.iter().map(Series::row).collect(),
        plots: Vec::new(),
        samples: json!(all),
    })
}

impl Series {
    fn name(&self) -> String {
        let shards = if self.shards == 1 { "shard" } else { "shards" };
        format!("{}, {} {shards}", self.setup.name(), self.shards)
    }

    fn row(&self) -> Row {
        let all = |value: fn(&Sample) -> f64| self.tries.iter().map(value);
        Row::new(self.name())
            .lower("first answer ms", all(|sample| sample.first_answer_ms))
            .lower("ready ms", all(|sample| sample.ready_ms))
            .lower("RSS MiB", all(Sample::resident_mib))
            .lower("PSS MiB", all(Sample::proportional_mib))
    }

    fn spread(&self, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.tries.iter().map(value))
    }

    /// The demo's promise is an early answer, that of many functions an early `/ready` and little memory.
    fn bars(&self) -> Vec<Bar> {
        let bar = |what: &str, value: fn(&Sample) -> f64, limit| {
            let spread = self.spread(value)?;
            Some(Bar::at_most(&format!("{what}: {}", self.name()), spread.median, limit))
        };
        let bars = match self.setup {
            Setup::Demo => {
                vec![bar("ms to the first answer", |sample| sample.first_answer_ms, DEMO_MS_MAX)]
            }
            Setup::OneFile { .. } | Setup::ManyFiles { .. } => vec![
                bar("ms until ready", |sample| sample.ready_ms, MANY_MS_MAX),
                bar("MiB of RSS", Sample::resident_mib, MANY_MIB_MAX),
            ],
        };
        bars.into_iter().flatten().collect()
    }
}

fn table(all: &[Series]) -> Table {
    let mut table = Table::new(&[
        "shards",
        "what",
        "cold ms",
        "first answer ms",
        "ready ms",
        "RSS MiB",
        "PSS MiB",
    ]);
    for series in all {
        table.push([
            series.shards.to_string(),
            series.setup.name(),
            whole(series.cold.first_answer_ms),
            show(series.spread(|sample| sample.first_answer_ms), fixed(1)),
            show(series.spread(|sample| sample.ready_ms), fixed(1)),
            show(series.spread(Sample::resident_mib), fixed(1)),
            show(series.spread(Sample::proportional_mib), fixed(1)),
        ]);
    }
    table
}

fn bars(all: &[Series]) -> Vec<Bar> {
    all.iter().flat_map(Series::bars).collect()
}

#[cfg(test)]
mod tests {
    use super::setup::{Sample, Setup};
    use super::{Series, bars, table};

    fn series(setup: Setup, first_answer_ms: &[f64], mib: u64) -> Series {
        let sample = |first_answer_ms: f64| Sample {
            first_answer_ms,
            ready_ms: first_answer_ms + 1.0,
            resident_bytes: mib << 20,
            proportional_bytes: mib << 19,
        };
        let tries = first_answer_ms.iter().map(|&ms| sample(ms)).collect();
        Series { shards: 2, setup, cold: sample(4_321.0), tries }
    }

    #[test]
    fn each_setup_is_held_to_its_own_promises() {
        let all = [
            series(Setup::Demo, &[70.0, 40.0, 30.0], 900),
            series(Setup::OneFile { functions: 1000 }, &[1_999.5], 500),
            series(Setup::ManyFiles { functions: 1000 }, &[100.0], 501),
        ];
        let verdicts: Vec<String> = bars(&all).iter().map(|bar| format!("{bar:?}")).collect();
        let met: Vec<bool> = verdicts.iter().map(|text| text.contains("met: true")).collect();
        assert_eq!(met, [true, false, true, true, false], "{verdicts:?}");
        let text = table(&all).to_string();
        assert!(
            text.contains("4,321 | 40.0 (30.0..70.0) | 41.0 (31.0..71.0) |   900.0 |"),
            "{text}"
        );
        assert_eq!(all[0].row().figures.len(), 4);
    }
}
