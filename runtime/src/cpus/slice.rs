//! The scheduling of threads that share cores with shards: a short slice, so that who needs little waits little and who needs
//! much is soon interrupted; and less weight than a shard, for work that can wait.
//!
//! Linux lets a thread that was woken wait until the running one has had its slice, 1 to 3 ms by default, unless the woken one
//! asks for a shorter slice of its own. Slices need Linux 6.12; none of this needs a privilege.
#![expect(unsafe_code, reason = "neither rustix nor std has sched_setattr")]

use std::io;
use std::mem;

/// The shortest slice that the kernel grants.
const SLICE_NS: u64 = 100_000;
const NICENESS_MAX: i32 = 19;

/// Gives the calling thread the short slice: it runs as soon as it wakes, also on a core that another holds. It keeps its
/// niceness, which the call would set to 0 otherwise: that takes a privilege when the server was started with a higher one,
/// and would be refused with all the rest.
///
/// # Errors
/// Those of sched_setattr(2).
pub fn shorten() -> io::Result<()> {
    stand_back(0)
}

/// The same, and so much more niceness than it has: on a core that others want too it gets a tenth of what each of them gets
/// with 10 more. Threads that it starts from here on inherit both.
///
/// # Errors
/// Those of sched_setattr(2).
pub fn stand_back(more_niceness: i32) -> io::Result<()> {
    let niceness = rustix::process::getpriority_process(None).unwrap_or_default();
    // SAFETY: `sched_attr` is plain integers, for which all zeros are a value.
    let mut attributes: libc::sched_attr = unsafe { mem::zeroed() };
    attributes.size = u32::try_from(mem::size_of::<libc::sched_attr>()).unwrap_or_default();
    attributes.sched_policy = libc::SCHED_OTHER as u32;
    attributes.sched_nice = (niceness + more_niceness).min(NICENESS_MAX);
    attributes.sched_runtime = SLICE_NS;
    // SAFETY: the kernel reads `size` bytes of a struct that lives until the call returns; 0 is the calling thread.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
