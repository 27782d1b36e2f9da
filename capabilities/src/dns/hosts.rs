//! `/etc/hosts`, which goes before every name server and every search domain, as with the C
//! library. hickory's own reader passes over names with an underscore and still asks the name
//! server for the version of IP that the file does not have.

use std::collections::HashMap;
use std::net::IpAddr;

/// Names in lower case and their addresses, in the file's order.
#[derive(Debug, Default)]
pub(super) struct HostsFile(HashMap<String, Vec<IpAddr>>);

impl HostsFile {
    /// Without the file no name is known by it.
    pub(super) fn from_system() -> HostsFile {
        let text = std::fs::read("/etc/hosts").unwrap_or_default();
        HostsFile::parse(&String::from_utf8_lossy(&text))
    }

    /// Lines that are not understood are passed over.
    pub(super) fn parse(text: &str) -> HostsFile {
        let mut names: HashMap<String, Vec<IpAddr>> = HashMap::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse) else { continue };
            for name in words {
                let addresses = names.entry(key(name)).or_default();
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        HostsFile(names)
    }

    pub(super) fn get(&self, name: &str) -> Option<&[IpAddr]> {
        self.0.get(&key(name)).map(Vec::as_slice)
    }
}

/// Case does not count, nor does the dot of a name that is complete.
fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::HostsFile;

    #[test]
    fn names_are_found_by_any_case() {
        let file = "# comment\n127.0.0.1\tlocalhost Own-Name # x\n::1 localhost\n\
                    10.0.0.1 my_db\nno.address here\n10.0.0.2 my_db my_db\r\n  ::2 \n";
        let hosts = HostsFile::parse(file);
        let check = |name: &str, expected: &[&str]| {
            let found: Vec<_> =
                hosts.get(name).unwrap_or_default().iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{name}");
        };
        check("localhost", &["127.0.0.1", "::1"]);
        check("LOCALHOST.", &["127.0.0.1", "::1"]);
        check("own-name", &["127.0.0.1"]);
        check("my_db", &["10.0.0.1", "10.0.0.2"]);
        check("here", &[]);
        check("x", &[]);
        check("", &[]);
    }
}
