//! `host [":" port]` of RFC 3986 as a Host field, an absolute target and CONNECT have it.

use std::net::Ipv6Addr;

use super::syntax::is_reg_name;

pub(super) struct Authority {
    /// None when there is no port or an empty one.
    pub(super) port: Option<u16>,
}

impl Authority {
    /// None when it is no authority of the http scheme: an empty host (RFC 9110, 4.2.1), user information, a port over
    /// 65535, an address in brackets that is not IPv6.
    pub(super) fn parse(authority: &[u8]) -> Option<Authority> {
        let port = match authority.strip_prefix(b"[") {
            Some(rest) => after_ipv6(rest)?,
            None => after_reg_name(authority)?,
        };
        match port {
            [] | [b':'] => Some(Authority { port: None }),
            [b':', digits @ ..] => Some(Authority { port: Some(parse_port(digits)?) }),
            _ => None,
        }
    }
}

fn after_ipv6(rest: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b']', rest)?;
    let address = std::str::from_utf8(&rest[..end]).ok()?;
    address.parse::<Ipv6Addr>().ok()?;
    Some(&rest[end + 1..])
}

/// A name or an IPv4 address, which is a name by its syntax.
fn after_reg_name(authority: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    while let Some(byte) = authority.get(at).copied() {
        match byte {
            byte if is_reg_name(byte) => at += 1,
            b'%' => at += percent_escape_len(&authority[at..])?,
            _ => break,
        }
    }
    (at > 0).then(|| &authority[at..])
}

fn percent_escape_len(bytes: &[u8]) -> Option<usize> {
    let [_, high, low, ..] = bytes else { return None };
    (high.is_ascii_hexdigit() && low.is_ascii_hexdigit()).then_some(3)
}

fn parse_port(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |port, digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        port.checked_mul(10)?.checked_add(digit)
    })
}
