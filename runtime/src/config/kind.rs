//! The kinds of values a setting can have: how each is written, its bounds, its default.

mod machine;
mod number;
mod secret;
#[cfg(test)]
mod tests;

pub(super) use machine::{Address, Cpus};
pub(super) use number::{Millis, Number, Permissions, Seconds};
pub(super) use secret::{Secret, Url, Urls};

use std::path::PathBuf;

/// How a setting's text becomes a value.
pub(super) trait Kind {
    type Value;

    /// The value, or what is wrong with `text`.
    fn parse(&self, text: &str) -> Result<Self::Value, String>;
    /// What a message may show of `text`: nothing of what may hold a secret.
    fn shown(&self, text: &str) -> Option<String> {
        Some(text.to_owned())
    }
    fn default(&self) -> Self::Value;
    /// The default as it could be written; empty if there is none.
    fn default_text(&self) -> String;
    /// For the reference: what can be written.
    fn describe(&self) -> String;
}

/// Written as Go's `strconv.ParseBool` takes it.
pub(super) struct Switch(pub(super) bool);

impl Kind for Switch {
    type Value = bool;

    fn parse(&self, text: &str) -> Result<bool, String> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(unless_empty(text, "write true or false (or 1, t, 0, f)")),
        }
    }

    fn default(&self) -> bool {
        self.0
    }

    fn default_text(&self) -> String {
        self.0.to_string()
    }

    fn describe(&self) -> String {
        "true or false".to_owned()
    }
}

/// Any text, the empty one too.
pub(super) struct Text(pub(super) &'static str);

impl Kind for Text {
    type Value = String;

    fn parse(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    fn default(&self) -> String {
        self.0.to_owned()
    }

    fn default_text(&self) -> String {
        self.0.to_owned()
    }

    fn describe(&self) -> String {
        "text".to_owned()
    }
}

/// One of a few words.
pub(super) struct Choice(pub(super) &'static [&'static str]);

impl Kind for Choice {
    type Value = &'static str;

    fn parse(&self, text: &str) -> Result<&'static str, String> {
        let known = self.0.iter().find(|choice| **choice == text);
        known.copied().ok_or_else(|| unless_empty(text, &format!("write {}", self.0.join(" or "))))
    }

    /// The first.
    fn default(&self) -> &'static str {
        self.0.first().copied().unwrap_or_default()
    }

    fn default_text(&self) -> String {
        self.default().to_owned()
    }

    fn describe(&self) -> String {
        self.0.join(", ")
    }
}

/// Text for a response header: visible ASCII and spaces.
pub(super) struct HeaderText(pub(super) &'static str);

/// A header is sent with every response.
const HEADER_BYTES_MAX: usize = 64;

impl Kind for HeaderText {
    type Value = String;

    fn parse(&self, text: &str) -> Result<String, String> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > HEADER_BYTES_MAX || !visible || text.trim() != text {
            return Err(format!("write 1 to {HEADER_BYTES_MAX} visible ASCII characters"));
        }
        Ok(text.to_owned())
    }

    fn default(&self) -> String {
        self.0.to_owned()
    }

    fn default_text(&self) -> String {
        self.0.to_owned()
    }

    fn describe(&self) -> String {
        format!("1 to {HEADER_BYTES_MAX} visible ASCII characters")
    }
}

/// A path of a file or directory.
pub(super) struct File(pub(super) &'static str);

impl Kind for File {
    type Value = PathBuf;

    fn parse(&self, text: &str) -> Result<PathBuf, String> {
        if text.contains('\0') {
            return Err("a path has no NUL byte".to_owned());
        }
        Ok(PathBuf::from(text))
    }

    fn default(&self) -> PathBuf {
        PathBuf::from(self.0)
    }

    fn default_text(&self) -> String {
        self.0.to_owned()
    }

    fn describe(&self) -> String {
        "path".to_owned()
    }
}

/// Words with spaces or commas between them.
pub(super) struct List;

impl Kind for List {
    type Value = Vec<String>;

    fn parse(&self, text: &str) -> Result<Vec<String>, String> {
        Ok(words(text).map(str::to_owned).collect())
    }

    fn default(&self) -> Vec<String> {
        Vec::new()
    }

    fn default_text(&self) -> String {
        String::new()
    }

    fn describe(&self) -> String {
        "list, separated by spaces or commas".to_owned()
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\t']).filter(|word| !word.is_empty())
}

/// None unless it is written.
pub(super) struct Maybe<K>(pub(super) K);

impl<K: Kind> Kind for Maybe<K> {
    type Value = Option<K::Value>;

    fn parse(&self, text: &str) -> Result<Self::Value, String> {
        self.0.parse(text).map(Some)
    }

    fn shown(&self, text: &str) -> Option<String> {
        self.0.shown(text)
    }

    fn default(&self) -> Self::Value {
        None
    }

    fn default_text(&self) -> String {
        String::new()
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

/// An empty variable counts as set, which surprises many.
fn unless_empty(text: &str, expected: &str) -> String {
    if text.is_empty() {
        return format!("is empty, which is not the same as unset: {expected}");
    }
    expected.to_owned()
}
