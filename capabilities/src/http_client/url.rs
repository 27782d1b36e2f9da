//! URLs as Go's `net/url` reads them, because guests were written against its behaviour and are
//! shown its errors: what is refused with which words, which escapes a path keeps, how a relative
//! `Location` is resolved.
//!
//! A [`Url`] never shows its user information, and its query only to the server it is sent to.

mod escape;
mod resolve;

use std::fmt;
use std::net::IpAddr;

use escape::Part;

/// An absolute or relative reference without its fragment, which is never sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Url {
    /// Lower-case; empty in a relative reference.
    pub(crate) scheme: String,
    pub(crate) user: Option<UserInfo>,
    /// Host and port as written, without percent-escapes.
    pub(crate) host: String,
    /// Percent-escaped. Empty or absolute in what can be sent.
    pub(crate) path: String,
    /// As written, without the question mark.
    pub(crate) query: Option<String>,
    /// What follows the scheme when that is no path: `mailto:someone`.
    pub(crate) opaque: Option<String>,
}

/// A name and password in front of the host, not escaped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UserInfo {
    pub(crate) name: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

/// Why a text is not a URL; Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse {}: {reason}", quoted(.shown))]
pub(crate) struct UrlError {
    /// The text without what may be secret.
    shown: String,
    reason: String,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Url, UrlError> {
        let fail = |reason: String| UrlError {
            shown: without_secrets(text),
            // The bytes that it quotes may be of a password.
            reason: match reason.find(" \"").filter(|_| text.contains('@')) {
                Some(quote) => reason[..quote].to_owned(),
                None => reason,
            },
        };
        let (reference, fragment) = text.split_once('#').unwrap_or((text, ""));
        let url = Url::parse_reference(reference).map_err(fail)?;
        escape::decode(fragment, Part::Fragment).map_err(fail)?;
        Ok(url)
    }

    fn parse_reference(text: &str) -> Result<Url, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err(String::from("net/url: invalid control character in URL"));
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let mut url = Url { scheme: scheme.to_ascii_lowercase(), query, ..Url::default() };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                url.opaque = Some(rest.to_owned());
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err(String::from("first path segment in URL cannot contain colon"));
            }
        }
        let is_authority = !scheme.is_empty() || !rest.starts_with("///");
        let path = match rest.strip_prefix("//").filter(|_| is_authority) {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                url.authority(authority)?;
                path
            }
            None => rest,
        };
        url.path = escape::path(path)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &str) -> Result<(), String> {
        let Some((user, host)) = authority.rsplit_once('@') else {
            self.host = checked_host(authority)?;
            return Ok(());
        };
        self.host = checked_host(host)?;
        if !user.bytes().all(escape::may_be_in_userinfo) {
            return Err(String::from("net/url: invalid userinfo"));
        }
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        self.user = Some(UserInfo {
            name: escape::decode(name, Part::UserInfo)?,
            password: escape::decode(password, Part::UserInfo)?,
        });
        Ok(())
    }

    /// Host and port; the port is empty when there is none. An IPv6 address keeps its brackets.
    pub(crate) fn host_and_port(&self) -> (&str, &str) {
        let after_address = self.host.rfind(']').map_or(0, |bracket| bracket + 1);
        match self.host[after_address..].rfind(':') {
            Some(colon) => {
                let (host, port) = self.host.split_at(after_address + colon);
                (host, &port[1..])
            }
            None => (&self.host, ""),
        }
    }

    /// What a request line names: path and query. Bytes that such a line cannot carry are escaped.
    pub(crate) fn request_target(&self) -> String {
        let mut target = String::with_capacity(self.path.len() + 8);
        target.push_str(if self.path.is_empty() { "/" } else { &self.path });
        if let Some(query) = &self.query {
            target.push('?');
            escape::query(&mut target, query);
        }
        target
    }

    /// As a `Referer`: everything but user information.
    pub(crate) fn referer(&self) -> String {
        let mut shown = self.to_string();
        if let Some(query) = &self.query {
            shown.push('?');
            escape::query(&mut shown, query);
        }
        shown
    }
}

/// For errors: without user information and query, either of which may be secret.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if let Some(opaque) = &self.opaque {
            return f.write_str(opaque);
        }
        if !self.host.is_empty() || !(self.scheme.is_empty() || self.path.is_empty()) {
            write!(f, "//{}", self.host)?;
        }
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err(String::from("missing protocol scheme")),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

/// A host with an optional port, checked and without escapes. A colon without a port is dropped.
fn checked_host(text: &str) -> Result<String, String> {
    let port_at = match text.rfind('[') {
        Some(0) => {
            let end = text.rfind(']').ok_or_else(|| String::from("missing ']' in host"))?;
            check_address(&text[1..end])?;
            end + 1
        }
        Some(_) => return Err(String::from("invalid IP-literal")),
        None => text.find(':').unwrap_or(text.len()),
    };
    let port = &text[port_at..];
    let digits = port.strip_prefix(':').unwrap_or(port);
    if (!port.is_empty() && !port.starts_with(':')) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("invalid port {} after host", quoted(port)));
    }
    let text = if digits.is_empty() { &text[..port_at] } else { text };
    let bytes = escape::decode(text, Part::Host)?;
    String::from_utf8(bytes).map_err(|_| String::from("invalid host"))
}

/// What is in brackets must be an IPv6 address. One with a zone is refused: a zone means something
/// on one machine only.
fn check_address(text: &str) -> Result<(), String> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => Ok(()),
        Ok(IpAddr::V4(_)) => Err(String::from("invalid IP-literal")),
        Err(_) => Err(format!("invalid host: ParseAddr({}): unable to parse IP", quoted(text))),
    }
}

/// A URL that could not be parsed, without the parts that may be secret as far as they can be told.
fn without_secrets(text: &str) -> String {
    let text = &text[..text.find(['?', '#']).unwrap_or(text.len())];
    let Some(start) = text.find("//").map(|slashes| slashes + 2) else {
        return text.to_owned();
    };
    // Up to the last `@`, in whatever part it is: a password may hold an unescaped slash.
    match text[start..].rfind('@') {
        Some(at) => format!("{}{}", &text[..start], &text[start + at + 1..]),
        None => text.to_owned(),
    }
}

/// Text in double quotes, escaped as in Go source.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ..' ' | '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
