//! One outage from its beginning to the recovery, and what must be true throughout.

use std::time::{Duration, Instant};

use airside_tests::harness::services::Backend;
use airside_tests::harness::{Client, Proxy, Server, Setup, WAIT, poll_until};

use super::load::{Load, Outcome, Work};
use super::{CALL_TIMEOUT, RECOVERY_MAX, SLACK};

/// A way to fail.
pub(super) struct Fault {
    pub(super) begin: fn(&dyn Backend, &Proxy),
    pub(super) end: fn(&dyn Backend, &Proxy),
    /// How long it goes on once it is noticed.
    pub(super) lasts: Duration,
}

/// A kind of back end and how guests use it.
pub(super) struct Subject<'a> {
    /// As errors and the log call it.
    pub(super) name: &'a str,
    pub(super) back_end: &'a dyn Backend,
    pub(super) work: Work,
}

/// Connections that use the back end, and that do not.
const CLIENTS: usize = 8;
const NEIGHBOURS: usize = 2;

/// Airside with `/call` and `/hello`, whose back end is found at the proxy.
pub(super) fn setup(subject: &Subject<'_>, proxy: &Proxy) -> Setup {
    Setup::new()
        .guest("call")
        .guest("hello")
        .set("backend_call_timeout_ms", CALL_TIMEOUT.as_millis())
        .set("backend_connect_timeout_ms", CALL_TIMEOUT.as_millis())
        .set_all(subject.back_end.settings_at(proxy.address()))
}

/// The fault begins, is noticed, goes on, ends, and is over.
#[track_caller]
pub(super) fn survives(subject: &Subject<'_>, fault: &Fault) {
    let proxy = Proxy::before(subject.back_end.daemon().address());
    let server = setup(subject, &proxy).start();
    poll_until("the first connection", WAIT, || is_well(&server, subject.work).then_some(()));
    let load = Load::start(server.address(), CLIENTS, subject.work);
    let neighbours = Load::start(server.address(), NEIGHBOURS, hello);

    (fault.begin)(subject.back_end, &proxy);
    poll_until("the fault's effect", WAIT, || (load.failed() > 0).then_some(()));
    if !fault.lasts.is_zero() {
        poll_until("the truth on /ready", WAIT, || (!is_ready(&server)).then_some(()));
        let noticed = Instant::now();
        poll_until("the fault's end", fault.lasts + WAIT, || {
            assert!(!is_ready(&server), "/ready says that all is well");
            assert_eq!(server.get("/health").status, 200);
            (noticed.elapsed() >= fault.lasts).then_some(())
        });
    }
    (fault.end)(subject.back_end, &proxy);
    poll_until("the recovery", RECOVERY_MAX, || is_well(&server, subject.work).then_some(()));

    let place = format!("{} at {}", subject.name, proxy.address());
    check_calls(&load.stop(), &place);
    check_neighbours(&neighbours.stop());
    check_log(&server, &place);
}

/// Every call ends in time, and says who is to blame.
#[track_caller]
fn check_calls(calls: &[Outcome], place: &str) {
    assert!(calls.iter().any(|call| call.error.is_some()), "no call failed");
    for call in calls {
        assert!(call.took <= CALL_TIMEOUT + SLACK, "{call:?}");
        let names_it = |error: &String| error.contains(place);
        assert!(call.error.as_ref().is_none_or(names_it), "not {place}: {call:?}");
    }
}

/// A function that does not use the back end does not feel it.
#[track_caller]
fn check_neighbours(calls: &[Outcome]) {
    assert!(!calls.is_empty());
    for call in calls {
        assert!(call.error.is_none() && call.took <= SLACK, "{call:?}");
    }
}

/// One line when it goes and one when it comes, however many calls failed.
#[track_caller]
fn check_log(server: &Server, place: &str) {
    let count = |what: &str| {
        let log = server.log();
        log.lines().filter(|line| line.contains(place) && line.contains(what)).count()
    };
    poll_until("the line of the return", WAIT, || (count(" is back after ") > 0).then_some(()));
    assert_eq!((count(" is down: "), count(" is back after ")), (1, 1), "{}", server.log());
}

fn hello(client: &mut Client) -> Result<(), String> {
    let response = client.get("/hello");
    (response.status == 200).then_some(()).ok_or_else(|| response.status_line.clone())
}

pub(super) fn is_ready(server: &Server) -> bool {
    match server.get("/ready").status {
        200 => true,
        503 => false,
        other => panic!("/ready answers {other}"),
    }
}

/// On several connections, so that every shard is likely to have been asked.
fn is_well(server: &Server, work: Work) -> bool {
    is_ready(server) && (0..CLIENTS).all(|_| work(&mut server.client()).is_ok())
}
