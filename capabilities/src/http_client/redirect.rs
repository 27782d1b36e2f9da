//! Where an answer sends the call on, and what of the request goes along: the rules of Go's client.

use hyper::header::{self, HeaderMap};
use hyper::{Method, StatusCode};

use super::request::{Hop, HttpRequest};
use super::url::{Url, quoted};

/// A call that cannot go on by its own fault or the server's, not the network's.
#[derive(Debug)]
pub(super) struct DeadEnd {
    pub(super) url: Url,
    pub(super) reason: String,
}

impl Hop {
    /// The next request, if the answer asks for one.
    pub(super) fn next(
        &self,
        asked: &HttpRequest<'_>,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Option<Hop>, Box<DeadEnd>> {
        let Some((method, keeps_body)) = redirected(&self.method, status) else { return Ok(None) };
        let location = headers.get(header::LOCATION).map_or(&b""[..], |value| value.as_bytes());
        if location.is_empty() {
            return Ok(None);
        }
        let location = String::from_utf8_lossy(location);
        let url = self.url.join(&location).map_err(|error| {
            let reason = format!("failed to parse Location header: {error}");
            Box::new(DeadEnd { url: self.url.clone(), reason })
        })?;
        let mut next = Hop::first(method, url)?;
        let origin = self.origin.as_ref().unwrap_or(&self.target.host);
        // Once dropped, neither comes back.
        next.has_credentials = self.has_credentials && is_within(&next.target.host, origin);
        next.has_body = self.has_body && keeps_body;
        next.referer = referer(&self.url, &next.url, asked);
        next.origin = Some(origin.clone());
        Ok(Some(next))
    }
}

/// The method to go on with, and whether the body goes along.
fn redirected(method: &Method, status: StatusCode) -> Option<(Method, bool)> {
    match status.as_u16() {
        301..=303 if matches!(*method, Method::GET | Method::HEAD) => Some((method.clone(), false)),
        301..=303 => Some((Method::GET, false)),
        307 | 308 => Some((method.clone(), true)),
        _ => None,
    }
}

/// Whether a host is another one or below it. Ports do not count.
pub(super) fn is_within(host: &str, parent: &str) -> bool {
    let is_below = || host.strip_suffix(parent).is_some_and(|sub| sub.ends_with('.'));
    host == parent || !host.contains(':') && is_below()
}

/// The page that led to `next`: the guest's own if it named one, and never one that came over TLS
/// to one that does not.
fn referer(last: &Url, next: &Url, asked: &HttpRequest<'_>) -> Option<String> {
    let is_own = asked.headers.iter().any(|h| h.name.eq_ignore_ascii_case("referer"));
    let is_downgrade = last.scheme == "https" && next.scheme == "http";
    (!is_own && !is_downgrade).then(|| last.referer())
}

/// The word of Go's errors for a method: `Get`, `Post`.
pub(super) fn verb(method: &Method) -> String {
    let (first, rest) = method.as_str().split_at(1);
    format!("{first}{}", rest.to_ascii_lowercase())
}

/// An error of a call, with its method and the URL at which it failed.
pub(super) fn told(method: &Method, url: &Url, reason: &str) -> String {
    format!("{} {}: {reason}", verb(method), quoted(&url.to_string()))
}
