//! Prometheus, which scrapes airside as it does at its users', and its linter.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::daemon::Launch;
use super::ports::free_port;
use super::{Daemon, script};
use crate::harness::Client;

/// A Prometheus that scrapes one server each second.
#[derive(Debug)]
pub struct Prometheus {
    daemon: Daemon,
}

impl Prometheus {
    /// With these of its experimental features, such as `native-histograms`.
    pub fn start(target: SocketAddr, features: &[&str]) -> Prometheus {
        let features = features.iter().map(|feature| format!("--enable-feature={feature}"));
        let arguments: Vec<String> = [target.to_string()].into_iter().chain(features).collect();
        let daemon =
            Daemon::start(|| Launch::new("prometheus.sh", free_port()).arguments(arguments.iter()));
        Prometheus { daemon }
    }

    /// The data that its API answers for a path; none if it has none yet.
    pub fn get(&self, path: &str) -> Option<Value> {
        let mut client = Client::try_connect(self.daemon.address()).ok()?;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
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

    /// The one value that a query of its language gives; none if it gives none yet.
    ///
    /// # Panics
    /// When it gives several.
    #[track_caller]
    pub fn value(&self, query: &str) -> Option<f64> {
        let query = query.replace(' ', "%20").replace('"', "%22");
        let result = self.get(&format!("/api/v1/query?query={query}"))?["result"].clone();
        assert!(result.as_array().is_some_and(|values| values.len() <= 1), "{query}: {result}");
        result[0]["value"][1].as_str()?.parse().ok()
    }

    /// What its linter says of a metrics page in the text format, one complaint a line.
    pub fn lint(page: &[u8]) -> String {
        let mut linter = Command::new(script("promtool.sh"))
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("bash is there");
        linter.stdin.take().expect("it is piped").write_all(page).expect("it reads");
        let output = linter.wait_with_output().expect("it ends");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}
