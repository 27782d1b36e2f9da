//! Sets on the embedded KV under load, kill -9 in the middle of it, a restart on the same file,
//! and a get for every set that was answered.
//!
//! How to read the table: a row per round, all on one growing database. `answered` sets got their
//! 200 before the kill and must all be found after the restart: `lost` and `wrong` must be 0.
//! `unanswered` were under way when the server died; these may be there or not, and `of those
//! found` says how many are. Every key is checked again after the last round.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::json;

use crate::client::Client;
use crate::guests;
use crate::kv_messages::{get_request, read_get_response, set_request};
use crate::machine::Stage;
use crate::peers::Server;
use crate::peers::airside::{self, Function};
use crate::report::{Bar, Report};
use crate::rows::Row;
use crate::table::{Table, whole};

const SET_TARGET: &str = "/kv-set";
const GET_TARGET: &str = "/kv-get";
/// Longest wait for a round's sets.
const LOAD_TIME_MAX: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub struct Options {
    /// Kills and restarts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Answered sets in a round before the server is killed.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    sets: u64,
    /// Connections that set at the same time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
}

/// What one connection set: its keys are `ROUND-CONNECTION-0` to `-(answered - 1)`, then one more
/// that was under way.
#[derive(Clone, Copy)]
struct Writer {
    round: u32,
    connection: u32,
    answered: u64,
}

#[derive(Default, Serialize)]
struct Round {
    answered: u64,
    found: u64,
    lost: u64,
    wrong: u64,
    unanswered: u64,
    unanswered_found: u64,
    load_seconds: f64,
}

enum Found {
    Right,
    Wrong,
    Missing,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("kv.db");
    let mut writers: Vec<Writer> = Vec::new();
    let mut rounds: Vec<Round> = Vec::new();
    for number in 1..=options.rounds {
        let (new_writers, load_seconds) = load_and_kill(stage, options, number, &database)?;
        let server = start(stage, &database)?;
        let round = Round { load_seconds, ..check(&server, &new_writers)? };
        eprintln!("round {number} of {}: {} lost", options.rounds, round.lost + round.wrong);
        rounds.push(round);
        writers.extend(new_writers);
    }
    let all = check(&start(stage, &database)?, &writers)?;
    Ok(Report {
        scenario: "kill",
        table: table(&rounds),
        notes: vec![format!("after all rounds: {} of {} found", all.found, all.answered)],
        bars: bars(&rounds, &all),
        rows: vec![row(&rounds)],
        plots: Vec::new(),
        samples: json!({ "rounds": rounds, "after_all": all }),
    })
}

fn start(stage: &Stage, database: &Path) -> Result<Server> {
    let functions = [
        airside::hello(),
        Function::new("kv-set", guests::kv_set()),
        Function::new("kv-get", guests::kv_get()),
    ];
    let database = database.to_str().context("the temporary folder has an odd name")?;
    let settings = [
        ("APP_ENABLE_KVSTORE", "true"),
        ("APP_KVSTORE_TYPE", "boltdb"),
        ("APP_BOLTDB_FILENAME", database),
    ];
    airside::start(stage, &functions, &settings)
}

/// Sets until `options.sets` are answered, then kills the server while the writers go on.
fn load_and_kill(
    stage: &Stage,
    options: &Options,
    round: u32,
    database: &Path,
) -> Result<(Vec<Writer>, f64)> {
    let mut server = start(stage, database)?;
    let address = server.address;
    let answered = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        let answered = &answered;
        let start_writer = |connection| {
            let writer = Writer { round, connection, answered: 0 };
            scope.spawn(move || writer.write(address, answered))
        };
        let threads: Vec<_> = (0..options.connections).map(start_writer).collect();
        let mut stalled = false;
        while answered.load(Ordering::Relaxed) < options.sets && !stalled {
            stalled = started.elapsed() > LOAD_TIME_MAX
                || threads.iter().all(std::thread::ScopedJoinHandle::is_finished);
            std::thread::sleep(Duration::from_millis(1));
        }
        server.kill();
        let load_seconds = started.elapsed().as_secs_f64();
        let mut writers = Vec::new();
        for thread in threads {
            writers.push(thread.join().ok().context("a writer panicked")??);
        }
        if stalled {
            let count = answered.load(Ordering::Relaxed);
            bail!("the server answered {count} sets, then no more in time");
        }
        Ok((writers, load_seconds))
    })
}

impl Writer {
    fn key(&self, index: u64) -> String {
        format!("{}-{}-{index}", self.round, self.connection)
    }

    /// The value of a key, different for each.
    fn value(key: &str) -> Vec<u8> {
        format!("value of {key}").into_bytes()
    }

    /// Sets one key after the other until the connection breaks; an answer that is not 200 is an
    /// error of the run.
    fn write(mut self, address: SocketAddr, answered: &AtomicU64) -> Result<Writer> {
        let mut client = Client::connect(address)?;
        loop {
            let key = self.key(self.answered);
            let Ok(response) = client.post(SET_TARGET, &set_request(&key, &Self::value(&key)))
            else {
                return Ok(self);
            };
            if response.status != 200 {
                let text = String::from_utf8_lossy(&response.body).into_owned();
                bail!("a set answers {}: {text}", response.status);
            }
            self.answered += 1;
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Gets every key that the writers set, and those that were under way.
fn check(server: &Server, writers: &[Writer]) -> Result<Round> {
    let mut client = Client::connect(server.address)?;
    let mut round = Round::default();
    for writer in writers {
        for index in 0..writer.answered {
            match find(&mut client, &writer.key(index))? {
                Found::Right => round.found += 1,
                Found::Wrong => round.wrong += 1,
                Found::Missing => round.lost += 1,
            }
        }
        round.answered += writer.answered;
        round.unanswered += 1;
        match find(&mut client, &writer.key(writer.answered))? {
            Found::Right => round.unanswered_found += 1,
            // A part of a set is never right.
            Found::Wrong => round.wrong += 1,
            Found::Missing => {}
        }
    }
    Ok(round)
}

fn find(client: &mut Client, key: &str) -> Result<Found> {
    let response = client.post(GET_TARGET, &get_request(key))?;
    match response.status {
        200 if read_get_response(&response.body) == Some(&Writer::value(key)) => Ok(Found::Right),
        200 => Ok(Found::Wrong),
        // The guest hands on the host's error, `Unable to fetch key ...`.
        500 if response.body.windows(5).any(|part| part == b"fetch") => Ok(Found::Missing),
        status => {
            bail!("a get answers {status}: {}", String::from_utf8_lossy(&response.body))
        }
    }
}

fn row(rounds: &[Round]) -> Row {
    let sets_per_s = |round: &Round| round.answered as f64 / round.load_seconds;
    Row::new("sets until the kill")
        .higher("sets/s", rounds.iter().map(sets_per_s))
        .lower("lost or wrong", rounds.iter().map(|round| (round.lost + round.wrong) as f64))
}

fn table(rounds: &[Round]) -> Table {
    let mut table = Table::new(&[
        "round",
        "sets/s",
        "answered",
        "found",
        "lost",
        "wrong",
        "unanswered",
        "of those found",
    ]);
    for (index, round) in rounds.iter().enumerate() {
        table.push([
            (index + 1).to_string(),
            whole(round.answered as f64 / round.load_seconds),
            round.answered.to_string(),
            round.found.to_string(),
            round.lost.to_string(),
            round.wrong.to_string(),
            round.unanswered.to_string(),
            round.unanswered_found.to_string(),
        ]);
    }
    table
}

fn bars(rounds: &[Round], all: &Round) -> Vec<Bar> {
    let lost: u64 = rounds.iter().map(|round| round.lost + round.wrong).sum();
    vec![
        Bar::none("no answered set is lost or wrong after kill -9", lost),
        Bar::none("nor after the kills that followed", all.lost + all.wrong),
    ]
}
