//! `loadtest builds A B`: two builds of airside beside each other, and whether chance explains what differs. Unlike two runs
//! of a scenario, which `loadtest diff` compares, both are measured in turn, so a machine that gets slower or faster does so
//! for both; and each round starts both anew, so that what differs from start to start, as the layout of memory does, is no
//! difference of the builds.
//!
//! How to read the table: as that of `diff`, see there. `B / A` is the ratio of the medians; in the note below the table it is
//! that of CPU time within each round. The build that goes first changes from round to round. A build that is worse in some
//! figure is a bar that is missed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::diff::{self, Limits};
use crate::machine::{Stage, require_tool};
use crate::measure::{Pace, measure};
use crate::peers::Peer;
use crate::report::{Bar, Report};
use crate::rounds::Rounds;
use crate::table::{fixed, show};
use crate::versions;

#[derive(clap::Args)]
pub struct Options {
    /// The build before
    a: PathBuf,
    /// and after.
    b: PathBuf,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    pace: Pace,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let stages = [&options.a, &options.b].map(|build| {
        let given = || format!("use the build {}", build.display());
        stage.with_airside(build).with_context(given)
    });
    let [a, b] = stages;
    let stages = [a?, b?];
    let mut rounds = [Rounds::default(), Rounds::default()];
    for round in 0..options.pace.rounds {
        for turn in 0..2 {
            let build = (round as usize + turn) % 2;
            let server = Peer::Airside.start(&stages[build])?;
            let sample = measure(&stages[build], &server, options.pace.load(options.connections))?;
            eprintln!(
                "round {} of {}: {} {:.2} us CPU",
                round + 1,
                options.pace.rounds,
                ["A", "B"][build],
                sample.cpu_us_per_request
            );
            rounds[build].push(sample);
        }
    }
    report(&stages, &rounds, options)
}

fn report(stages: &[Stage; 2], rounds: &[Rounds; 2], options: &Options) -> Result<Report> {
    let rows = rounds.each_ref().map(|rounds| [rounds.row("hello")]);
    let lines = diff::lines(&rows[0], &rows[1], options.limits);
    let named = |name: &str, stage: &Stage, build: &Path| {
        let version = versions::note(stage, &[], &[Peer::Airside]);
        format!("{name}: {}, {version}", build.display())
    };
    let mut notes = vec![
        format!("{} connections; median (min..max) of all rounds", options.connections),
        named("A", &stages[0], &options.a),
        named("B", &stages[1], &options.b),
        format!("CPU time, B / A in each round: {}", show(rounds[1].cpu_x(&rounds[0]), fixed(3))),
    ];
    notes.extend(diff::test_notes(&lines, options.limits));
    let failed = rounds.iter().map(Rounds::failed).sum();
    Ok(Report {
        scenario: "builds",
        table: diff::table(&lines),
        notes,
        bars: vec![
            Bar::none("figures in which B is worse", diff::worse(&lines) as u64),
            Bar::none("no request fails or is shed", failed),
        ],
        rows: vec![rounds[0].row("A"), rounds[1].row("B")],
        plots: Vec::new(),
        samples: json!({ "A": rounds[0], "B": rounds[1] }),
    })
}
