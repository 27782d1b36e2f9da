//! The client against real servers on loopback: hyper for what is well formed, bare sockets for
//! what is not.

mod bodies;
mod connections;
mod redirects;
mod requests;
mod tls;
mod upstream;

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::LocalSet;

use super::*;
use crate::backend::Backend;
use crate::backend::tests::Lines;
use crate::dns::{DnsConfig, Resolver};
use crate::tls::{Roots, install_provider};

/// Longer than any wait here should take.
const WAIT: Duration = Duration::from_secs(20);

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(WAIT, test).await.expect("the test hangs");
    });
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let polled = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(WAIT, polled).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn config() -> HttpClientConfig {
    HttpClientConfig { timeout: WAIT, body_bytes_max: 1_000_000, compat: false }
}

/// A client that trusts no authority but `ca`, and what it counts.
fn client_with(
    config: HttpClientConfig,
    bounds: Bounds,
    ca: Option<&std::path::Path>,
) -> (HttpClient, Rc<ShardBackend>) {
    install_provider();
    let resolver = Resolver::new(&DnsConfig::from_system()).unwrap();
    let network = Network { resolver, roots: Roots::load(ca).unwrap() };
    let backend = Backend::new("http", "any host", 1, Arc::new(Lines::default()));
    let backend = ShardBackend::new(&backend);
    let mut client = HttpClient::new(&config, &network, Rc::clone(&backend));
    client.pool = Pool::new(bounds, Rc::clone(&backend));
    (client, backend)
}

fn client(config: HttpClientConfig) -> HttpClient {
    client_with(config, Bounds::default(), None).0
}

fn get(url: &str) -> HttpRequest<'_> {
    HttpRequest {
        method: Cow::Borrowed(""),
        url: Cow::Borrowed(url),
        headers: Vec::new(),
        body: Bytes::new(),
        insecure: false,
    }
}

fn post<'a>(url: &'a str, body: &'static str) -> HttpRequest<'a> {
    HttpRequest {
        method: Cow::Borrowed("POST"),
        body: Bytes::from_static(body.as_bytes()),
        ..get(url)
    }
}

impl<'a> HttpRequest<'a> {
    fn with(mut self, name: &'a str, value: &'a str) -> HttpRequest<'a> {
        let (name, value) = (Cow::Borrowed(name), Cow::Borrowed(value));
        self.headers.push(AskedHeader { name, value, is_further: false });
        self
    }
}

/// The text of a failure, by the word that says which one it is.
fn text(failure: HttpFailure) -> String {
    match failure {
        HttpFailure::Create(reason) => format!("create: {reason}"),
        HttpFailure::Execute(reason) => format!("execute: {reason}"),
        HttpFailure::Body { reason, .. } => format!("body: {reason}"),
    }
}
