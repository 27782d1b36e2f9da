//! Parts of the machine: addresses to listen on, CPUs.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Kind, unless_empty, words};

/// `IP:port`; as in Go, no IP (`:8443`) means all addresses, and `localhost` is understood. Other
/// host names are not: looking them up needs the network.
pub(in crate::config) struct Address {
    pub(in crate::config) ip: [u8; 4],
    pub(in crate::config) port: u16,
}

impl Kind for Address {
    type Value = SocketAddr;

    fn parse(&self, text: &str) -> Result<SocketAddr, String> {
        parse_address(text)
            .ok_or_else(|| unless_empty(text, "write an IP address and a port: 0.0.0.0:8443"))
    }

    fn default(&self) -> SocketAddr {
        SocketAddr::from((self.ip, self.port))
    }

    fn default_text(&self) -> String {
        self.default().to_string()
    }

    fn describe(&self) -> String {
        "IP:port".to_owned()
    }
}

fn parse_address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let ip = match host {
        "" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => return text.parse().ok(),
    };
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

/// CPU numbers and ranges of them: `0-3,5`.
pub(in crate::config) struct Cpus;

/// What the kernel's affinity masks hold (`CPU_SETSIZE` is 1024).
const CPU_MAX: usize = 1023;

impl Kind for Cpus {
    /// Sorted.
    type Value = Vec<usize>;

    fn parse(&self, text: &str) -> Result<Vec<usize>, String> {
        let mut cpus = BTreeSet::new();
        for word in words(text) {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) else {
                return Err(format!("`{word}` is not a CPU's number or a range like 0-3"));
            };
            if first > last || last > CPU_MAX {
                return Err(format!("`{word}`: a range goes upwards, to {CPU_MAX} at most"));
            }
            for cpu in first..=last {
                if !cpus.insert(cpu) {
                    return Err(format!("CPU {cpu} is named twice"));
                }
            }
        }
        if cpus.is_empty() {
            return Err(unless_empty(text, "write CPU numbers like 0-3,5"));
        }
        Ok(cpus.into_iter().collect())
    }

    fn default(&self) -> Vec<usize> {
        Vec::new()
    }

    fn default_text(&self) -> String {
        String::new()
    }

    fn describe(&self) -> String {
        "CPU numbers like 0-3,5".to_owned()
    }
}
