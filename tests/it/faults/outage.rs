//! One outage from its beginning to the recovery, and what must be true throughout.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use airside_tests::harness::services::Backend;
use airside_tests::harness::{Client, Proxy, Server, Setup, WAIT, file_descriptors, poll_until};

use super::kinds::Fault;
use super::load::{Load, Outcome, Work};
use super::{CALL_TIMEOUT, RECOVERY_MAX, SLACK};

/// A kind of back end and how guests use it.
pub(super) struct Subject<'a> {
    pub(super) back_end: &'a dyn Backend,
    /// What errors say before its address: `redis at `.
    pub(super) called: &'a str,
    /// Whether `/ready` and the log tell of it. Those that guests call by HTTP are anybody's.
    pub(super) has_health: bool,
    pub(super) work: Work,
}

/// Connections that use the back end, and that do not.
const CLIENTS: usize = 8;
const NEIGHBOURS: usize = 2;

/// Connections to the back end that are opened when calls come at once, and stay. Every outage has hundreds of calls and many
/// attempts to connect: a leak is more.
const KEPT_MAX: usize = CLIENTS;

/// Airside with `/call` and `/hello`, whose back end is found at the proxy.
pub(super) fn setup(subject: &Subject<'_>, proxy: &Proxy) -> Setup {
    Setup::new()
        .guest("call")
        .guest("hello")
        .set("backend_call_timeout_ms", CALL_TIMEOUT.as_millis())
        .set("http_client_timeout_ms", CALL_TIMEOUT.as_millis())
        .set_all(subject.back_end.settings_at(proxy.address()))
}

/// One server of airside's and one back end live through several faults, one after the other.
#[track_caller]
pub(super) fn survives(subject: &Subject<'_>, faults: &[Fault]) {
    let proxy = Proxy::before(subject.back_end.daemon().address());
    let server = setup(subject, &proxy).start();
    let outage = Outage { subject, proxy: &proxy, server: &server };
    poll_until("the first connection", WAIT, || outage.is_well().then_some(()));
    let before = file_descriptors(server.pid());
    for fault in faults {
        outage.run(fault);
    }
    poll_until("the end of what the outages have left open", WAIT, || {
        (file_descriptors(server.pid()) <= before + KEPT_MAX).then_some(())
    });
}

struct Outage<'a> {
    subject: &'a Subject<'a>,
    proxy: &'a Proxy,
    server: &'a Server,
}

impl Outage<'_> {
    /// The fault begins, is noticed, goes on, ends, and is over.
    #[track_caller]
    fn run(&self, fault: &Fault) {
        eprintln!("{}{}: {}", self.subject.called, self.proxy.address(), fault.name);
        let log_before = self.server.log().len();
        let address = self.server.address();
        let load = Load::start(address, CLIENTS, self.proxy.address(), self.subject.work);
        let neighbours = Load::start(address, NEIGHBOURS, self.proxy.address(), hello);

        (fault.begin)(self.subject.back_end, self.proxy);
        poll_until("the fault's effect", WAIT, || (load.failed() > 0).then_some(()));
        if !fault.lasts.is_zero() {
            self.goes_on(fault.lasts);
        }
        (fault.end)(self.subject.back_end, self.proxy);
        poll_until("the recovery", RECOVERY_MAX, || self.is_well().then_some(()));

        self.check_calls(&load.stop());
        check_neighbours(&neighbours.stop());
        self.check_log(log_before, fault);
    }

    /// `/ready` tells the truth and `/health` of the process alone.
    #[track_caller]
    fn goes_on(&self, lasts: Duration) {
        let truth = !self.subject.has_health;
        poll_until("the truth on /ready", WAIT, || (is_ready(self.server) == truth).then_some(()));
        let noticed = Instant::now();
        poll_until("the fault's end", lasts + WAIT, || {
            assert_eq!(is_ready(self.server), truth);
            assert_eq!(self.server.get("/health").status, 200);
            (noticed.elapsed() >= lasts).then_some(())
        });
    }

    /// On several connections, so that every shard is likely to have been asked.
    fn is_well(&self) -> bool {
        let works = |_| (self.subject.work)(&mut self.server.client(), self.proxy.address());
        is_ready(self.server) && (0..CLIENTS).map(works).all(|result| result.is_ok())
    }

    fn place(&self) -> String {
        format!("{}{}", self.subject.called, self.proxy.address())
    }

    /// Every call ends in time, and says who is to blame.
    #[track_caller]
    fn check_calls(&self, calls: &[Outcome]) {
        let place = self.place();
        assert!(calls.iter().any(|call| call.error.is_some()), "no call failed");
        for call in calls {
            assert!(call.took <= CALL_TIMEOUT + SLACK, "{call:?}");
            let names_it = |error: &String| error.contains(&place);
            assert!(call.error.as_ref().is_none_or(names_it), "not {place}: {call:?}");
        }
    }

    /// One line when it goes and one when it comes, however many calls failed. None if connections were lost and replaced
    /// at once.
    #[track_caller]
    fn check_log(&self, before: usize, fault: &Fault) {
        let place = self.place();
        let log = || self.server.log()[before..].to_owned();
        let count = |what: &str| {
            let is_told = |line: &&str| line.contains(&place) && line.contains(what);
            log().lines().filter(is_told).count()
        };
        let gone = || count(" is down: ");
        let least = usize::from(self.subject.has_health && !fault.lasts.is_zero());
        let most = usize::from(self.subject.has_health);
        poll_until("the line of the return", WAIT, || {
            (count(" is back after ") == gone()).then_some(())
        });
        assert!((least..=most).contains(&gone()), "{}", log());
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

fn hello(client: &mut Client, _: SocketAddr) -> Result<(), String> {
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
