//! Where a request goes: the host to connect to, and what to call it on the wire.

use super::url::{Url, quoted};
use crate::dns;

/// A host and port to connect to, with or without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) is_tls: bool,
    /// A name in ASCII and lower case, or an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// `host:port`: what the pool knows the target by.
    pub(super) address: String,
    /// Host and, when the URL has one, port: the `Host` header.
    pub(super) authority: String,
}

impl Target {
    /// # Errors
    /// Nothing can be sent there; Go's words.
    pub(super) fn of(url: &Url) -> Result<Target, String> {
        let is_tls = match &*url.scheme {
            "http" => false,
            "https" => true,
            other => return Err(format!("unsupported protocol scheme {}", quoted(other))),
        };
        let (written, port_text) = url.host_and_port();
        if written.is_empty() {
            return Err(String::from("http: no Host in request URL"));
        }
        let port = match port_text {
            "" if is_tls => 443,
            "" => 80,
            text => {
                text.parse().map_err(|_| format!("dial tcp: address {port_text}: invalid port"))?
            }
        };
        let ascii = in_ascii(written)?;
        let colon = if port_text.is_empty() { "" } else { ":" };
        let authority = format!("{ascii}{colon}{port_text}");
        let bare = ascii.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = bare.unwrap_or(&ascii).to_ascii_lowercase();
        Ok(Target { is_tls, address: format!("{host}:{port}"), host, port, authority })
    }
}

/// The host as a name server and a `Host` header know it.
fn in_ascii(host: &str) -> Result<String, String> {
    if dns::literal(host).is_some() {
        return Ok(host.to_owned());
    }
    if !host.is_ascii() {
        return match url::Host::parse(host) {
            Ok(url::Host::Domain(name)) => Ok(name),
            _ => Err(format!("dial tcp: lookup {host}: no such host")),
        };
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if host.bytes().all(letters) {
        Ok(host.to_owned())
    } else {
        Err(format!("dial tcp: lookup {host}: no such host"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, Url};

    #[test]
    fn a_url_names_its_target() {
        let check = |url: &str, expected: Result<[&str; 2], &str>| {
            let target = Target::of(&Url::parse(url).unwrap());
            let found = target.as_ref().map(|target| [&*target.address, &*target.authority]);
            assert_eq!(found.map_err(|error| &**error), expected, "{url}");
        };
        check("http://Host/", Ok(["host:80", "Host"]));
        check("https://host/", Ok(["host:443", "host"]));
        check("https://host:80/", Ok(["host:80", "host:80"]));
        check("http://[::1]/", Ok(["::1:80", "[::1]"]));
        check("http://[::1]:8080/", Ok(["::1:8080", "[::1]:8080"]));
        check("http://127.0.0.1:8080/", Ok(["127.0.0.1:8080", "127.0.0.1:8080"]));
        check("http://bücher.example/", Ok(["xn--bcher-kva.example:80", "xn--bcher-kva.example"]));
        check("ftp://host/", Err(r#"unsupported protocol scheme "ftp""#));
        check("/path", Err(r#"unsupported protocol scheme """#));
        check("http:///path", Err("http: no Host in request URL"));
        check("http:path", Err("http: no Host in request URL"));
        check("http://:80/", Err("http: no Host in request URL"));
        check("http://h:99999/", Err("dial tcp: address 99999: invalid port"));
        check("http://a;b/", Err("dial tcp: lookup a;b: no such host"));
    }
}
