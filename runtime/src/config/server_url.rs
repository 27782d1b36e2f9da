//! Where a server is and how to log in, as one URL: `scheme://user:password@host:port/path`.

use airside_capabilities::dns::HostPort;
use airside_capabilities::secret::Secret;
use percent_encoding::percent_decode_str;
use url::Url;

/// A URL in its parts. What is not written is none, or empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServerUrl {
    /// Its place among the schemes that may be used.
    pub(super) scheme: usize,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) address: HostPort,
    /// Without the slash in front.
    pub(super) path: String,
}

impl ServerUrl {
    /// Reads a URL with one of `schemes`. Text without a scheme has the first.
    ///
    /// # Errors
    /// What is wrong; the text itself is not in it, as it may hold a password.
    pub(super) fn parse(
        text: &str,
        schemes: &[&str],
        default_port: Option<u16>,
    ) -> Result<ServerUrl, String> {
        let first = schemes.first().copied().unwrap_or_default();
        let with_scheme = match text.contains("://") {
            true => text.to_owned(),
            false => format!("{first}://{text}"),
        };
        let url = Url::parse(&with_scheme).map_err(|error| {
            format!("is no URL ({error}); in passwords write special characters as %40 and so on")
        })?;
        let scheme = schemes.iter().position(|known| *known == url.scheme());
        let scheme =
            scheme.ok_or_else(|| format!("write {}://host:port", schemes.join(":// or ")))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("nothing that follows a ? or # is understood".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| "names no host".to_owned())?;
        let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let address = HostPort::parse(&with_port, default_port)?;
        let user = Some(decoded(url.username())?).filter(|user| !user.is_empty());
        let password = url.password().map(decoded).transpose()?.map(Secret::new);
        let path = decoded(url.path().trim_start_matches('/'))?;
        Ok(ServerUrl { scheme, user, password, address, path })
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).map_err(|_| "has percent escapes that are not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::ServerUrl;

    /// `expected` is the scheme's place, user, password, address and path; none for an error.
    #[track_caller]
    fn check(text: &str, expected: Option<(usize, &str, &str, &str, &str)>) {
        let parsed = ServerUrl::parse(text, &["redis", "rediss"], Some(6379));
        let read = parsed.as_ref().ok().map(|url| {
            let password = url.password.as_ref().map_or("", |password| password.reveal());
            let user = url.user.as_deref().unwrap_or("");
            (url.scheme, user.to_owned(), password.to_owned(), url.address.to_string(), &url.path)
        });
        let expected = expected.map(|(scheme, user, password, address, path)| {
            (scheme, user.to_owned(), password.to_owned(), address.to_owned(), path.to_owned())
        });
        let read = read.map(|(scheme, user, password, address, path)| {
            (scheme, user, password, address, path.clone())
        });
        assert_eq!(read, expected, "{text}: {parsed:?}");
        if let Err(reason) = parsed {
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }

    #[test]
    fn urls_come_apart() {
        check("db:1", Some((0, "", "", "db:1", "")));
        check("db", Some((0, "", "", "db:6379", "")));
        check("10.0.0.1:7", Some((0, "", "", "10.0.0.1:7", "")));
        check("redis://[::1]:7", Some((0, "", "", "[::1]:7", "")));
        check("rediss://u:p%40%2F@db/2", Some((1, "u", "p@/", "db:6379", "2")));
        check("redis://:p@db:1", Some((0, "", "p", "db:1", "")));
        check("redis://u@db:1/", Some((0, "u", "", "db:1", "")));
        check("u:p@db:1", Some((0, "u", "p", "db:1", "")));
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_password() {
        for text in [
            "",
            "http://db:1",
            "redis://",
            "redis://u:hunter2@",
            "redis://u:hunter2@db:99999",
            "redis://u:hunter2@db:x",
            "redis://u:hunter2#@db:1",
            "redis://db:1?password=hunter2",
            "redis://u:%ff@db:1",
            "redis://a b:1",
        ] {
            check(text, None);
        }
    }
}
