//! What the admin paths answer: health, readiness, metrics and the latency page, as functions from a
//! page and a query to a response. It knows nothing of sockets, and of the shards only their records.

use crate::router::AdminPage;
use crate::telemetry::latency::{self, Format};
use crate::telemetry::{BackendStatus, Collected, prometheus};
use std::net::IpAddr;
use tokio::sync::{mpsc, oneshot};

/// Pages that may wait to be rendered. One more is answered 503.
const PAGES_MAX: usize = 64;
const TEXT: &str = "text/plain; charset=utf-8";

/// What a shard asks the control thread for.
#[derive(Debug)]
pub struct AdminRequest {
    pub page: AdminPage,
    /// The query without its `?`, empty if there is none.
    pub query: String,
    /// Who asks: pages under `/debug/` are for loopback addresses.
    pub peer: IpAddr,
    pub reply: oneshot::Sender<AdminResponse>,
}

/// A shard's way to have a page rendered by the control thread.
#[derive(Debug, Clone)]
pub struct AdminQueue(mpsc::Sender<AdminRequest>);

/// An answer, complete but for what the protocol adds. A HEAD request gets it without the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminResponse {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

/// What the pages depend on besides the telemetry.
#[derive(Debug)]
pub struct AdminState<'s> {
    /// Maintenance mode: alive, but not ready.
    pub maintenance: bool,
    /// What functions cannot reach now, each with the reason, of which nothing is secret.
    pub failing: Vec<String>,
    /// Whether `/debug/*` answers peers that are not loopback addresses.
    pub debug_remote: bool,
    /// What the metrics page shows besides the telemetry.
    pub extras: prometheus::Extras<'s>,
}

/// The queue of pages: its two ends exist before the threads do.
pub fn queue() -> (AdminQueue, mpsc::Receiver<AdminRequest>) {
    let (sender, receiver) = mpsc::channel(PAGES_MAX);
    (AdminQueue(sender), receiver)
}

impl AdminQueue {
    /// Has a page rendered. `None` when too many wait already, or when the server is ending.
    pub async fn page(
        &self,
        page: AdminPage,
        query: String,
        peer: IpAddr,
    ) -> Option<AdminResponse> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(AdminRequest { page, query, peer, reply }).ok()?;
        answer.await.ok()
    }
}

/// Whether a page shows what shards recorded, so that their records are to be collected first.
pub fn shows_records(page: AdminPage) -> bool {
    matches!(page, AdminPage::Metrics | AdminPage::Latency)
}

/// Whether a page is open to this peer; if not, it answers 403 and nothing has to be collected.
pub fn is_open(page: AdminPage, peer: IpAddr, debug_remote: bool) -> bool {
    let debug = matches!(page, AdminPage::Latency | AdminPage::Pprof);
    !debug || debug_remote || peer.to_canonical().is_loopback()
}

/// The answer to one request.
pub fn answer(
    page: AdminPage,
    query: &str,
    peer: IpAddr,
    state: &AdminState<'_>,
    collected: &Collected,
) -> AdminResponse {
    if !is_open(page, peer, state.debug_remote) {
        return text(403, "debug pages answer loopback addresses only; debug_remote opens them\n");
    }
    match page {
        AdminPage::Health => text(200, "OK\n"),
        AdminPage::Ready => ready(state),
        AdminPage::Metrics => AdminResponse {
            status: 200,
            content_type: prometheus::CONTENT_TYPE,
            body: prometheus::render(collected, &state.extras),
        },
        AdminPage::Latency => latency(query, collected, &state.extras.backends),
        AdminPage::Pprof => text(403, "profiling is not enabled\n"),
    }
}

fn ready(state: &AdminState<'_>) -> AdminResponse {
    if state.maintenance {
        return text(503, "maintenance mode\n");
    }
    if state.failing.is_empty() {
        return text(200, "OK\n");
    }
    text(503, &(state.failing.join("\n") + "\n"))
}

fn latency(query: &str, collected: &Collected, backends: &[BackendStatus]) -> AdminResponse {
    let Some(format) = Format::named(parameter(query, "format").unwrap_or("text")) else {
        return text(406, &format!("unknown format; formats: {}\n", Format::NAMES.join(", ")));
    };
    let body = match parameter(query, "by") {
        None | Some("route") => latency::render(collected, format),
        Some("capability") => latency::render_capabilities(collected, backends, format),
        Some(_) => return text(400, "unknown split; by: route, capability\n"),
    };
    AdminResponse { status: 200, content_type: format.content_type(), body }
}

/// The first value of a parameter. The values known here need no percent-escapes.
fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

fn text(status: u16, body: &str) -> AdminResponse {
    AdminResponse { status, content_type: TEXT, body: body.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{AdminResponse, AdminState, answer, parameter};
    use crate::router::AdminPage;
    use crate::telemetry::prometheus::Extras;
    use crate::telemetry::{Collected, Labels};
    use std::sync::Arc;

    fn state() -> AdminState<'static> {
        AdminState {
            maintenance: false,
            failing: Vec::new(),
            debug_remote: false,
            extras: Extras::default(),
        }
    }

    fn ask(page: AdminPage, query: &str, peer: &str, state: &AdminState<'_>) -> AdminResponse {
        let collected = Collected::new(Arc::new(Labels::default()), 1);
        answer(page, query, peer.parse().unwrap(), state, &collected)
    }

    #[track_caller]
    fn check(page: AdminPage, query: &str, state: &AdminState<'_>, status: u16, begin: &str) {
        let response = ask(page, query, "127.0.0.1", state);
        assert_eq!(response.status, status);
        assert!(response.body.starts_with(begin), "{}", response.body);
    }

    #[test]
    fn pages_answer() {
        check(AdminPage::Health, "", &state(), 200, "OK");
        check(AdminPage::Ready, "", &state(), 200, "OK");
        check(AdminPage::Metrics, "", &state(), 200, "# HELP");
        check(AdminPage::Pprof, "", &state(), 403, "profiling");
        check(AdminPage::Latency, "", &state(), 200, "window");
        check(AdminPage::Latency, "format=text", &state(), 200, "window");
        check(AdminPage::Latency, "x=1&format=json", &state(), 200, "{");
        check(AdminPage::Latency, "by=route", &state(), 200, "window");
        check(AdminPage::Latency, "by=capability", &state(), 200, "window");
        check(AdminPage::Latency, "by=capability&format=json", &state(), 200, "{");
        check(AdminPage::Latency, "by=moon", &state(), 400, "unknown split; by: route, capability");
        check(
            AdminPage::Latency,
            "format=xml",
            &state(),
            406,
            "unknown format; formats: text, json",
        );
        check(AdminPage::Latency, "format=", &state(), 406, "unknown format");
    }

    #[test]
    fn readiness_says_why_not() {
        let maintenance = AdminState { maintenance: true, ..state() };
        check(AdminPage::Ready, "", &maintenance, 503, "maintenance mode");
        check(AdminPage::Health, "", &maintenance, 200, "OK");
        let failing = vec!["redis at a:1: no route".to_owned(), "mysql at b:2: frozen".to_owned()];
        let down = AdminState { failing, ..state() };
        check(AdminPage::Ready, "", &down, 503, "redis at a:1: no route\nmysql at b:2: frozen\n");
    }

    #[test]
    fn debug_pages_are_for_loopback_peers() {
        let check = |page, peer, debug_remote, status| {
            let response = ask(page, "", peer, &AdminState { debug_remote, ..state() });
            assert_eq!(response.status, status, "{page:?} for {peer}");
        };
        check(AdminPage::Latency, "127.9.9.9", false, 200);
        check(AdminPage::Latency, "::1", false, 200);
        check(AdminPage::Latency, "::ffff:127.0.0.1", false, 200);
        check(AdminPage::Latency, "10.0.0.1", false, 403);
        check(AdminPage::Latency, "::ffff:10.0.0.1", false, 403);
        check(AdminPage::Latency, "2001:db8::1", true, 200);
        check(AdminPage::Metrics, "10.0.0.1", false, 200);
        check(AdminPage::Health, "10.0.0.1", false, 200);
        check(AdminPage::Pprof, "10.0.0.1", true, 403);
    }

    #[test]
    fn content_types_are_those_of_the_formats() {
        let check = |page, query, expected| {
            assert_eq!(ask(page, query, "::1", &state()).content_type, expected);
        };
        check(AdminPage::Metrics, "", "text/plain; version=0.0.4; charset=utf-8");
        check(AdminPage::Latency, "", "text/plain; charset=utf-8");
        check(AdminPage::Latency, "format=json", "application/json");
    }

    #[test]
    fn parameters_are_found_by_name() {
        assert_eq!(parameter("a=1&format=json&format=text", "format"), Some("json"));
        assert_eq!(parameter("formats=json", "format"), None);
        assert_eq!(parameter("", "format"), None);
    }
}
