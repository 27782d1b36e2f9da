//! Back ends that fail under load, one after the other and in each way, on one shard that also serves a function without
//! a back end.
//!
//! How to read the table: 16 callers call a function that makes one host call, while oha asks the trivial function of the
//! same shard at a fixed rate in an open loop. `longest call` is the most that any caller waited, `errors` how many were
//! told so, `unanswered` how many got nothing, which must be none. `recovery` is the time from the back end's return, for
//! `reset` from the fault, to the last error that a caller saw; `ready` the time until `/ready` was 200 again. `neighbour
//! p99` is the trivial function's during the fault, and `x before` divides it by that of an equal time before it. The
//! slow back end answers 50 ms late, which is no fault: nothing may fail.

use std::time::{Duration, Instant};

use airside_tests::harness::services::Backend;
use airside_tests::harness::{Proxy, Traffic};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::json;

use super::calls::start_airside;
use crate::callers::{Callers, Seen};
use crate::calls::{Call, Place};
use crate::client;
use crate::machine::Stage;
use crate::oha::{Oha, OpenLoop};
use crate::peers::{Server, plain};
use crate::report::{Bar, Report};
use crate::rows;
use crate::table::{Table, fixed, whole};

const CALLERS: u32 = 16;
const NEIGHBOUR: OpenLoop = OpenLoop { connections: 8, requests_per_s: 2_000 };
/// The neighbour is watched as long before the fault as during it.
const BEFORE: Duration = Duration::from_secs(5);
const DOWN: Duration = Duration::from_secs(3);
const FROZEN: Duration = Duration::from_secs(10);
const SLOW: Duration = Duration::from_millis(50);
/// Watched after the back end's return.
const AFTER: Duration = Duration::from_secs(6);
const READY_MAX: Duration = Duration::from_secs(30);
/// What a host call may take, and what a caller may wait for more than that on a busy machine.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_SLACK: Duration = Duration::from_secs(1);
const RECOVERY_MAX_S: f64 = 5.0;
const NEIGHBOUR_X_MAX: f64 = 1.5;

#[derive(clap::Args)]
pub struct Options {
    /// Calls whose back ends are to fail. Of Redis a set, since it comes back empty: a get would find nothing.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CALL,..")]
    #[arg(default_value = "redis-set,cassandra-get,nats-get,postgres-select,mysql-select,http")]
    calls: Vec<Call>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Fault {
    Killed,
    Frozen,
    Reset,
    Slow,
}

impl Fault {
    const ALL: [Fault; 4] = [Fault::Killed, Fault::Frozen, Fault::Reset, Fault::Slow];

    fn name(self) -> &'static str {
        match self {
            Fault::Killed => "killed, started again",
            Fault::Frozen => "frozen for 10 s",
            Fault::Reset => "connections reset",
            Fault::Slow => "answers 50 ms late",
        }
    }

    fn lasts(self) -> Duration {
        match self {
            Fault::Killed => DOWN,
            Fault::Frozen => FROZEN,
            Fault::Reset => Duration::ZERO,
            Fault::Slow => DOWN,
        }
    }

    fn begin(self, backend: &dyn Backend, proxy: &Proxy) {
        match self {
            Fault::Killed => backend.daemon().kill(),
            Fault::Frozen => backend.daemon().freeze(),
            Fault::Reset => proxy.reset(),
            Fault::Slow => proxy.set(Traffic::Slow(SLOW)),
        }
    }

    fn end(self, backend: &dyn Backend, proxy: &Proxy) {
        match self {
            Fault::Killed => backend.daemon().restart(),
            Fault::Frozen => backend.daemon().thaw(),
            Fault::Reset => {}
            Fault::Slow => proxy.set(Traffic::Flows),
        }
    }
}

#[derive(Serialize)]
struct Row {
    call: Call,
    fault: Fault,
    answered: u64,
    errors: u64,
    unanswered: u64,
    longest_s: f64,
    recovery_s: f64,
    ready_s: f64,
    neighbour_p99_us: f64,
    neighbour_x: f64,
    neighbour_errors: u64,
}

pub fn run(stage: &Stage, options: &Options) -> Result<Report> {
    let oha = Oha::find()?.context("oha is not on the PATH: run `cargo install --locked oha`")?;
    let mut rows = Vec::new();
    for &call in &options.calls {
        for fault in Fault::ALL {
            let what = || format!("{}: {}", call.name(), fault.name());
            eprintln!("{}", what());
            rows.push(fail(stage, &oha, call, fault).with_context(what)?);
        }
    }
    Ok(Report {
        scenario: "outages",
        table: table(&rows),
        notes: vec![format!(
            "{CALLERS} callers; the trivial function at {} requests/s",
            whole(NEIGHBOUR.requests_per_s as f64)
        )],
        bars: bars(&rows),
        rows: rows.iter().map(Row::comparable).collect(),
        plots: Vec::new(),
        samples: json!(rows),
    })
}

impl Row {
    fn comparable(&self) -> rows::Row {
        rows::Row::new(format!("{}, {}", self.call.name(), self.fault.name()))
            .lower("longest call s", [self.longest_s])
            .lower("recovery s", [self.recovery_s])
            .lower("ready s", [self.ready_s])
            .lower("neighbour p99 us", [self.neighbour_p99_us])
    }
}

/// One back end, one fault, on fresh servers.
fn fail(stage: &Stage, oha: &Oha, call: Call, fault: Fault) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let backend = call.start_backend().context("nothing can fail behind this call")?;
    let proxy = Proxy::before(backend.daemon().address());
    let place = Place { backend: Some(&*backend), address: Some(proxy.address()) };
    // It makes the table that the call reads, and is needed no more.
    drop(plain::start(stage, call, &Place { address: None, ..place }, folder.path())?);
    let server = start_airside(stage, call, &place, &folder)?;

    let callers = Callers::start(server.address, "/call", CALLERS);
    let before = neighbour(stage, oha, &server, BEFORE)?;
    let watched = fault.lasts() + AFTER;
    let (during, returned, ready) = std::thread::scope(|scope| {
        let during = scope.spawn(|| neighbour(stage, oha, &server, watched));
        fault.begin(&*backend, &proxy);
        std::thread::sleep(fault.lasts());
        fault.end(&*backend, &proxy);
        let returned = Instant::now();
        let ready = wait_until_ready(&server);
        let during = during.join().ok().context("the neighbour's load panicked")?;
        anyhow::Ok((during?, returned, ready?.saturating_duration_since(returned)))
    })?;
    let Seen { answered, errors, unanswered, longest, last_error } = callers.stop();
    let recovery = last_error.map_or(Duration::ZERO, |at| at.saturating_duration_since(returned));
    Ok(Row {
        call,
        fault,
        answered,
        errors,
        unanswered,
        longest_s: longest.as_secs_f64(),
        recovery_s: recovery.as_secs_f64(),
        ready_s: ready.as_secs_f64(),
        neighbour_p99_us: during.p99_us,
        neighbour_x: during.p99_us / before.p99_us,
        neighbour_errors: during.errors,
    })
}

struct Neighbour {
    p99_us: f64,
    errors: u64,
}

fn neighbour(stage: &Stage, oha: &Oha, server: &Server, time: Duration) -> Result<Neighbour> {
    let outcome = oha.run_open(stage, &server.url_of("/hello"), NEIGHBOUR, time)?;
    let p99_us = outcome.spectrum.at(99.0).context("the trivial function answered nothing")?;
    Ok(Neighbour { p99_us, errors: outcome.errors })
}

fn wait_until_ready(server: &Server) -> Result<Instant> {
    let deadline = Instant::now() + READY_MAX;
    while client::get(server.address, "/ready")?.status != 200 {
        ensure!(Instant::now() < deadline, "/ready is not 200 {} s later", READY_MAX.as_secs());
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(Instant::now())
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "call",
        "fault",
        "answered",
        "errors",
        "unanswered",
        "longest call s",
        "recovery s",
        "ready s",
        "neighbour p99 us",
        "x before",
        "neighbour errors",
    ]);
    for row in rows {
        table.push([
            row.call.name(),
            row.fault.name().to_owned(),
            whole(row.answered as f64),
            whole(row.errors as f64),
            row.unanswered.to_string(),
            fixed(2)(row.longest_s),
            fixed(2)(row.recovery_s),
            fixed(2)(row.ready_s),
            whole(row.neighbour_p99_us),
            fixed(2)(row.neighbour_x),
            row.neighbour_errors.to_string(),
        ]);
    }
    table
}

fn bars(rows: &[Row]) -> Vec<Bar> {
    let most = |value: fn(&Row) -> f64| rows.iter().map(value).fold(0.0, f64::max);
    let call_max = (CALL_TIMEOUT + CALL_SLACK).as_secs_f64();
    let slow = rows.iter().filter(|row| row.fault == Fault::Slow);
    vec![
        Bar::at_most("longest call, s", most(|row| row.longest_s), call_max),
        Bar::at_most("recovery, s", most(|row| row.recovery_s), RECOVERY_MAX_S),
        Bar::at_most("/ready again, s", most(|row| row.ready_s), RECOVERY_MAX_S),
        Bar::at_most(
            "p99 of the neighbour, x before",
            most(|row| row.neighbour_x),
            NEIGHBOUR_X_MAX,
        ),
        Bar::none("callers without an answer", rows.iter().map(|row| row.unanswered).sum()),
        Bar::none("errors of the neighbour", rows.iter().map(|row| row.neighbour_errors).sum()),
        Bar::none("errors because of slow answers", slow.map(|row| row.errors).sum()),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Fault, Row, bars, table};
    use crate::calls::Call;

    fn row(fault: Fault, errors: u64, longest_s: f64) -> Row {
        Row {
            call: Call::RedisGet,
            fault,
            answered: 1000,
            errors,
            unanswered: 0,
            longest_s,
            recovery_s: 0.5,
            ready_s: 0.4,
            neighbour_p99_us: 300.0,
            neighbour_x: 1.1,
            neighbour_errors: 0,
        }
    }

    #[test]
    fn the_worst_row_decides() {
        let missed = |rows: &[Row]| {
            bars(rows).iter().filter(|bar| format!("{bar:?}").contains("met: false")).count()
        };
        let fine = [row(Fault::Frozen, 50, 5.1), row(Fault::Slow, 0, 0.1)];
        assert_eq!(missed(&fine), 0);
        let slow = [row(Fault::Frozen, 50, 6.2), row(Fault::Slow, 1, 0.1)];
        assert_eq!(missed(&slow), 2);
        assert!(table(&slow).to_string().contains("6.20"));
    }
}
