//! What is wrong with a configuration: each fault with its key, origin, value and reason.

use std::fmt;
use std::path::PathBuf;

/// A longer value is cut in messages.
const VALUE_CHARS_MAX: usize = 120;

/// All that keeps a configuration from being used; displays as one line for each fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// Never empty.
    pub errors: Vec<ConfigError>,
    /// What would have been said if there were no errors.
    pub warnings: Vec<String>,
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let end_of_last = if index == 0 { "" } else { "\n" };
            write!(f, "{end_of_last}{error}")?;
        }
        Ok(())
    }
}

/// One fault, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// A setting's name, or the path in `tarmac.json`: `services.demo.functions.hello.pool_size`.
    pub key: String,
    pub origin: Origin,
    /// As it was written; none when there is none or it is a secret.
    pub value: Option<String>,
    pub reason: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, origin, reason, .. } = self;
        let line = match &self.value {
            // The whole file is wrong.
            _ if key.is_empty() => format!("({origin}): {reason}"),
            None => format!("{key} ({origin}): {reason}"),
            Some(value) => format!("{key} = {} ({origin}): {reason}", shorten(value)),
        };
        f.write_str(&one_line(&line))
    }
}

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// The table of settings.
    #[default]
    Default,
    /// The default of `airside demo`.
    Demo,
    /// The name of an environment variable.
    Environment(String),
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Demo => f.write_str("demo"),
            Self::Environment(name) => write!(f, "from {name}"),
            Self::File(path) => write!(f, "in {}", path.display()),
        }
    }
}

fn shorten(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        None if value.is_empty() => "\"\"".to_owned(),
        None => value.to_owned(),
        Some((end, _)) => format!("{}...", &value[..end]),
    }
}

/// Values come from outside and must not forge lines of their own.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Collects while the configuration is read, so that all faults are reported in one go.
#[derive(Debug, Default)]
pub(super) struct Problems {
    errors: Vec<ConfigError>,
    warnings: Vec<String>,
}

impl Problems {
    pub(super) fn error(
        &mut self,
        key: impl Into<String>,
        origin: &Origin,
        value: Option<String>,
        reason: impl Into<String>,
    ) {
        let (key, reason) = (key.into(), reason.into());
        self.errors.push(ConfigError { key, origin: origin.clone(), value, reason });
    }

    pub(super) fn warn(&mut self, warning: impl AsRef<str>) {
        self.warnings.push(one_line(warning.as_ref()));
    }

    /// The warnings if there are no errors.
    pub(super) fn finish(self) -> Result<Vec<String>, ConfigErrors> {
        if self.errors.is_empty() {
            return Ok(self.warnings);
        }
        Err(ConfigErrors { errors: self.errors, warnings: self.warnings })
    }
}
