//! Names to addresses without a thread: hickory's resolver runs on the shard that asks.
//!
//! The C library's `getaddrinfo` blocks, so drivers that are given a name start a thread for it.
//! They are given addresses from here instead.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{LookupIpStrategy, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, TokioResolver};

/// One question to one name server; two are tried. Together less than a call to a back end may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 2;
/// Answers that a shard remembers, for as long as they say.
const CACHE_NAMES_MAX: u64 = 256;

/// What the machine says about names, read once at start: `/etc/resolv.conf` and `/etc/hosts`.
#[derive(Clone)]
pub struct DnsConfig {
    config: ResolverConfig,
    options: ResolverOpts,
    hosts: Arc<Hosts>,
}

/// A name that has no address, or none that can be learnt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot resolve {host}: {reason}")]
pub struct DnsError {
    pub host: String,
    pub reason: String,
}

impl DnsConfig {
    /// Reads the machine's files. Without `/etc/resolv.conf` only the names of `/etc/hosts` are
    /// known, as with the C library.
    pub fn from_system() -> DnsConfig {
        let (config, mut options) = read_system_conf().unwrap_or_else(|_| {
            (ResolverConfig::from_name_servers(Vec::new()), ResolverOpts::default())
        });
        options.timeout = options.timeout.min(QUESTION_TIMEOUT);
        options.attempts = options.attempts.min(ATTEMPTS);
        options.cache_size = CACHE_NAMES_MAX;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        let hosts = Arc::new(Hosts::from_system().unwrap_or_default());
        DnsConfig { config, options, hosts }
    }
}

impl fmt::Debug for DnsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsConfig").finish_non_exhaustive()
    }
}

/// A shard's resolver. Clones share their cache.
#[derive(Clone)]
pub struct Resolver(TokioResolver);

impl Resolver {
    /// # Errors
    /// The machine's configuration names no usable server; the text says what is wrong with it.
    pub fn new(config: &DnsConfig) -> Result<Resolver, DnsError> {
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config.config.clone(), provider)
            .with_options(config.options.clone());
        let mut resolver = builder.build().map_err(|error| DnsError {
            host: String::from("any host"),
            reason: error.to_string(),
        })?;
        resolver.set_hosts(Arc::clone(&config.hosts));
        Ok(Resolver(resolver))
    }

    /// The addresses of `host`, in the order to try them, with `port`. An address, with or without
    /// the brackets of a URL, is itself. Never empty.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DnsError> {
        if let Some(address) = literal(host) {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let fail = |reason: String| DnsError { host: host.to_owned(), reason };
        let found = self.0.lookup_ip(host).await.map_err(|error| match error {
            // Its text is the question in Rust's notation.
            error if error.is_nx_domain() => fail(String::from("there is no such name")),
            error if error.is_no_records_found() => fail(String::from("it has no address")),
            error => fail(error.to_string()),
        })?;
        let addresses: Vec<_> = found.iter().map(|ip| SocketAddr::new(ip, port)).collect();
        if addresses.is_empty() {
            return Err(fail(String::from("it has no address")));
        }
        Ok(addresses)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

/// The address that a host is, if it is one rather than a name.
pub fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// A host, by name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// Without brackets.
    pub host: String,
    pub port: u16,
}

impl HostPort {
    /// Reads `host`, `host:port`, `[::1]:port` or a bare address of either version.
    ///
    /// # Errors
    /// How it is written.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<HostPort, String> {
        let shape = || String::from("write host:port");
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address without a port.
            Some(_) if literal(text).is_some() => (text, None),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_name = |text: &str| {
            let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !text.is_empty() && text.chars().all(letters)
        };
        if literal(host).is_none() && !is_name(bare) {
            return Err(shape());
        }
        let port = match port {
            Some(port) => port.parse().ok().filter(|&port| port > 0).ok_or_else(shape)?,
            None => default_port.ok_or_else(shape)?,
        };
        Ok(HostPort { host: bare.to_owned(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DnsConfig, HostPort, Resolver, literal};

    #[test]
    fn hosts_and_ports_are_read() {
        for (text, default_port, read) in [
            ("db.local:6379", None, Ok("db.local:6379")),
            ("db.local", Some(9042), Ok("db.local:9042")),
            ("127.0.0.1", Some(1), Ok("127.0.0.1:1")),
            ("[::1]:6379", None, Ok("[::1]:6379")),
            ("::1", Some(6379), Ok("[::1]:6379")),
            ("db.local", None, Err(())),
            ("", Some(1), Err(())),
            (":6379", Some(1), Err(())),
            ("db:0", None, Err(())),
            ("db:65536", None, Err(())),
            ("a b:1", None, Err(())),
            ("user@db:1", None, Err(())),
        ] {
            let got = HostPort::parse(text, default_port).map(|found| found.to_string());
            assert_eq!(got.map_err(|_| ()), read.map(String::from), "{text}");
        }
    }

    #[test]
    fn an_address_needs_no_resolver() {
        for (host, is_address) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("[::1]", true),
            ("localhost", false),
            ("256.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(literal(host).is_some(), is_address, "{host}");
        }
    }

    fn resolve(host: &str) -> Result<Vec<std::net::SocketAddr>, super::DnsError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            Resolver::new(&DnsConfig::from_system()).unwrap().resolve(host, 80).await
        })
    }

    #[test]
    fn names_of_the_hosts_file_are_known() {
        let found = resolve("localhost").unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }

    #[test]
    fn a_name_without_address_is_an_error_that_says_so() {
        let error = resolve("nowhere.invalid").unwrap_err();
        assert!(error.to_string().starts_with("cannot resolve nowhere.invalid: "), "{error}");
        assert!(!error.to_string().contains("Query"), "{error}");
    }
}
