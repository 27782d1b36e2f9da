//! The settings of a DSN one by one, taken from either form by name.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Host;
use crate::sql::dsn::{DsnError, unescape};

const PORT: u16 = 5432;

/// Keys that `lib/pq` obeys and we do not: a user who sets one relies on it.
const UNSUPPORTED: [&str; 8] = [
    "gsslib",
    "krbspn",
    "krbsrvname",
    "passfile",
    "service",
    "sslinline",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
];

/// Keys that make no difference here.
const IGNORED: [&str; 9] = [
    "binary_parameters",
    "client_encoding",
    "datestyle",
    "disable_prepared_binary_result",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "sslcompression",
    "sslsni",
];

/// Keys and values. Of equal keys the last counts.
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// A DSN of either form.
    pub(super) fn parse(dsn: &str) -> Result<Pairs, DsnError> {
        let url = ["postgres://", "postgresql://"].iter().find_map(|start| dsn.strip_prefix(start));
        url.map_or_else(|| key_value_pairs(dsn), url_pairs).map(Pairs)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let mut value = None;
        self.0.retain_mut(|(name, given)| {
            let other = name != key;
            if !other {
                value = Some(std::mem::take(given));
            }
            other
        });
        value
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> Result<T, DsnError> {
        let Some(value) = self.take(key) else { return Ok(default) };
        let found = choices.iter().find(|(name, _)| *name == value);
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            DsnError::new(key, format!("write one of {}", names.join(", ")))
        })
    }

    pub(super) fn refuse_unsupported(&mut self) -> Result<(), DsnError> {
        for key in UNSUPPORTED {
            if self.take(key).is_some() {
                return Err(DsnError::new(key, "this is not supported"));
            }
        }
        Ok(())
    }

    /// Lists of hosts, addresses and ports that go together; one port may serve all.
    pub(super) fn hosts(&mut self) -> Result<Vec<Host>, DsnError> {
        let mut list = |key| {
            let value = self.take(key).unwrap_or_default();
            value.split(',').map(str::to_owned).collect::<Vec<_>>()
        };
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
        let count = names.len().max(addresses.len());
        let fits = |len: usize| len == 1 || len == count;
        if !fits(names.len()) || !fits(addresses.len()) || !fits(ports.len()) {
            let reason = "give as many of host, hostaddr and port, or one port for all";
            return Err(DsnError::new("host", reason));
        }
        let nth = |list: &[String], index: usize| -> String {
            list.get(index).or_else(|| list.first()).cloned().unwrap_or_default()
        };
        let host =
            |index: usize| host(&nth(&names, index), &nth(&addresses, index), &nth(&ports, index));
        (0..count).map(host).collect()
    }

    pub(super) fn connect_timeout(&mut self) -> Result<Option<Duration>, DsnError> {
        let Some(value) = self.take("connect_timeout") else { return Ok(None) };
        let seconds: i64 = value
            .parse()
            .map_err(|_| DsnError::new("connect_timeout", "write a number of seconds"))?;
        // Zero and less mean no limit of its own.
        Ok(u64::try_from(seconds).ok().filter(|&seconds| seconds > 0).map(Duration::from_secs))
    }

    /// All that is left.
    pub(super) fn parameters(mut self) -> Result<Vec<(String, String)>, DsnError> {
        for key in IGNORED {
            self.take(key);
        }
        let is_name = |key: &str| {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
            !key.is_empty() && key.bytes().all(letters)
        };
        if self.0.iter().any(|(key, value)| !is_name(key) || value.contains('\0')) {
            let reason = "one is written as no setting of PostgreSQL is; quote values with blanks";
            return Err(DsnError::new("settings", reason));
        }
        Ok(self.0)
    }
}

fn host(name: &str, address: &str, port: &str) -> Result<Host, DsnError> {
    let port = match port {
        "" => PORT,
        port => port
            .parse()
            .ok()
            .filter(|&port| port > 0)
            .ok_or_else(|| DsnError::new("port", "write a number from 1 to 65535"))?,
    };
    let address = match address {
        "" => None,
        address => {
            let parsed = address.parse::<IpAddr>();
            Some(parsed.map_err(|_| DsnError::new("hostaddr", "write an IP address"))?)
        }
    };
    if name.starts_with('/') && address.is_none() {
        return Ok(Host::Unix(PathBuf::from(name).join(format!(".s.PGSQL.{port}"))));
    }
    let name = match (name, address) {
        ("", Some(address)) => address.to_string(),
        ("", None) => String::from("localhost"),
        (name, _) => name.to_owned(),
    };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if !name.bytes().all(letters) {
        return Err(DsnError::new("host", "write the name or the address of a host"));
    }
    Ok(Host::Tcp { name, address, port })
}

/// `user:password@host:port/database?key=value&...`, all of it optional and percent-escaped.
fn url_pairs(url: &str) -> Result<Vec<(String, String)>, DsnError> {
    let broken = |part| move || DsnError::new(part, "a percent escape is broken");
    let url = url.split('#').next().unwrap_or_default();
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = split_port(host);
    let mut pairs = Vec::new();
    for (key, text) in [
        ("user", user),
        ("password", password),
        ("host", host),
        ("port", port),
        ("dbname", database),
    ] {
        pairs.push((key.to_owned(), unescape(text, false).ok_or_else(broken(key))?));
    }
    let settings = query.split('&').filter(|setting| !setting.is_empty());
    // Of one key's values in a URL the first counts: it is put last.
    for setting in settings.rev() {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        let decoded = unescape(key, true).zip(unescape(value, true));
        pairs.push(decoded.ok_or_else(broken("settings"))?);
    }
    // What is empty counts as absent.
    pairs.retain(|(_, value)| !value.is_empty());
    Ok(pairs)
}

/// The port follows the last colon, unless that is within the brackets of an address.
fn split_port(host: &str) -> (&str, &str) {
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (host, ""),
    };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    (bare.unwrap_or(host), port)
}

/// `key = value` with blanks between; values in single quotes or not, with backslashes before
/// quotes, blanks and backslashes.
fn key_value_pairs(text: &str) -> Result<Vec<(String, String)>, DsnError> {
    let fail = |reason: &str| DsnError::new("form", reason);
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let shape = || fail("write postgres://user:password@host/database or key=value pairs");
        let (key, after) = rest.split_once('=').ok_or_else(shape)?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(shape());
        }
        let (value, after) = value(after.trim_start()).map_err(fail)?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// One value and what follows it.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text[usize::from(quoted)..].chars();
    loop {
        match characters.next() {
            Some('\\') => {
                value.push(characters.next().ok_or("a backslash ends the text")?);
            }
            Some('\'') if quoted => break,
            Some(blank) if !quoted && blank.is_whitespace() => break,
            Some(character) => value.push(character),
            None if quoted => return Err("a quote is not closed"),
            None => break,
        }
    }
    Ok((value, characters.as_str()))
}
