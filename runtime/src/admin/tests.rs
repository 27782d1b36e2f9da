//! Pages, who may see them, and in which format.

use super::{AdminBody, AdminState, PageRequest, answer};
use crate::router::AdminPage;
use crate::telemetry::latency::Followers;
use crate::telemetry::prometheus::Extras;
use crate::telemetry::{Collected, Labels};
use std::sync::Arc;

/// A response whose body is there.
struct Whole {
    status: u16,
    content_type: &'static str,
    body: String,
}

fn state() -> AdminState<'static> {
    AdminState {
        maintenance: false,
        failing: Vec::new(),
        debug_remote: false,
        extras: Extras::default(),
    }
}

fn request(page: AdminPage, query: &str) -> PageRequest {
    PageRequest {
        page,
        query: query.to_owned(),
        accept: String::new(),
        is_post: false,
        peer: "127.0.0.1".parse().unwrap(),
    }
}

fn ask(request: &PageRequest, state: &AdminState<'_>) -> Whole {
    let mut collected = Collected::new(Arc::new(Labels::default()), 1);
    let response = answer(request, state, &mut collected, &mut Followers::default());
    let AdminBody::Whole(body) = response.body else { panic!("{response:?}") };
    let body = String::from_utf8_lossy(&body).into_owned();
    Whole { status: response.status, content_type: response.content_type, body }
}

#[track_caller]
fn check(page: AdminPage, query: &str, state: &AdminState<'_>, status: u16, begin: &str) {
    let response = ask(&request(page, query), state);
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
    check(AdminPage::Latency, "window=1s&format=json", &state(), 200, "{");
    check(AdminPage::Latency, "by=capability", &state(), 200, "window");
    check(AdminPage::Latency, "by=moon", &state(), 400, "by: \"moon\" is not known");
    check(AdminPage::Latency, "x=1&format=json", &state(), 400, "x: no such parameter");
    check(AdminPage::Latency, "format=hlog&window=x", &state(), 400, "window: \"x\" is not known");
    check(
        AdminPage::Latency,
        "format=xml",
        &state(),
        406,
        "no such format; formats: text (text/plain), json (application/json), csv",
    );
    check(AdminPage::Latency, "format=", &state(), 406, "no such format");
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
    let check = |page, peer: &str, debug_remote, status| {
        for is_post in [false, true] {
            let peer = peer.parse().unwrap();
            let request = PageRequest { is_post, peer, ..request(page, "") };
            let response = ask(&request, &AdminState { debug_remote, ..state() });
            assert_eq!(response.status, status, "{request:?}");
        }
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
fn clients_choose_the_format() {
    let check = |page, query: &str, accept: &str, status: u16, content_type: &str| {
        let request = PageRequest { accept: accept.to_owned(), ..request(page, query) };
        let response = ask(&request, &state());
        assert_eq!((response.status, response.content_type), (status, content_type), "{request:?}");
    };
    const TEXT: &str = "text/plain; charset=utf-8";
    const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const PROTOBUF: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    check(AdminPage::Latency, "", "", 200, TEXT);
    check(AdminPage::Latency, "format=json", "text/csv", 200, "application/json");
    check(AdminPage::Latency, "", "application/json", 200, "application/json");
    check(AdminPage::Latency, "", "text/html,*/*;q=0.1", 200, TEXT);
    check(
        AdminPage::Latency,
        "",
        "text/csv;q=0.5, text/plain;q=0.4",
        200,
        "text/csv; charset=utf-8; header=present",
    );
    check(AdminPage::Latency, "format=hgrm", "", 200, "text/x-hgrm; charset=utf-8");
    check(AdminPage::Latency, "", "text/x-hlog", 200, "text/x-hlog; charset=utf-8");
    check(AdminPage::Latency, "", "image/png", 406, TEXT);
    check(AdminPage::Metrics, "", "", 200, METRICS);
    check(AdminPage::Metrics, "", "image/png", 200, METRICS);
    check(
        AdminPage::Metrics,
        "",
        "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
        200,
        OPEN_METRICS,
    );
    check(
        AdminPage::Metrics,
        "",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,*/*;q=0.1",
        200,
        PROTOBUF,
    );
}
