//! The metrics page as a real Prometheus sees it: in each of the formats that it can ask for, and as its own linter reads
//! it.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use airside_tests::harness::{Client, Server, Setup, WAIT, parse_metrics, poll_until};
use serde_json::Value;
use tempfile::TempDir;

use crate::it::load::call;

const REQUESTS: usize = 12;

/// A Prometheus that scrapes one server each second.
struct Prometheus {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    fn start(target: &Server, features: &[&str]) -> Prometheus {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n- job_name: airside\n  static_configs: [{{targets: ['{}']}}]\n",
            target.address()
        );
        fs::write(&config, text).expect("the folder can be written");
        // It cannot be asked which port it took, so it is given one that is free.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(features.iter().map(|feature| format!("--enable-feature={feature}")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed (tests/services/install.sh)");
        Prometheus { process, address, _folder: folder }
    }

    /// The answer to a path of its API.
    fn get(&self, path: &str) -> Option<Value> {
        let mut client = Client::try_connect(self.address).ok()?;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"));
        let head = client.receive_head().ok()?;
        let body = match head.header("transfer-encoding") {
            Some(_) => {
                let chunks = std::iter::from_fn(|| client.receive_chunk().ok());
                chunks.take_while(|chunk| !chunk.is_empty()).flatten().collect()
            }
            None => client.rest(),
        };
        let answer: Value = serde_json::from_slice(&body).ok()?;
        (answer["status"] == "success").then(|| answer["data"].clone())
    }

    /// Waits until a query gives one value, and that is as expected.
    #[track_caller]
    fn check(&self, query: &str, expected: f64) {
        let path = format!("/api/v1/query?query={}", query.replace(' ', "%20").replace('"', "%22"));
        poll_until(&format!("{query} to be {expected}"), WAIT, || {
            let result = self.get(&path)?["result"].clone();
            let value = result[0]["value"][1].as_str()?.parse::<f64>().ok()?;
            assert_eq!(result.as_array().map(Vec::len), Some(1), "{query}: {result}");
            ((value - expected).abs() < 1e-9).then_some(())
        });
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that did a bit of everything, guests' own metrics included.
fn server() -> Server {
    let server = Setup::new().guest("hello").guest("call").guest("trap").start();
    let mut client = server.client();
    (0..REQUESTS).for_each(|_| assert_eq!(client.get("/hello").status, 200));
    client.post("/call", call("logger", "info", "x"));
    client.post("/call", call("metrics", "counter", r#"{"name":"visits"}"#));
    client.post("/call", call("metrics", "histogram", r#"{"name":"sizes","value":3.5}"#));
    client.get("/trap");
    server
}

fn metrics(server: &Server, accept: &str) -> (String, Vec<u8>) {
    let mut client = server.client();
    client.send(format!("GET /metrics HTTP/1.1\r\nHost: test\r\nAccept: {accept}\r\n\r\n"));
    let response = client.receive();
    assert_eq!(response.status, 200);
    (response.header("content-type").expect("a type").to_owned(), response.body)
}

#[test]
fn open_metrics_is_scraped() {
    let server = server();
    let (content_type, body) = metrics(&server, "application/openmetrics-text;version=1.0.0");
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(body.ends_with(b"\n# EOF\n"));
    let prometheus = Prometheus::start(&server, &[]);
    prometheus.check("up", 1.0);
    let hello = r#"function="hello",route="/hello""#;
    prometheus.check(
        &format!(r#"airside_requests_total{{{hello},outcome="answered"}}"#),
        REQUESTS as f64,
    );
    let total = format!(r#"{hello},phase="total",status="2xx""#);
    let bucket = format!(r#"airside_request_duration_seconds_bucket{{{total},le="60.0"}}"#);
    prometheus.check(&bucket, REQUESTS as f64);
    prometheus.check("visits", 1.0);
    prometheus.check("sizes_count", 1.0);
    prometheus.check(r#"http_server_count{path="/hello"}"#, REQUESTS as f64);
    let known = prometheus.get("/api/v1/targets/metadata").expect("what it knows of the metrics");
    for (metric, kind, unit) in [
        ("airside_request_duration_seconds", "histogram", "seconds"),
        ("airside_requests", "counter", ""),
        ("process_resident_memory_bytes", "gauge", "bytes"),
        ("visits", "unknown", ""),
    ] {
        let found = known.as_array().into_iter().flatten().find(|one| one["metric"] == metric);
        let found = found.unwrap_or_else(|| panic!("no {metric} in {known}"));
        assert_eq!((&found["type"], &found["unit"]), (&kind.into(), &unit.into()), "{metric}");
    }
}

#[test]
fn native_histograms_are_scraped() {
    let server = server();
    let accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;q=0.3";
    let (content_type, _) = metrics(&server, accept);
    assert!(content_type.starts_with("application/vnd.google.protobuf;"), "{content_type}");
    let prometheus = Prometheus::start(&server, &["native-histograms"]);
    prometheus.check("up", 1.0);
    let total = r#"{function="hello",route="/hello",phase="total",status="2xx"}"#;
    let histogram = format!("airside_request_duration_seconds{total}");
    prometheus.check(&format!("histogram_count({histogram})"), REQUESTS as f64);
    prometheus.check(&format!("histogram_fraction(0, 60, {histogram})"), 1.0);
    prometheus.check("visits", 1.0);
    prometheus.check("airside_shards", cpus() as f64);

    // A bucket is 9.05 % wide, and a bin of ours at most 0.1 %.
    let page = server.get("/debug/latency?format=json&by=&route=/hello").text();
    let page: Value = serde_json::from_str(&page).expect("JSON");
    let exact = page["series"][0]["p50"].as_f64().expect("a median") / 1e9;
    let path =
        format!("/api/v1/query?query=histogram_quantile(0.5,{histogram})").replace('"', "%22");
    let answer = prometheus.get(&path).expect("an answer");
    let median: f64 = answer["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!(median > exact / 1.1 && median < exact * 1.1, "{median} beside {exact}");
}

fn cpus() -> usize {
    airside_tests::harness::cpus().len().min(2)
}

#[test]
fn the_linter_has_nothing_to_say() {
    let server = server();
    let (content_type, body) = metrics(&server, "*/*");
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert!(parse_metrics(&String::from_utf8(body.clone()).expect("text")).is_ok());
    let mut linter = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed with prometheus");
    linter.stdin.take().expect("piped").write_all(&body).expect("it reads");
    let output = linter.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    // Names are a guest's own choice, and Tarmac's are what they are.
    let ours: Vec<&str> = said.lines().filter(|line| !line.starts_with("visits ")).collect();
    assert!(ours.is_empty(), "{said}");
}
