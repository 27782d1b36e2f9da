//! Names to addresses without a thread: hickory's resolver runs on the shard that asks.
//!
//! The C library's `getaddrinfo` blocks, so drivers that are given a name start a thread for it.
//! They are given addresses from here instead.

mod hosts;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::system_conf::read_system_conf;
use tokio::time::timeout;

use hosts::HostsFile;

/// One question to the name servers; it is asked again twice.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(1);
const REPEATS_MAX: usize = 2;
/// A name with all its questions: each search domain has its own. Less than a call to a back end
/// may take, so that the error says what the matter is.
const NAME_TIMEOUT: Duration = Duration::from_secs(4);
/// Answers that a shard remembers.
const CACHE_NAMES_MAX: u64 = 256;
/// An address is asked for again after this time, whatever its record says: a service that fails over
/// under its name must be found where it is now.
const FOUND_MAX: Duration = Duration::from_secs(30);
/// A name that has no address may get one at any time. Records of zones say five minutes and more; a
/// back end is to be reached within five seconds.
const NOT_FOUND_MAX: Duration = Duration::from_secs(2);

/// What the machine says about names, read once at start: `/etc/resolv.conf` and `/etc/hosts`.
#[derive(Clone)]
pub struct DnsConfig {
    config: ResolverConfig,
    options: ResolverOpts,
    hosts: Arc<HostsFile>,
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
    /// known.
    pub fn from_system() -> DnsConfig {
        let (config, options) = read_system_conf().unwrap_or_else(|_| {
            (ResolverConfig::from_name_servers(Vec::new()), ResolverOpts::default())
        });
        DnsConfig::new(config, options, HostsFile::from_system())
    }

    /// The number of dots and the search domains stay as the machine has them.
    fn new(config: ResolverConfig, mut options: ResolverOpts, hosts: HostsFile) -> DnsConfig {
        options.timeout = options.timeout.min(QUESTION_TIMEOUT);
        options.attempts = options.attempts.min(REPEATS_MAX);
        options.cache_size = CACHE_NAMES_MAX;
        options.positive_max_ttl = Some(FOUND_MAX);
        options.negative_max_ttl = Some(NOT_FOUND_MAX);
        options.use_hosts_file = ResolveHosts::Never;
        options.ip_strategy = strategy();
        DnsConfig { config, options, hosts: Arc::new(hosts) }
    }
}

/// Both versions are asked for at once. Addresses of version 4 go first, as they are reachable more
/// often, unless the machine has a way for version 6 only.
fn strategy() -> LookupIpStrategy {
    // Connecting a datagram socket looks for a way and sends nothing. The addresses are those of
    // documentation: no machine has them.
    let has_way = |own: IpAddr, there: IpAddr| {
        UdpSocket::bind((own, 0)).and_then(|socket| socket.connect((there, 9))).is_ok()
    };
    let v4 = has_way(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    let v6 = || {
        let there = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        has_way(Ipv6Addr::UNSPECIFIED.into(), there.into())
    };
    match !v4 && v6() {
        true => LookupIpStrategy::Ipv6AndIpv4,
        false => LookupIpStrategy::Ipv4AndIpv6,
    }
}

impl fmt::Debug for DnsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsConfig").finish_non_exhaustive()
    }
}

/// A shard's resolver. Clones share their cache.
#[derive(Clone)]
pub struct Resolver {
    dns: TokioResolver,
    hosts: Arc<HostsFile>,
}

impl Resolver {
    /// # Errors
    /// The machine's configuration names no usable server; the text says what is wrong with it.
    pub fn new(config: &DnsConfig) -> Result<Resolver, DnsError> {
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config.config.clone(), provider)
            .with_options(config.options.clone());
        let dns = builder.build().map_err(|error| DnsError {
            host: String::from("any host"),
            reason: error.to_string(),
        })?;
        Ok(Resolver { dns, hosts: Arc::clone(&config.hosts) })
    }

    /// The addresses of `host`, in the order to try them, with `port`. An address, with or without
    /// the brackets of a URL, is itself. Never empty.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DnsError> {
        if let Some(address) = literal(host) {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let with_port = |ip: &IpAddr| SocketAddr::new(*ip, port);
        if let Some(addresses) = self.hosts.get(host) {
            return Ok(addresses.iter().map(with_port).collect());
        }
        let fail = |reason: String| DnsError { host: host.to_owned(), reason };
        // Relaxed, because names of containers have underscores.
        let name = Name::from_str_relaxed(host).map_err(|error| fail(error.to_string()))?;
        let found = timeout(NAME_TIMEOUT, self.dns.lookup_ip(name)).await;
        let found = found.unwrap_or(Err(NetError::Timeout)).map_err(|error| fail(said(&error)))?;
        let addresses: Vec<_> = found.iter().map(|ip| SocketAddr::new(ip, port)).collect();
        match addresses.is_empty() {
            true => Err(fail(String::from(NO_SUCH_HOST))),
            false => Ok(addresses),
        }
    }
}

const NO_SUCH_HOST: &str = "no such host";

/// hickory's own text of the first is the question in Rust's notation.
fn said(error: &NetError) -> String {
    match error {
        error if error.is_no_records_found() => String::from(NO_SUCH_HOST),
        NetError::Timeout => String::from("no answer from a name server"),
        NetError::NoConnections => String::from("no name server"),
        error => error.to_string(),
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
mod tests;
