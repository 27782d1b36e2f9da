//! What must not be shown: passwords, and URLs, which may hold one.

use airside_capabilities::secret;

use super::{Kind, List, words};

/// A password, or a text that holds one.
pub(in crate::config) struct Secret;

impl Kind for Secret {
    type Value = secret::Secret;

    fn parse(&self, text: &str) -> Result<secret::Secret, String> {
        Ok(secret::Secret::new(text))
    }

    fn shown(&self, _text: &str) -> Option<String> {
        None
    }

    fn default(&self) -> secret::Secret {
        secret::Secret::new("")
    }

    fn default_text(&self) -> String {
        String::new()
    }

    fn describe(&self) -> String {
        "text, never shown".to_owned()
    }
}

/// One `host:port` or URL.
pub(in crate::config) struct Url(pub(in crate::config) &'static str);

impl Kind for Url {
    type Value = secret::Secret;

    fn parse(&self, text: &str) -> Result<secret::Secret, String> {
        Ok(secret::Secret::new(text))
    }

    fn shown(&self, text: &str) -> Option<String> {
        without_login(text)
    }

    fn default(&self) -> secret::Secret {
        secret::Secret::new(self.0)
    }

    fn default_text(&self) -> String {
        self.0.to_owned()
    }

    fn describe(&self) -> String {
        "host:port or URL".to_owned()
    }
}

/// Several of them, with spaces or commas in between.
pub(in crate::config) struct Urls(pub(in crate::config) &'static str);

impl Kind for Urls {
    type Value = Vec<secret::Secret>;

    fn parse(&self, text: &str) -> Result<Vec<secret::Secret>, String> {
        Ok(words(text).map(secret::Secret::new).collect())
    }

    fn shown(&self, text: &str) -> Option<String> {
        without_login(text)
    }

    fn default(&self) -> Vec<secret::Secret> {
        words(self.0).map(secret::Secret::new).collect()
    }

    fn default_text(&self) -> String {
        self.0.to_owned()
    }

    fn describe(&self) -> String {
        List.describe()
    }
}

/// A password or token stands before an `@`, and where there is none it may have been forgotten: shown is only what is
/// written like a host and a port.
fn without_login(text: &str) -> Option<String> {
    let is_number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = |word: &str| {
        let after_scheme = word.split_once("://").map_or(word, |(_, rest)| rest);
        let address = after_scheme.split('/').next().unwrap_or_default();
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        let host_is_plain = !host.contains(':') || host.starts_with('[');
        !word.contains('@') && host_is_plain && is_number(port)
    };
    words(text).all(is_plain).then(|| text.to_owned())
}
