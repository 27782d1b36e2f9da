//! Runs wrk (closed loop) on the load's core and reads its report.
//!
//! Latencies are what a script prints at the end, since the report stops at p99.

mod correction;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::machine::Stage;
use crate::process::{DeathSignal, Process};
use crate::spectrum::{PERCENTILES, Spectrum};

/// wrk counts an answer that takes longer as an error.
const TIMEOUT_S: u64 = 10;
/// wrk finds each bin of its histogram by a walk from the first: so many steps take some seconds.
/// With more, after a long stall, there are no percentiles.
const BIN_STEPS_MAX: u64 = 10_000_000_000;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Answers of any status. Requests under way when wrk ends are in no count: at most one per
    /// connection.
    pub requests: u64,
    pub seconds: f64,
    pub spectrum: Spectrum,
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

#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Of all threads together.
    pub connections: u32,
    pub time: Duration,
    pub requests: Requests,
    /// Each has its part of the connections. With several servers each thread is for one of them, in turn.
    pub threads: u32,
}

impl Load {
    /// Load before the measured time: caches, branch predictors, instance pools.
    pub const WARM_UP: Duration = Duration::from_secs(1);

    pub fn get(connections: u32, time: Duration) -> Load {
        Load { connections, time, requests: Requests::Get, threads: 1 }
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
    /// With this body.
    PostText(&'static str),
}

impl Requests {
    /// What wrk sends instead of a GET, and how it says its latencies.
    fn script(self, connections: u32) -> String {
        let sends = match self {
            Requests::Get => String::new(),
            Requests::Pipelined { depth } => format!(
                "init = function() batch = string.rep(wrk.format(), {depth}) end\n\
                 request = function() return batch end\n"
            ),
            Requests::Closing => String::from("wrk.headers['Connection'] = 'close'\n"),
            // Lua takes off a line feed right behind the opening bracket.
            Requests::PostText(text) => {
                format!("wrk.method = 'POST'\nwrk.body = [==[\n{text}]==]\n")
            }
            Requests::Post { bytes } => {
                format!("wrk.method = 'POST'\nwrk.body = string.rep('x', {bytes})\n")
            }
        };
        let says = match self {
            Requests::Pipelined { .. } => say_bins(connections),
            _ => say_percentiles(),
        };
        format!("{sends}function done(summary, latency)\n{says}end\n")
    }
}

fn say_percentiles() -> String {
    let percentiles = PERCENTILES.map(|percentile| percentile.to_string()).join(", ");
    format!(
        "for _, p in ipairs({{{percentiles}}}) do\n\
         io.write(string.format('percentile %g %d\\n', p, latency:percentile(p)))\n\
         end\n"
    )
}

/// All bins and the interval with which wrk made some of what is in them.
fn say_bins(connections: u32) -> String {
    format!(
        "local each = math.floor(summary.requests / {connections})\n\
         if each == 0 or #latency * latency.max > {BIN_STEPS_MAX} then return end\n\
         io.write(string.format('interval %d\\n', math.floor(summary.duration / each)))\n\
         for i = 1, #latency do io.write(string.format('bin %d %d\\n', latency(i))) end\n"
    )
}

/// Gives each thread one of these servers; without it all have the first.
fn say_servers(addresses: &[SocketAddr]) -> String {
    let lookup = |at: &SocketAddr| format!("wrk.lookup('{}', '{}')[1]", at.ip(), at.port());
    let all = addresses.iter().map(lookup).collect::<Vec<_>>().join(", ");
    let count = addresses.len();
    format!(
        "local turn = 0\n\
         function setup(thread)\n\
         thread.addr = ({{{all}}})[turn % {count} + 1]\n\
         turn = turn + 1\n\
         end\n"
    )
}

/// A wrk that is under way.
pub struct Running {
    process: Process,
    /// Read when wrk starts and once more by its thread.
    _script: NamedTempFile,
}

pub fn start(stage: &Stage, url: &str, connections: u32, time: Duration) -> Result<Running> {
    launch(stage, url, &[], Load::get(connections, time))
}

pub fn run(stage: &Stage, url: &str, connections: u32, time: Duration) -> Result<Outcome> {
    start(stage, url, connections, time)?.finish()
}

/// Sends this load to `target` of these servers until the time is over.
pub fn send(stage: &Stage, addresses: &[SocketAddr], target: &str, load: Load) -> Result<Outcome> {
    let first = addresses.first().context("a load for nobody")?;
    launch(stage, &format!("http://{first}{target}"), addresses, load)?.finish()
}

fn launch(stage: &Stage, url: &str, addresses: &[SocketAddr], load: Load) -> Result<Running> {
    let Load { connections, time, requests, threads } = load;
    let servers = if addresses.len() > 1 { say_servers(addresses) } else { String::new() };
    let mut script = NamedTempFile::with_suffix(".lua").context("make a script for wrk")?;
    script.write_all((servers + &requests.script(connections)).as_bytes())?;
    let seconds = time.as_secs().max(1);
    let mut command = Command::new("wrk");
    command
        .arg("--script")
        .arg(script.path())
        .args(["--threads", &threads.to_string(), "--connections", &connections.to_string()])
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

impl Running {
    pub fn finish(self) -> Result<Outcome> {
        let ended = self.process.finish()?;
        let (stdout, stderr) = (ended.stdout, ended.stderr);
        ensure!(ended.status.success(), "wrk failed: {}{}", stdout.trim(), stderr.trim());
        parse(&stdout).with_context(|| format!("wrk printed something unexpected:\n{stdout}"))
    }
}

/// Reads the report line by line, each known by its words, so that order, padding and lines that
/// appear only sometimes do not matter.
fn parse(report: &str) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut total_seen = false;
    let mut percentiles = Vec::new();
    let (mut bins, mut interval) = (BTreeMap::new(), None);
    for line in report.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [requests, "requests", "in", time, ..] => {
                outcome.requests = requests.parse().context("requests")?;
                outcome.seconds = parse_us(time.trim_end_matches(',')).context("time")? / 1e6;
                total_seen = true;
            }
            ["percentile", percentile, us] => {
                percentiles.push((percentile.parse().context("percentile")?, us.parse()?));
            }
            ["interval", us] => interval = Some(us.parse().context("interval")?),
            ["bin", us, count] => {
                bins.insert(us.parse().context("bin")?, count.parse().context("bin")?);
            }
            ["Socket", "errors:", ..] => outcome.socket_errors = sum_numbers(&words),
            ["Non-2xx", ..] => outcome.bad_statuses = sum_numbers(&words),
            _ => {}
        }
    }
    ensure!(total_seen, "no line `N requests in T`");
    outcome.spectrum = match interval {
        Some(interval) => Spectrum::of_bins(&correction::undo(bins, interval)),
        None => Spectrum::new(percentiles),
    };
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
    use crate::spectrum::Spectrum;

    const CLEAN: &str = "\
Running 5s test @ http://127.0.0.1:8080/hello
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   299.60us   60.11us   2.62ms   90.01%
    Req/Sec   212.31k     9.05k  226.05k    78.00%
  1056213 requests in 5.00s, 150.10MB read
Requests/sec: 211211.73
Transfer/sec:     30.02MB
percentile 50 288
percentile 99.9 1050
";

    const FAILING: &str = "\
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
            spectrum: Spectrum::new([(50.0, 288.0), (99.9, 1050.0)]),
            ..Outcome::default()
        };
        assert_eq!(parse(CLEAN).unwrap(), clean);
        let failing =
            Outcome { requests: 37, bad_statuses: 36, socket_errors: 10, ..Outcome::default() };
        let parsed = parse(FAILING).unwrap();
        assert!((parsed.seconds - 66.0).abs() < 1e-6);
        assert_eq!(Outcome { seconds: 0.0, ..parsed }, failing);
    }

    #[test]
    fn reports_that_are_cut_off_are_refused() {
        for report in ["", "unable to connect", "5 requests in 1", "bin 1 2\n 5 requests in 1xs"] {
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
