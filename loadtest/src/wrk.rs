//! Runs wrk (closed loop, one thread) on the load's core and reads its report.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::machine::Stage;
use crate::process::{DeathSignal, Process};

/// wrk counts an answer that takes longer as an error.
const TIMEOUT_S: u64 = 10;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Answers of any status. Requests under way when wrk ends are in no count: at most one per
    /// connection.
    pub requests: u64,
    pub seconds: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Statuses of 400 and over; they are among `requests`.
    pub bad_statuses: u64,
    /// Failed connects, reads, writes, and timeouts.
    pub socket_errors: u64,
}

impl Outcome {
    pub fn requests_per_s(&self) -> f64 {
        if self.seconds > 0.0 { self.requests as f64 / self.seconds } else { 0.0 }
    }
}

/// What a load is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Requests {
    /// One after the other on each connection.
    Get,
    /// So many at once on each connection, and the next when all are answered.
    Pipelined { depth: u32 },
    /// Each on a connection of its own.
    Closing,
    /// With a body of so many bytes.
    Post { bytes: usize },
}

impl Requests {
    fn script(self) -> Option<String> {
        match self {
            Requests::Get => None,
            Requests::Pipelined { depth } => Some(format!(
                "init = function() batch = string.rep(wrk.format(), {depth}) end\n\
                 request = function() return batch end\n"
            )),
            Requests::Closing => Some(String::from("wrk.headers['Connection'] = 'close'\n")),
            Requests::Post { bytes } => {
                Some(format!("wrk.method = 'POST'\nwrk.body = string.rep('x', {bytes})\n"))
            }
        }
    }
}

/// A wrk that is under way.
pub struct Running {
    process: Process,
    /// What it sends instead of a GET, until it has ended.
    _script: Option<NamedTempFile>,
}

pub fn start(stage: &Stage, url: &str, connections: u32, time: Duration) -> Result<Running> {
    launch(stage, url, connections, time, None)
}

/// Sends these requests until the time is over.
pub fn send(
    stage: &Stage,
    url: &str,
    connections: u32,
    time: Duration,
    requests: Requests,
) -> Result<Outcome> {
    let script = requests.script().map(|text| -> Result<NamedTempFile> {
        let mut script = NamedTempFile::with_suffix(".lua").context("make a script for wrk")?;
        script.write_all(text.as_bytes())?;
        Ok(script)
    });
    launch(stage, url, connections, time, script.transpose()?)?.finish()
}

fn launch(
    stage: &Stage,
    url: &str,
    connections: u32,
    time: Duration,
    script: Option<NamedTempFile>,
) -> Result<Running> {
    let seconds = time.as_secs().max(1);
    let mut command = Command::new("wrk");
    if let Some(script) = &script {
        command.arg("--script").arg(script.path());
    }
    command
        .args(["--latency", "--threads", "1", "--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s"), "--timeout", &format!("{TIMEOUT_S}s"), url]);
    let process = Process::start(
        &command,
        &[stage.load_cpu],
        DeathSignal::Kill,
        Stdio::piped(),
        Stdio::piped(),
    )?;
    Ok(Running { process, _script: script })
}

pub fn run(stage: &Stage, url: &str, connections: u32, time: Duration) -> Result<Outcome> {
    start(stage, url, connections, time)?.finish()
}

impl Running {
    pub fn finish(self) -> Result<Outcome> {
        let (status, stdout, stderr) = self.process.finish()?;
        ensure!(status.success(), "wrk failed: {}{}", stdout.trim(), stderr.trim());
        parse(&stdout).with_context(|| format!("wrk printed something unexpected:\n{stdout}"))
    }
}

/// Reads the report line by line, each known by its words, so that order, padding and lines that
/// appear only sometimes do not matter.
fn parse(report: &str) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let (mut total_seen, mut latency_seen) = (false, false);
    for line in report.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [requests, "requests", "in", time, ..] => {
                outcome.requests = requests.parse().context("requests")?;
                outcome.seconds = parse_us(time.trim_end_matches(',')).context("time")? / 1e6;
                total_seen = true;
            }
            ["50%", time] => outcome.p50_us = parse_us(time).context("p50")?,
            ["99%", time] => {
                outcome.p99_us = parse_us(time).context("p99")?;
                latency_seen = true;
            }
            ["Socket", "errors:", ..] => outcome.socket_errors = sum_numbers(&words),
            ["Non-2xx", ..] => outcome.bad_statuses = sum_numbers(&words),
            _ => {}
        }
    }
    ensure!(total_seen, "no line `N requests in T`");
    ensure!(latency_seen, "no latency distribution");
    Ok(outcome)
}

fn sum_numbers(words: &[&str]) -> u64 {
    words.iter().filter_map(|word| word.trim_end_matches(',').parse::<u64>().ok()).sum()
}

/// `36.00us`, `1.20ms`, `2.00s`, `1.5m`, `1.0h` as microseconds.
fn parse_us(text: &str) -> Option<f64> {
    let unit_at = text.find(|character: char| character.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let unit_us = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 60e6,
        "h" => 3600e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit_us)
}

#[cfg(test)]
mod tests {
    use super::{Outcome, parse, parse_us};

    const CLEAN: &str = "\
Running 5s test @ http://127.0.0.1:8080/hello
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   299.60us   60.11us   2.62ms   90.01%
    Req/Sec   212.31k     9.05k  226.05k    78.00%
  Latency Distribution
     50%  288.00us
     75%  305.00us
     90%  340.00us
     99%    1.05ms
  1056213 requests in 5.00s, 150.10MB read
Requests/sec: 211211.73
Transfer/sec:     30.02MB
";

    const FAILING: &str = "\
  Latency Distribution
     50%  101.20ms
     75%  102.00ms
     90%  110.00ms
     99%    1.50s
  37 requests in 1.10m, 5.35KB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 36
Requests/sec:      0.56
";

    #[test]
    fn reports() {
        let clean = Outcome {
            requests: 1_056_213,
            seconds: 5.0,
            p50_us: 288.0,
            p99_us: 1050.0,
            ..Outcome::default()
        };
        assert_eq!(parse(CLEAN).unwrap(), clean);
        let failing = Outcome {
            requests: 37,
            seconds: 66.0,
            p50_us: 101_200.0,
            p99_us: 1_500_000.0,
            bad_statuses: 36,
            socket_errors: 10,
        };
        let parsed = parse(FAILING).unwrap();
        assert!((parsed.seconds - failing.seconds).abs() < 1e-6);
        assert_eq!(Outcome { seconds: 66.0, ..parsed }, failing);
    }

    #[test]
    fn reports_that_are_cut_off_are_refused() {
        for report in ["", "unable to connect", "  50% 1.00us\n 99% 2.00us\n", "5 requests in 1s"] {
            assert!(parse(report).is_err(), "{report:?}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(parse_us("36.00us"), Some(36.0));
        assert_eq!(parse_us("2ms"), Some(2000.0));
        assert_eq!(parse_us("1.00h"), Some(3_600_000_000.0));
        for text in ["", "us", "12", "1.0parsec", "-nanus"] {
            assert!(parse_us(text).is_none_or(f64::is_nan), "{text:?}");
        }
    }
}
