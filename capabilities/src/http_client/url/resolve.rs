//! Where a relative reference leads (RFC 3986, 5.2): how a `Location` is read.

use std::borrow::Cow;

use super::{Url, UrlError};

impl Url {
    /// The URL that `reference` means on a page at `self`.
    pub(crate) fn join(&self, reference: &str) -> Result<Url, UrlError> {
        let mut url = Url::parse(reference)?;
        let is_absolute = !url.scheme.is_empty();
        if !is_absolute {
            url.scheme.clone_from(&self.scheme);
        }
        if is_absolute || !url.host.is_empty() || url.user.is_some() {
            url.path = without_dots(&url.path);
            return Ok(url);
        }
        if url.path.is_empty() && url.query.is_none() {
            url.query.clone_from(&self.query);
        }
        url.host.clone_from(&self.host);
        url.user.clone_from(&self.user);
        let full = match &*url.path {
            "" => Cow::Borrowed(&*self.path),
            path if path.starts_with('/') => Cow::Borrowed(path),
            path => {
                let folder = self.path.rfind('/').map_or(0, |slash| slash + 1);
                Cow::Owned(format!("{}{path}", &self.path[..folder]))
            }
        };
        url.path = without_dots(&full);
        Ok(url)
    }
}

/// Follows `.` and `..`; what would lead above the root stays there.
fn without_dots(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let mut segments = Vec::new();
    let mut last = "";
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
        last = segment;
    }
    if matches!(last, "." | "..") {
        // A folder ends with a slash.
        segments.push("");
    }
    format!("/{}", segments.join("/"))
}
