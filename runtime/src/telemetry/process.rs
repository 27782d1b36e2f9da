//! What the kernel says about the process. Read from `/proc` on the control thread, never on a shard.

use super::clock;
use std::fs;

/// The process at one moment. What could not be read is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessFacts {
    /// Memory that is in RAM.
    pub resident_bytes: Option<u64>,
    /// Address space.
    pub virtual_bytes: Option<u64>,
    pub threads: Option<u64>,
    pub open_fds: Option<u64>,
    /// Most file descriptors that may be open.
    pub fds_max: Option<u64>,
    /// CPU time of all threads.
    pub cpu_ns: u64,
}

/// Reads everything once.
pub fn read() -> ProcessFacts {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ProcessFacts {
        resident_bytes: status_field(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024),
        virtual_bytes: status_field(&status, "VmSize:").map(|kibibytes| kibibytes * 1024),
        threads: status_field(&status, "Threads:"),
        open_fds: open_fds(),
        fds_max: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        cpu_ns: clock::process_cpu_ns(),
    }
}

/// The number after a name at the start of a line of `/proc/self/status`.
fn status_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn open_fds() -> Option<u64> {
    let entries = fs::read_dir("/proc/self/fd").ok()?;
    // Reading the directory holds one open itself.
    Some((entries.count() as u64).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::{read, status_field};

    #[test]
    fn a_running_process_has_all_facts() {
        let facts = read();
        assert!(facts.resident_bytes.unwrap() > 100_000);
        assert!(facts.virtual_bytes >= facts.resident_bytes);
        assert!(facts.threads.unwrap() >= 1);
        assert!(facts.open_fds.unwrap() >= 3);
        assert!(facts.cpu_ns > 0);
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let status = "Name:\tairside\nVmRSS:\t    2048 kB\nThreads:\t7\n";
        let check = |name, expected| assert_eq!(status_field(status, name), expected);
        check("VmRSS:", Some(2048));
        check("Threads:", Some(7));
        check("VmSize:", None);
        check("Name:", None);
    }
}
