//! What /proc says of a process and everything below it: CPU time, resident memory, connections.
//!
//! The whole tree is summed, because nginx works in a child of the process that we start. The
//! kernel's `utime` and `stime` hold all threads of a process, the ended ones too, in ticks of
//! 10 ms: over a run of 5 s on one core that is 0.2 %.

mod sockets;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

pub use sockets::watched_connections;

/// CPU time, user and system, that the tree below `root` has used so far.
pub fn cpu_time(root: u32) -> Result<Duration> {
    Ok(duration(tree(root)?.iter().map(|stat| stat.ticks).sum()))
}

/// The same of each thread, by its id. Threads that have ended are left out.
pub fn cpu_times(root: u32) -> Result<BTreeMap<u32, Duration>> {
    let mut times = BTreeMap::new();
    for process in tree(root)? {
        let folder = format!("/proc/{}/task", process.pid);
        let threads = stats(&folder).with_context(|| format!("read {folder}"))?;
        times.extend(threads.into_iter().map(|thread| (thread.pid, duration(thread.ticks))));
    }
    Ok(times)
}

fn duration(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Memory that the tree below `root` holds now. Pages shared between processes count in each.
pub fn resident_bytes(root: u32) -> Result<u64> {
    let pages: u64 = tree(root)?.iter().map(|stat| stat.resident_pages).sum();
    Ok(pages * rustix::param::page_size() as u64)
}

/// The same with each page divided by the number of its mappings, be they of one process or of several.
pub fn proportional_bytes(root: u32) -> Result<u64> {
    let of = |stat: &Stat| {
        let path = format!("/proc/{}/smaps_rollup", stat.pid);
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        proportional(&text).with_context(|| format!("{path} has no Pss"))
    };
    tree(root)?.iter().map(of).sum()
}

/// The line `Pss:   123 kB` of /proc/PID/smaps_rollup, in bytes.
fn proportional(rollup: &str) -> Option<u64> {
    let rest = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

struct Stat {
    pid: u32,
    parent: u32,
    ticks: u64,
    resident_pages: u64,
}

/// One line of /proc/PID/stat (proc(5)). The name, in parentheses, may hold spaces and
/// parentheses itself, so fields are counted from the last `)`.
fn parse_stat(line: &str) -> Option<Stat> {
    let (pid, rest) = line.split_once(" (")?;
    let fields: Vec<&str> = rest.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    // The first field after the name is number 3, the state.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        pid: pid.parse().ok()?,
        parent: u32::try_from(field(4)?).ok()?,
        ticks: field(14)? + field(15)?,
        resident_pages: field(24)?,
    })
}

fn tree(root: u32) -> Result<Vec<Stat>> {
    let found = descendants(root, stats("/proc").context("read /proc")?);
    ensure!(!found.is_empty(), "process {root} is gone");
    Ok(found)
}

/// Of all processes, or of the threads of one, which have such a folder each in this one.
fn stats(folder: &str) -> io::Result<Vec<Stat>> {
    let mut all: Vec<Stat> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        // Those that end while we look are no concern of ours.
        let line = entry.and_then(|entry| std::fs::read_to_string(entry.path().join("stat")));
        all.extend(line.ok().as_deref().and_then(parse_stat));
    }
    Ok(all)
}

fn descendants(root: u32, mut rest: Vec<Stat>) -> Vec<Stat> {
    let mut found: Vec<Stat> = Vec::new();
    loop {
        let wanted =
            |stat: &Stat| stat.pid == root || found.iter().any(|above| above.pid == stat.parent);
        let (next, others): (Vec<Stat>, Vec<Stat>) = rest.into_iter().partition(wanted);
        if next.is_empty() {
            return found;
        }
        found.extend(next);
        rest = others;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Stat, cpu_time, cpu_times, descendants, parse_stat, proportional, proportional_bytes,
        resident_bytes,
    };

    #[test]
    fn stat_lines() {
        let line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 0 0 0 120 35 0 0 20 0 3 0 99 1000 64 0";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.pid, stat.parent, stat.ticks, stat.resident_pages), (42, 7, 155, 64));
        assert!(parse_stat("").is_none());
        assert!(parse_stat("42 (x) S 7").is_none());
    }

    #[test]
    fn rollups_have_one_line_of_all_pages() {
        let rollup = "Rss:  900 kB\nPss:          12 kB\nPss_Dirty:   7 kB\n";
        assert_eq!(proportional(rollup), Some(12 * 1024));
        assert_eq!(proportional("Pss_Dirty:   7 kB\n"), None);
    }

    #[test]
    fn trees_hold_grandchildren_and_no_strangers() {
        let stat = |pid, parent| Stat { pid, parent, ticks: 0, resident_pages: 0 };
        let all = vec![stat(3, 2), stat(1, 0), stat(2, 1), stat(9, 0), stat(4, 3)];
        let mut pids: Vec<u32> = descendants(2, all).iter().map(|stat| stat.pid).collect();
        pids.sort_unstable();
        assert_eq!(pids, [2, 3, 4]);
    }

    #[test]
    fn own_process_is_seen() {
        assert!(resident_bytes(std::process::id()).unwrap() > 0);
        assert!(proportional_bytes(std::process::id()).unwrap() > 0);
        assert!(cpu_time(std::process::id()).is_ok());
        assert!(cpu_time(u32::MAX).is_err());
        // The thread of the test and the one that waits for it.
        assert!(cpu_times(std::process::id()).unwrap().len() > 1);
    }
}
