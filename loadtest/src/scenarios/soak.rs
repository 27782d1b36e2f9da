//! Millions of requests on one function: wrk sends the first half, oha the other.
//!
//! How to read the table: a row per part of the load. `answered` and `errors` are the client's
//! counts, `server` is how far the `total` histogram of `/debug/latency` went up meanwhile. oha
//! sends an exact number, so both must be equal; wrk drops the requests that are under way when it
//! ends, so the server may have counted one more for each connection of each run of wrk. `RSS` is
//! the server's resident memory at the end of the part: after the first part, a tenth of all
//! requests (the first million by default), it must stay where it is.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

use crate::latency_page;
use crate::machine::{Stage, require_tool};
use crate::oha::Oha;
use crate::peers::{Server, airside};
use crate::proc;
use crate::report::{Bar, Report};
use crate::rows::Row;
use crate::table::{Table, mebibytes, whole};
use crate::wrk;

/// Longest single run of wrk, seconds.
const WRK_RUN_S_MAX: u64 = 30;
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
/// Growth of memory between the end of the first part and the end that still counts as flat.
const GROWTH_BYTES_MAX: u64 = 1 << 20;
/// How long the server may take to count requests whose clients have ended.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub struct Options {
    /// Requests to send, about: wrk overshoots by less than one second's worth.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(100..))]
    requests: u64,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
}

#[derive(Serialize)]
struct Part {
    client: &'static str,
    answered: u64,
    errors: u64,
    /// Requests that the server may have counted and the client not.
    uncertain: u64,
    server_count: u64,
    seconds: f64,
    resident_bytes: u64,
}

impl Part {
    fn row(&self, number: usize) -> Row {
        Row::new(format!("part {number}, {}", self.client))
            .higher("requests/s", [self.answered as f64 / self.seconds])
            .lower("errors", [self.errors as f64])
            .lower("RSS MiB", [self.resident_bytes as f64 / f64::from(1 << 20)])
    }

    fn counts_agree(&self) -> bool {
        (self.answered..=self.answered + self.uncertain).contains(&self.server_count)
    }
}

#[derive(Serialize)]
struct MemorySample {
    seconds: f64,
    resident_bytes: u64,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    require_tool("wrk", "apt-get install wrk")?;
    let oha = Oha::find()?;
    let server = airside::start_hello(stage)?;
    let (parts, memory) = with_memory_sampled(&server, || drive(stage, &server, options, &oha))?;
    let mut notes = vec![memory_note(&memory)];
    if oha.is_none() {
        notes.push(
            "no oha on the PATH (`cargo install --locked oha`): wrk sent everything".to_owned(),
        );
    }
    Ok(Report {
        scenario: "soak",
        table: table(&parts),
        notes,
        bars: bars(&parts),
        rows: parts.iter().enumerate().map(|(index, part)| part.row(index + 1)).collect(),
        plots: Vec::new(),
        samples: json!({ "parts": parts, "memory": memory }),
    })
}

fn drive(
    stage: &Stage,
    server: &Server,
    options: &Options,
    oha: &Option<Oha>,
) -> Result<Vec<Part>> {
    let Options { requests, connections } = *options;
    let first = wrk_part(stage, server, connections, requests / 10)?;
    let by_wrk = if oha.is_some() { requests / 2 } else { requests };
    let left = by_wrk.saturating_sub(first.answered);
    let second = wrk_part(stage, server, connections, left)?;
    let left = requests.saturating_sub(first.answered + second.answered).max(1);
    let mut parts = vec![first, second];
    if let Some(oha) = oha {
        parts.push(oha_part(stage, server, connections, left, oha)?);
    }
    Ok(parts)
}

/// Runs wrk, which takes a time and not a number, again and again until `requests` are answered.
fn wrk_part(stage: &Stage, server: &Server, connections: u32, requests: u64) -> Result<Part> {
    let before = answered(server)?;
    let mut part = Part::new("wrk");
    while part.answered + part.errors < requests {
        let per_s = part.answered as f64 / part.seconds.max(1.0);
        let left = (requests - part.answered) as f64;
        let seconds = if per_s > 0.0 { (left / per_s).ceil() as u64 } else { 1 };
        let time = Duration::from_secs(seconds.clamp(1, WRK_RUN_S_MAX));
        let outcome = wrk::run(stage, &server.url(), connections, time)?;
        part.answered += outcome.requests - outcome.bad_statuses;
        // The error that ended the connection counts too, so a dead server ends this loop.
        part.errors += outcome.bad_statuses + outcome.socket_errors;
        part.uncertain += u64::from(connections);
        part.seconds += outcome.seconds;
        eprintln!("wrk: {} of {}", whole(part.answered as f64), whole(requests as f64));
    }
    part.settle(server, before)
}

fn oha_part(
    stage: &Stage,
    server: &Server,
    connections: u32,
    requests: u64,
    oha: &Oha,
) -> Result<Part> {
    let before = answered(server)?;
    eprintln!("oha: {}", whole(requests as f64));
    let outcome = oha.run(stage, &server.url(), connections, requests)?;
    let part = Part {
        answered: outcome.answered,
        errors: outcome.errors,
        seconds: outcome.seconds,
        ..Part::new("oha")
    };
    part.settle(server, before)
}

fn answered(server: &Server) -> Result<u64> {
    Ok(latency_page::read(server.address)?.answered(&server.target))
}

impl Part {
    fn new(client: &'static str) -> Part {
        Part {
            client,
            answered: 0,
            errors: 0,
            uncertain: 0,
            server_count: 0,
            seconds: 0.0,
            resident_bytes: 0,
        }
    }

    /// Fills in the server's side: waits until its count agrees, or for `SETTLE_TIME_MAX`, since
    /// it may still be at work on requests whose clients are gone.
    fn settle(mut self, server: &Server, before: u64) -> Result<Part> {
        let deadline = Instant::now() + SETTLE_TIME_MAX;
        loop {
            self.server_count = answered(server)? - before;
            if self.counts_agree() || Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.resident_bytes = proc::resident_bytes(server.process_id())?;
        Ok(self)
    }
}

/// Runs `work` while a thread writes down the server's memory every second.
fn with_memory_sampled<T>(
    server: &Server,
    work: impl FnOnce() -> Result<T>,
) -> Result<(T, Vec<MemorySample>)> {
    let process = server.process_id();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        let sampler = scope.spawn(move || {
            let mut samples = Vec::new();
            while stopped.recv_timeout(SAMPLE_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let Ok(resident_bytes) = proc::resident_bytes(process) else { break };
                let seconds = started.elapsed().as_secs_f64();
                samples.push(MemorySample { seconds, resident_bytes });
            }
            samples
        });
        let result = work();
        drop(stop);
        let samples = sampler.join().ok().context("the memory sampler panicked")?;
        Ok((result?, samples))
    })
}

fn memory_note(samples: &[MemorySample]) -> String {
    let bytes = || samples.iter().map(|sample| sample.resident_bytes);
    let (least, most) = (bytes().min().unwrap_or(0), bytes().max().unwrap_or(0));
    let (least, most) = (mebibytes(least), mebibytes(most));
    format!("RSS, sampled {} times: {least} to {most}", samples.len())
}

fn table(parts: &[Part]) -> Table {
    let mut table = Table::new(&["part", "answered", "errors", "server", "requests/s", "RSS"]);
    for (index, part) in parts.iter().enumerate() {
        table.push([
            format!("{} {}", index + 1, part.client),
            whole(part.answered as f64),
            part.errors.to_string(),
            whole(part.server_count as f64),
            whole(part.answered as f64 / part.seconds.max(f64::MIN_POSITIVE)),
            mebibytes(part.resident_bytes),
        ]);
    }
    table
}

fn bars(parts: &[Part]) -> Vec<Bar> {
    let mut bars = vec![Bar::none("no errors", parts.iter().map(|part| part.errors).sum())];
    if let [first, .., last] = parts {
        let growth = last.resident_bytes.saturating_sub(first.resident_bytes);
        let promise =
            format!("RSS grows by no more than {} after part 1", mebibytes(GROWTH_BYTES_MAX));
        bars.push(Bar::that(&promise, mebibytes(growth), growth <= GROWTH_BYTES_MAX));
    }
    for part in parts {
        let promise = match part.uncertain {
            0 => format!("{}: the server counts what the client counts", part.client),
            more => format!("{}: the server counts the same or up to {more} more", part.client),
        };
        let measured = format!("{} and {}", part.server_count, part.answered);
        bars.push(Bar::that(&promise, measured, part.counts_agree()));
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn only_requests_under_way_may_be_counted_by_the_server_alone() {
        for (answered, uncertain, server_count, agree) in [
            (10, 0, 10, true),
            (10, 0, 11, false),
            (10, 2, 12, true),
            (10, 2, 13, false),
            (10, 2, 9, false),
        ] {
            let part = Part { answered, uncertain, server_count, ..Part::new("wrk") };
            assert_eq!(part.counts_agree(), agree, "{answered} {uncertain} {server_count}");
        }
    }
}
