//! Numbers: counts and sizes, lengths of time, permission bits.

use std::time::Duration;

use super::{Kind, unless_empty};

/// A whole number with bounds.
#[derive(Clone, Copy)]
pub(in crate::config) struct Number {
    pub(in crate::config) default: u64,
    pub(in crate::config) min: u64,
    pub(in crate::config) max: u64,
    /// Why these bounds.
    pub(in crate::config) why: &'static str,
}

impl Number {
    pub(in crate::config) fn check(&self, number: u64) -> Result<u64, String> {
        let Self { min, max, why, .. } = self;
        if (*min..=*max).contains(&number) {
            return Ok(number);
        }
        Err(format!("must be between {min} and {max}: {why}"))
    }
}

impl Kind for Number {
    type Value = u64;

    fn parse(&self, text: &str) -> Result<u64, String> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            let expected = format!("write a whole number from {} to {}", self.min, self.max);
            return Err(unless_empty(text, &expected));
        }
        // So many digits that they do not fit are over any bound.
        self.check(text.parse().unwrap_or(u64::MAX))
    }

    fn default(&self) -> u64 {
        self.default
    }

    fn default_text(&self) -> String {
        self.default.to_string()
    }

    fn describe(&self) -> String {
        format!("number, {} to {}", self.min, self.max)
    }
}

/// A length of time as a whole number of milliseconds.
#[derive(Clone, Copy)]
pub(in crate::config) struct Millis(pub(in crate::config) Number);

impl Kind for Millis {
    type Value = Duration;

    fn parse(&self, text: &str) -> Result<Duration, String> {
        self.0.parse(text).map(Duration::from_millis)
    }

    fn default(&self) -> Duration {
        Duration::from_millis(self.0.default)
    }

    fn default_text(&self) -> String {
        self.0.default_text()
    }

    fn describe(&self) -> String {
        format!("ms, {} to {}", self.0.min, self.0.max)
    }
}

/// A length of time as a whole number of seconds.
pub(in crate::config) struct Seconds(pub(in crate::config) Number);

impl Kind for Seconds {
    type Value = Duration;

    fn parse(&self, text: &str) -> Result<Duration, String> {
        self.0.parse(text).map(Duration::from_secs)
    }

    fn default(&self) -> Duration {
        Duration::from_secs(self.0.default)
    }

    fn default_text(&self) -> String {
        self.0.default_text()
    }

    fn describe(&self) -> String {
        format!("s, {} to {}", self.0.min, self.0.max)
    }
}

/// Permission bits of a file, in octal with or without a leading `0` or `0o`.
pub(in crate::config) struct Permissions(pub(in crate::config) u32);

/// The server itself opens the file again after a restart.
const OWNER_READ_WRITE: u32 = 0o600;

impl Kind for Permissions {
    type Value = u32;

    fn parse(&self, text: &str) -> Result<u32, String> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let octal = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        match u32::from_str_radix(digits, 8) {
            Ok(bits) if octal && bits <= 0o777 && bits & OWNER_READ_WRITE == OWNER_READ_WRITE => {
                Ok(bits)
            }
            Ok(bits) if octal && bits <= 0o777 => {
                Err("the owner must be able to read and write: 0600 at least".to_owned())
            }
            _ => Err(unless_empty(text, "write up to 0777, in octal: 0600")),
        }
    }

    fn default(&self) -> u32 {
        self.0
    }

    fn default_text(&self) -> String {
        format!("{:04o}", self.0)
    }

    fn describe(&self) -> String {
        "octal, up to 0777".to_owned()
    }
}
