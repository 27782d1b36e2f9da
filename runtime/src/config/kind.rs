//! The kinds of values a setting can have: how each is written, its bounds, its default.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How a setting's text becomes a value.
pub(super) trait Kind {
    type Value;

    /// Secrets are never shown.
    const SECRET: bool = false;

    /// The value, or what is wrong with `text`.
    fn parse(&self, text: &str) -> Result<Self::Value, String>;
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

/// A password, or a text that holds one.
pub(super) struct Secret(pub(super) &'static str);

impl Kind for Secret {
    type Value = ();

    const SECRET: bool = true;

    fn parse(&self, _text: &str) -> Result<(), String> {
        Ok(())
    }

    fn default(&self) {}

    fn default_text(&self) -> String {
        self.0.to_owned()
    }

    fn describe(&self) -> String {
        "text, never shown".to_owned()
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

/// A whole number with bounds.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) default: u64,
    pub(super) min: u64,
    pub(super) max: u64,
    /// Why these bounds.
    pub(super) why: &'static str,
}

impl Number {
    pub(super) fn check(&self, number: u64) -> Result<u64, String> {
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
pub(super) struct Millis(pub(super) Number);

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
pub(super) struct Seconds(pub(super) Number);

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

/// None unless it is written.
pub(super) struct Maybe<K>(pub(super) K);

impl<K: Kind> Kind for Maybe<K> {
    type Value = Option<K::Value>;

    const SECRET: bool = K::SECRET;

    fn parse(&self, text: &str) -> Result<Self::Value, String> {
        self.0.parse(text).map(Some)
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

/// Permission bits of a file, in octal with or without a leading `0` or `0o`.
pub(super) struct Permissions(pub(super) u32);

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

/// `IP:port`; as in Go, no IP (`:8443`) means all addresses, and `localhost` is understood. Other
/// host names are not: looking them up needs the network.
pub(super) struct Address {
    pub(super) ip: [u8; 4],
    pub(super) port: u16,
}

impl Kind for Address {
    type Value = SocketAddr;

    fn parse(&self, text: &str) -> Result<SocketAddr, String> {
        parse_address(text)
            .ok_or_else(|| unless_empty(text, "write an IP address and a port: 0.0.0.0:8443"))
    }

    fn default(&self) -> SocketAddr {
        SocketAddr::from((self.ip, self.port))
    }

    fn default_text(&self) -> String {
        self.default().to_string()
    }

    fn describe(&self) -> String {
        "IP:port".to_owned()
    }
}

fn parse_address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let ip = match host {
        "" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => return text.parse().ok(),
    };
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

/// CPU numbers and ranges of them: `0-3,5`.
pub(super) struct Cpus;

/// What the kernel's affinity masks hold (`CPU_SETSIZE` is 1024).
const CPU_MAX: usize = 1023;

impl Kind for Cpus {
    /// Sorted.
    type Value = Vec<usize>;

    fn parse(&self, text: &str) -> Result<Vec<usize>, String> {
        let mut cpus = std::collections::BTreeSet::new();
        for word in words(text) {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) else {
                return Err(format!("`{word}` is not a CPU's number or a range like 0-3"));
            };
            if first > last || last > CPU_MAX {
                return Err(format!("`{word}`: a range goes upwards, to {CPU_MAX} at most"));
            }
            for cpu in first..=last {
                if !cpus.insert(cpu) {
                    return Err(format!("CPU {cpu} is named twice"));
                }
            }
        }
        if cpus.is_empty() {
            return Err(unless_empty(text, "write CPU numbers like 0-3,5"));
        }
        Ok(cpus.into_iter().collect())
    }

    fn default(&self) -> Vec<usize> {
        Vec::new()
    }

    fn default_text(&self) -> String {
        String::new()
    }

    fn describe(&self) -> String {
        "CPU numbers like 0-3,5".to_owned()
    }
}

/// An empty variable counts as set, which surprises many.
fn unless_empty(text: &str, expected: &str) -> String {
    if text.is_empty() {
        return format!("is empty, which is not the same as unset: {expected}");
    }
    expected.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Address, Cpus, Kind, List, Number, Permissions, Switch};

    fn check<K: Kind<Value: PartialEq + std::fmt::Debug>>(
        kind: &K,
        text: &str,
        expected: Option<K::Value>,
    ) {
        assert_eq!(kind.parse(text).ok(), expected, "{text:?}");
    }

    #[test]
    fn switches_are_written_as_in_go() {
        for (texts, value) in [
            (["1", "t", "T", "TRUE", "true", "True"], Some(true)),
            (["0", "f", "F", "FALSE", "false", "False"], Some(false)),
            (["", "yes", "on", "tRUE", "true ", "2"], None),
        ] {
            texts.iter().for_each(|text| check(&Switch(false), text, value));
        }
    }

    #[test]
    fn numbers_have_bounds() {
        let number = Number { default: 5, min: 1, max: 10, why: "" };
        check(&number, "1", Some(1));
        check(&number, "10", Some(10));
        check(&number, "007", Some(7));
        for text in ["0", "11", "", "-1", "+5", "5.0", " 5", "99999999999999999999999999"] {
            check(&number, text, None);
        }
    }

    #[test]
    fn permissions_are_octal() {
        check(&Permissions(0), "0600", Some(0o600));
        check(&Permissions(0), "640", Some(0o640));
        check(&Permissions(0), "0o777", Some(0o777));
        for text in ["0400", "384", "01777", "", "0x1ff", "+600", "-600"] {
            check(&Permissions(0), text, None);
        }
    }

    #[test]
    fn addresses_are_written_as_in_go() {
        let address = Address { ip: [0; 4], port: 8443 };
        let expect = |text: &str| Some(text.parse().unwrap());
        check(&address, "127.0.0.1:80", expect("127.0.0.1:80"));
        check(&address, ":8080", expect("0.0.0.0:8080"));
        check(&address, "localhost:0", expect("127.0.0.1:0"));
        check(&address, "[::]:443", expect("[::]:443"));
        for text in ["", "8443", "example.com:80", "1.2.3.4", "1.2.3.4:70000", "::", ":"] {
            check(&address, text, None);
        }
    }

    #[test]
    fn cpus_and_lists_split_at_commas_and_spaces() {
        check(&Cpus, "0-3,5", Some(vec![0, 1, 2, 3, 5]));
        check(&Cpus, "7 2", Some(vec![2, 7]));
        for text in ["", ",", "3-1", "0-1024", "1,1", "0-2,1", "a", "-1", "1-", "0-99999999999"] {
            check(&Cpus, text, None);
        }
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        check(&List, "a b,c,  d", words(&["a", "b", "c", "d"]));
        check(&List, "", words(&[]));
    }
}
