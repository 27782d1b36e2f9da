//! The formats, how a client asks for one, and what it is told when it cannot have what it asks for.

use airside_tests::harness::{Response, Server, Setup};
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use super::decoded;

const REQUESTS: u64 = 25;

fn server() -> Server {
    let server = Setup::new().guest("hello").start();
    let mut client = server.client();
    (0..REQUESTS).for_each(|_| assert_eq!(client.get("/hello").status, 200));
    server
}

fn get(server: &Server, query: &str, accept: &str) -> Response {
    let mut client = server.client();
    client.send(format!(
        "GET /debug/latency?{query} HTTP/1.1\r\nHost: test\r\nAccept: {accept}\r\n\r\n"
    ));
    client.receive()
}

#[test]
fn a_format_is_chosen_by_name_or_by_type() {
    let server = server();
    let check = |query: &str, accept: &str, status: u16, content_type: &str| {
        let response = get(&server, query, accept);
        let found = (response.status, response.header("content-type").unwrap());
        assert_eq!(found, (status, content_type), "{query} {accept}");
    };
    const TEXT: &str = "text/plain; charset=utf-8";
    check("", "*/*", 200, TEXT);
    check("", "application/json, text/plain;q=0.9", 200, "application/json");
    check("", "text/csv", 200, "text/csv; charset=utf-8; header=present");
    check("format=hgrm", "application/json", 200, "text/x-hgrm; charset=utf-8");
    check("format=hlog", "*/*", 200, "text/x-hlog; charset=utf-8");
    check("", "image/png", 406, TEXT);
    check("format=xml", "*/*", 406, TEXT);
    let answer = get(&server, "format=xml", "*/*").text();
    assert!(answer.contains("text (text/plain), json (application/json), csv"), "{answer}");
}

#[test]
fn what_cannot_be_answered_is_named() {
    let server = server();
    let check = |query: &str, begin: &str| {
        let response = server.get(&format!("/debug/latency?{query}"));
        assert_eq!(response.status, 400, "{query}");
        assert!(response.text().starts_with(begin), "{query}: {}", response.text());
    };
    check("route=/nowhere", "route: \"/nowhere\" is not known; known: /hello, (unmatched)");
    check("window=3s", "window: \"3s\" is not known; known: 1s, 10s, 1m, 5m, all");
    check("windows=1s", "windows: no such parameter");
    check("format=hgrm&by=route", "by: does not go with format=hgrm");
    check("follow=1s", "follow: goes with format=hlog only");
}

#[test]
fn every_format_has_every_request() {
    let server = server();
    let get = |query: &str| server.get(&format!("/debug/latency?{query}")).text();

    let table = get("route=/hello&phase=total");
    let row = table.lines().rfind(|line| line.starts_with("hello")).expect("a row");
    assert_eq!(row.split_whitespace().nth(5), Some("25"), "{table}");

    let rows = get("format=csv&by=route&route=/hello");
    let cells: Vec<Vec<_>> = rows.lines().map(|line| line.split(',').collect()).collect();
    let at = cells[0].iter().position(|cell| *cell == "count").expect("a column");
    assert_eq!((cells.len(), cells[1][at]), (2, "25"), "{rows}");

    let spectrum = get("format=hgrm&route=/hello");
    let last = spectrum.lines().rfind(|line| !line.starts_with('#')).expect("a last step");
    let [_, share, total] = last.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{spectrum}")
    };
    assert_eq!((share, total), ("1.000000000000", "25"));

    let log = get("format=hlog&by=route&route=/hello");
    let mut intervals = IntervalLogIterator::new(log.as_bytes()).filter_map(|entry| match entry {
        Ok(LogEntry::Interval(interval)) => Some(interval),
        _ => None,
    });
    let interval = intervals.next().expect("an interval");
    assert_eq!(interval.tag().map(|tag| tag.as_str()), Some("route=/hello"));
    assert_eq!(decoded(interval.encoded_histogram()).len(), REQUESTS);
    assert!(intervals.next().is_none(), "{log}");
}
