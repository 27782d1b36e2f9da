//! What Linux says of a process: its threads with their CPUs, CPU time, memory and file descriptors.

use std::fs;
use std::time::Duration;

/// One thread of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The kernel's 15 bytes of name.
    pub name: String,
    /// The CPUs it may run on, as `Cpus_allowed_list` writes them: `3`, `0-1`, `0,2`.
    pub cpus: String,
    /// More means a smaller share of a core that others want too.
    pub niceness: i32,
}

/// The threads of a process, in the order in which they were started. One that ends meanwhile is left out.
pub fn threads(pid: u32) -> Vec<Thread> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let mut ids: Vec<u32> =
        tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    ids.into_iter().filter_map(|id| thread(pid, id)).collect()
}

fn thread(pid: u32, id: u32) -> Option<Thread> {
    let read = |file| fs::read_to_string(format!("/proc/{pid}/task/{id}/{file}")).ok();
    let status = read("status")?;
    let cpus = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let stat = read("stat")?;
    // The name, in parentheses, is field 2 of proc_pid_stat(5) and may hold anything; the niceness is field 19.
    let niceness = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19 - 3)?.parse().ok()?;
    let name = read("comm")?.trim().to_owned();
    Some(Thread { name, cpus: cpus.trim().to_owned(), niceness })
}

/// CPU time that the process's threads have used.
pub fn cpu_time(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    // Nanoseconds on a CPU come first; a thread that has ended meanwhile counts no more.
    let on_cpu = |task: fs::DirEntry| {
        let statistics = fs::read_to_string(task.path().join("schedstat")).ok()?;
        statistics.split(' ').next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.filter_map(|task| on_cpu(task.ok()?)).sum())
}

/// Memory of the process that is in RAM.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a VmRSS line");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB");
    kilobytes * 1024
}

/// Open file descriptors of the process.
pub fn file_descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs").count()
}

/// The sockets that each of the process's epoll instances watches, in the order of their descriptors.
pub fn watched_sockets(pid: u32) -> Vec<usize> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs");
    let mut numbers: Vec<u32> =
        descriptors.filter_map(|fd| fd.ok()?.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    let is = |number: &str, kind: &str| {
        let target = fs::read_link(format!("/proc/{pid}/fd/{number}"));
        target.is_ok_and(|target| target.to_string_lossy().starts_with(kind))
    };
    let sockets = |number: &String| {
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
        let watched =
            info.lines().filter_map(|line| line.strip_prefix("tfd:")?.split_whitespace().next());
        watched.filter(|number| is(number, "socket:")).count()
    };
    let numbers = numbers.iter().map(u32::to_string);
    let instances = numbers.filter(|number| is(number, "anon_inode:[eventpoll]"));
    instances.collect::<Vec<_>>().iter().map(sockets).collect()
}

/// The CPUs that this process, and so the servers it starts, may use.
pub fn cpus() -> Vec<usize> {
    let set = rustix::thread::sched_getaffinity(None).expect("one's own affinity can be read");
    (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}

/// A process and all that it and its children have started, parents first.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .expect("Linux has it")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, parent(id)?)))
        .collect();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(&known) = family.get(next) {
        family.extend(processes.iter().filter(|(_, parent)| *parent == known).map(|(id, _)| id));
        next += 1;
    }
    family
}

/// The process that has started this one, if it still runs.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name, in parentheses, which may contain any character, come the state and the parent.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
