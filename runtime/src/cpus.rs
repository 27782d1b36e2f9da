//! Which CPUs the shards may have: the affinity mask, the cgroup's quota and the settings `cpus` and `shards`,
//! put in order by glommio's view of the topology.

use std::fs;
use std::path::Path;

use glommio::{CpuLocation, CpuSet};

pub mod slice;

/// Why no CPUs could be chosen.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CpuError {
    #[error("cannot read the CPU topology: {0}")]
    Topology(String),
    #[error(
        "cpus names CPU {cpu}, which this process may not use: allowed are {allowed:?} (affinity mask and online CPUs)"
    )]
    NotAllowed { cpu: usize, allowed: Vec<usize> },
    #[error("shards is {shards}, but only {available} CPUs are allowed: {allowed:?}")]
    TooMany { shards: usize, available: usize, allowed: Vec<usize> },
}

/// The CPUs for the shards, one each, best first.
///
/// `cpus` restricts the choice, `shards` says how many. Without `shards` there is one for each allowed CPU, but no
/// more than the cgroup's quota pays for: a shard that is throttled stalls every request it owns.
pub fn choose(cpus: Option<&[usize]>, shards: Option<usize>) -> Result<Vec<usize>, CpuError> {
    let mask =
        rustix::thread::sched_getaffinity(None).map_err(|e| CpuError::Topology(e.to_string()))?;
    let online = CpuSet::online().map_err(|e| CpuError::Topology(e.to_string()))?;
    let allowed: Vec<CpuLocation> =
        online.into_iter().filter(|location| mask.is_set(location.cpu)).collect();
    pick(allowed, cpus, shards, quota_cpus(Path::new("/")))
}

fn pick(
    mut allowed: Vec<CpuLocation>,
    cpus: Option<&[usize]>,
    shards: Option<usize>,
    quota: Option<usize>,
) -> Result<Vec<usize>, CpuError> {
    // One hardware thread of each core before the second of any, and neighbours (NUMA node, package) together.
    allowed.sort_by_key(|l| (l.numa_node, l.package, l.core, l.cpu));
    let mut sibling = std::collections::HashMap::new();
    let mut ranked: Vec<(usize, usize)> = allowed
        .iter()
        .map(|l| {
            let nth: &mut usize = sibling.entry((l.package, l.core)).or_default();
            *nth += 1;
            (*nth, l.cpu)
        })
        .collect();
    ranked.sort_by_key(|(nth, _)| *nth);
    let mut ids: Vec<usize> = ranked.into_iter().map(|(_, cpu)| cpu).collect();
    let sorted = |ids: &[usize]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    if let Some(wanted) = cpus {
        if let Some(&cpu) = wanted.iter().find(|cpu| !ids.contains(cpu)) {
            return Err(CpuError::NotAllowed { cpu, allowed: sorted(&ids) });
        }
        ids = wanted.to_vec();
    }
    let count = shards.unwrap_or_else(|| ids.len().min(quota.unwrap_or(usize::MAX)));
    if count > ids.len() {
        return Err(CpuError::TooMany {
            shards: count,
            available: ids.len(),
            allowed: sorted(&ids),
        });
    }
    ids.truncate(count);
    Ok(ids)
}

/// How many CPUs the cgroup's quota pays for, rounded up. `None` when there is no quota or no cgroup.
///
/// `root` is `/`, or a test's folder. Version 2 (`cpu.max`) and version 1 (`cpu.cfs_quota_us`) are read; the
/// tightest limit of the whole path from the process's own group up counts.
fn quota_cpus(root: &Path) -> Option<usize> {
    let membership = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    membership.lines().filter_map(|line| group_quota(root, line)).min()
}

fn group_quota(root: &Path, membership: &str) -> Option<usize> {
    let mut fields = membership.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
    let (mount, read): (&str, fn(&Path) -> Option<usize>) = match controllers {
        "" => ("sys/fs/cgroup", quota_v2),
        c if c.split(',').any(|c| c == "cpu") => ("sys/fs/cgroup/cpu", quota_v1),
        _ => return None,
    };
    let mount = root.join(mount);
    let group = mount.join(path);
    group.ancestors().take_while(|dir| dir.starts_with(&mount)).filter_map(read).min()
}

fn quota_v2(group: &Path) -> Option<usize> {
    let text = fs::read_to_string(group.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    whole_cpus(quota, period)
}

fn quota_v1(group: &Path) -> Option<usize> {
    let read = |name| fs::read_to_string(group.join(name)).ok();
    whole_cpus(read("cpu.cfs_quota_us")?.trim(), read("cpu.cfs_period_us")?.trim())
}

/// `max` and -1 mean no quota.
fn whole_cpus(quota: &str, period: &str) -> Option<usize> {
    let (quota, period): (usize, usize) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0).then(|| quota.div_ceil(period).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(cpu: usize, core: usize, numa_node: usize) -> CpuLocation {
        CpuLocation { cpu, core, package: numa_node, numa_node }
    }

    /// Two nodes with two cores each, two hardware threads a core: 0-3 are the first threads, 4-7 their siblings.
    fn machine() -> Vec<CpuLocation> {
        (0..8).map(|cpu| location(cpu, cpu % 4, (cpu % 4) / 2)).collect()
    }

    #[test]
    fn cores_come_before_their_siblings_and_nodes_stay_together() {
        let check = |cpus: Option<&[usize]>, shards, quota, expected: &[usize]| {
            assert_eq!(pick(machine(), cpus, shards, quota).as_deref(), Ok(expected));
        };
        check(None, None, None, &[0, 1, 2, 3, 4, 5, 6, 7]);
        check(None, Some(3), None, &[0, 1, 2]);
        check(None, None, Some(2), &[0, 1]);
        check(None, Some(4), Some(2), &[0, 1, 2, 3]);
        check(Some(&[6, 2]), None, None, &[6, 2]);
        check(Some(&[6, 2, 1]), Some(1), None, &[6]);
    }

    #[test]
    fn what_is_not_there_is_an_error_that_says_what_is() {
        let error = pick(machine(), Some(&[1, 9]), None, None).unwrap_err();
        assert_eq!(error, CpuError::NotAllowed { cpu: 9, allowed: vec![0, 1, 2, 3, 4, 5, 6, 7] });
        let error = pick(machine(), Some(&[1, 0]), Some(3), None).unwrap_err();
        assert_eq!(error, CpuError::TooMany { shards: 3, available: 2, allowed: vec![0, 1] });
    }

    #[test]
    fn quotas_of_both_cgroup_versions_are_read() {
        let check = |membership: &str, files: &[(&str, &str)], expected: Option<usize>| {
            let root = tempfile::tempdir().unwrap();
            let write = |path: &str, text: &str| {
                let path = root.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            };
            write("proc/self/cgroup", membership);
            files.iter().for_each(|(path, text)| write(path, text));
            assert_eq!(quota_cpus(root.path()), expected, "{membership} {files:?}");
        };
        let v2 = "0::/a/b\n";
        check(v2, &[], None);
        check(v2, &[("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")], None);
        check(v2, &[("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n")], Some(2));
        check(v2, &[("sys/fs/cgroup/a/cpu.max", "50000 100000\n")], Some(1));
        check(
            v2,
            &[
                ("sys/fs/cgroup/a/cpu.max", "300000 100000\n"),
                ("sys/fs/cgroup/a/b/cpu.max", "800000 100000"),
            ],
            Some(3),
        );
        let v1 = "4:memory:/x\n3:cpu,cpuacct:/x\n";
        let quota = ("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "400000\n");
        let period = ("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
        check(v1, &[quota, period], Some(4));
        check(v1, &[("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n"), period], None);
    }
}
