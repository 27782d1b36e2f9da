//! What the admin paths answer: health, readiness, metrics, latencies, gauges and the dashboard, as functions from a
//! page and a query to a response. It knows nothing of sockets, and of the shards only their records.

mod dashboard;
mod gauges;

use crate::http::{Offer, negotiate};
use crate::router::AdminPage;
use crate::telemetry::latency::{self, FollowError, Followers, Format};
use crate::telemetry::prometheus::{self, MetricsFormat};
use crate::telemetry::{BackendStatus, Collected};
use dashboard::DASHBOARD;
use std::borrow::Cow;
use std::net::IpAddr;
use tokio::sync::{mpsc, oneshot};

/// Pages that may wait to be rendered. One more is answered 503.
const PAGES_MAX: usize = 64;
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// A client's request for a page.
#[derive(Debug)]
pub struct PageRequest {
    pub page: AdminPage,
    /// The query without its `?`, empty if there is none.
    pub query: String,
    /// The client's Accept fields, empty if there are none.
    pub accept: String,
    /// Asks to change something: to reset the latencies.
    pub is_post: bool,
    /// Who asks: pages under `/debug/` are for loopback addresses.
    pub peer: IpAddr,
}

/// What a shard asks the control thread for.
#[derive(Debug)]
pub struct AdminRequest {
    pub request: PageRequest,
    pub reply: oneshot::Sender<AdminResponse>,
}

/// A shard's way to have a page rendered by the control thread.
#[derive(Debug, Clone)]
pub struct AdminQueue(mpsc::Sender<AdminRequest>);

/// An answer, complete but for what the protocol adds. A HEAD request gets it without the body.
#[derive(Debug)]
pub struct AdminResponse {
    pub status: u16,
    pub content_type: &'static str,
    /// The value of a Content-Security-Policy.
    pub policy: Option<&'static str>,
    pub body: AdminBody,
}

/// A page, or one that goes on.
#[derive(Debug)]
pub enum AdminBody {
    Whole(Cow<'static, [u8]>),
    /// Its parts as they are made; the body ends when the channel does.
    Followed(mpsc::Receiver<String>),
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
    pub async fn page(&self, request: PageRequest) -> Option<AdminResponse> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(AdminRequest { request, reply }).ok()?;
        answer.await.ok()
    }
}

/// Whether a page shows what shards recorded, so that their records are to be collected first.
pub fn shows_records(page: AdminPage) -> bool {
    matches!(page, AdminPage::Metrics | AdminPage::Latency | AdminPage::Gauges)
}

/// Whether a page says what the kernel says of the process. To ask it takes as long as the process has open files.
pub fn shows_process(page: AdminPage) -> bool {
    matches!(page, AdminPage::Metrics | AdminPage::Gauges)
}

/// Whether a page is open to this peer; if not, it answers 403 and nothing has to be collected.
pub fn is_open(page: AdminPage, peer: IpAddr, debug_remote: bool) -> bool {
    let public = matches!(page, AdminPage::Health | AdminPage::Ready | AdminPage::Metrics);
    public || debug_remote || peer.to_canonical().is_loopback()
}

/// The answer to one request.
pub fn answer(
    request: &PageRequest,
    state: &AdminState<'_>,
    collected: &mut Collected,
    followers: &mut Followers,
) -> AdminResponse {
    if !is_open(request.page, request.peer, state.debug_remote) {
        return text(403, "debug pages answer loopback addresses only; debug_remote opens them\n");
    }
    match request.page {
        AdminPage::Health => text(200, "OK\n"),
        AdminPage::Ready => ready(state),
        AdminPage::Metrics => metrics(&request.accept, state, collected),
        AdminPage::Latency if request.is_post => reset(collected),
        AdminPage::Latency => latency(request, collected, &state.extras.backends, followers),
        AdminPage::Gauges => whole(JSON, gauges::render(collected, &state.extras)),
        AdminPage::Dashboard => {
            let policy = Some(DASHBOARD.policy.as_str());
            AdminResponse { policy, ..whole(HTML, DASHBOARD.html.as_str()) }
        }
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

/// A client that accepts none of the formats gets the oldest one, as from Prometheus' own libraries.
fn metrics(accept: &str, state: &AdminState<'_>, collected: &Collected) -> AdminResponse {
    let offers = MetricsFormat::ALL.map(|format| {
        let (media_type, parameters) = format.media_type();
        Offer { media_type, parameters }
    });
    let format = MetricsFormat::ALL[negotiate(accept, &offers).unwrap_or(0)];
    whole(format.content_type(), prometheus::render(collected, &state.extras, format))
}

fn reset(collected: &mut Collected) -> AdminResponse {
    collected.reset();
    let at = humantime::format_rfc3339_millis(collected.date_of(collected.end_ns()));
    text(200, &format!("reset: window=all begins at {at}\n"))
}

fn latency(
    request: &PageRequest,
    collected: &Collected,
    backends: &[BackendStatus],
    followers: &mut Followers,
) -> AdminResponse {
    let Some(format) = latency_format(request) else {
        return text(406, &format!("no such format; formats: {}\n", Format::list()));
    };
    let content_type = format.content_type();
    if format == Format::Hlog {
        match followers.add(collected, &request.query) {
            Ok(None) => {}
            Ok(Some(lines)) => {
                let body = AdminBody::Followed(lines);
                return AdminResponse { status: 200, content_type, policy: None, body };
            }
            Err(FollowError::TooMany) => return text(503, &format!("{}\n", FollowError::TooMany)),
            Err(FollowError::Query(error)) => return text(400, &format!("{error}\n")),
        }
    }
    match latency::render(collected, backends, format, &request.query) {
        Ok(page) => whole(content_type, page),
        Err(error) => text(400, &format!("{error}\n")),
    }
}

/// The format that a client names in the query, else the one that its Accept field prefers.
fn latency_format(request: &PageRequest) -> Option<Format> {
    if let Some(name) = latency::requested_format(&request.query) {
        return Format::named(&name);
    }
    let offers =
        Format::ALL.map(|format| Offer { media_type: format.media_type(), parameters: &[] });
    negotiate(&request.accept, &offers).map(|index| Format::ALL[index])
}

fn text(status: u16, body: &str) -> AdminResponse {
    AdminResponse { status, ..whole(TEXT, body) }
}

fn whole(content_type: &'static str, body: impl Into<Vec<u8>>) -> AdminResponse {
    let body = AdminBody::Whole(Cow::Owned(body.into()));
    AdminResponse { status: 200, content_type, policy: None, body }
}

#[cfg(test)]
mod tests;
