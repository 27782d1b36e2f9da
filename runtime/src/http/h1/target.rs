//! The four forms of a request target (RFC 9112, 3.2) brought to a path and a query.

use super::authority::Authority;
use crate::http::{Method, Reject, Span};

#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) path: Span,
    pub(super) query: Option<Span>,
}

/// Each form goes with its methods only: authority-form with CONNECT and nothing else, asterisk-form with OPTIONS.
pub(super) fn split(window: &[u8], target: Span, method: Method) -> Result<Target, Reject> {
    match target.of(window) {
        authority if method == Method::Connect => authority_form(authority, target),
        [b'/', ..] => Ok(origin_form(window, target)),
        b"*" if method == Method::Options => Ok(Target { path: target, query: None }),
        _ => absolute_form(window, target),
    }
}

fn origin_form(window: &[u8], target: Span) -> Target {
    match memchr::memchr(b'?', target.of(window)) {
        None => Target { path: target, query: None },
        Some(at) => {
            let mark = target.start + at;
            Target {
                path: Span::new(target.start, mark),
                query: Some(Span::new(mark + 1, target.end)),
            }
        }
    }
}

/// `host:port`, both given (RFC 9112, 3.2.3).
fn authority_form(authority: &[u8], target: Span) -> Result<Target, Reject> {
    match Authority::parse(authority) {
        Some(Authority { port: Some(_) }) => Ok(Target { path: target, query: None }),
        _ => Err(Reject::bad_request("CONNECT needs host:port as its target")),
    }
}

/// `http://host/path`: origin servers take it too (RFC 9112, 3.2.2). The host goes nowhere, as the Host field does.
fn absolute_form(window: &[u8], target: Span) -> Result<Target, Reject> {
    let Some(authority_start) = after_scheme(target.of(window)) else {
        return Err(Reject::bad_request("invalid request target"));
    };
    let after_scheme = Span::new(target.start + authority_start, target.end);
    let rest = after_scheme.of(window);
    let authority_len = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    // User information is refused with the rest that is no host: RFC 9110, 4.2.4.
    if Authority::parse(&rest[..authority_len]).is_none() {
        return Err(Reject::bad_request("invalid host in the request target"));
    }
    let mut split = origin_form(window, Span::new(after_scheme.start + authority_len, target.end));
    if split.path.start == split.path.end {
        // An empty path is `/` (RFC 9110, 4.2.3): a span cannot hold what was not sent, so it shows the last slash of
        // the scheme's `://`.
        split.path = Span::new(after_scheme.start - 1, after_scheme.start);
    }
    Ok(split)
}

fn after_scheme(target: &[u8]) -> Option<usize> {
    [b"http://".as_slice(), b"https://"].into_iter().find_map(|scheme| {
        let given = target.get(..scheme.len())?;
        given.eq_ignore_ascii_case(scheme).then_some(scheme.len())
    })
}
