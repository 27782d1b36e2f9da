//! Threads that own a core: a pinned glommio executor whose root future runs the shard's tokio reactor, and
//! the disk executor on glommio's own io_uring loop. The only file that names both.
//!
//! glommio chooses the CPU from its topology, pins the thread and owns its life. Everything of a request
//! then lives on the tokio current-thread runtime inside, so that drivers written for tokio run unmodified
//! on the core that owns the request. ARCHITECTURE.md says what was measured.

use std::future::Future;
use std::time::Duration;

use glommio::{ExecutorJoinHandle, GlommioError, LocalExecutorBuilder, Placement};
use tokio::runtime::{Builder, LocalOptions};

/// glommio's rings are idle on a shard: the smallest memory it accepts.
const SHARD_IO_MEMORY_BYTES: usize = 64 * 1024;
/// Submissions a shard's rings hold. Only glommio's own wake-up event is ever there.
const SHARD_RING_DEPTH: usize = 8;
/// Submissions the disk executor's rings hold.
const DISK_RING_DEPTH: usize = 64;
/// glommio sets this aside for storage buffers.
const DISK_IO_MEMORY_BYTES: usize = 256 * 1024;
/// Our own name replaces it at once; the helper thread that glommio keeps beside each executor, idle here, inherits it.
const IDLE_HELPER_NAME: &str = "airside-idle";
/// Rest of the disk executor between two batches: a line is in the log this much later at most.
const DISK_REST: Duration = Duration::from_millis(5);
/// A shard has no blocking work. tokio refuses 0, so that a driver which insists (scylla, when it learns of a new
/// topology or schema) gets one thread, which ends at once.
const BLOCKING_THREADS_MAX: usize = 1;
const BLOCKING_THREAD_NAME: &str = "airside-driver";
const BLOCKING_THREAD_REST: Duration = Duration::from_millis(1);

/// Why a thread could not be started or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// io_uring's memory is locked, and the limit is too low.
    #[error(
        "cannot start {thread}: the locked-memory limit is {limit} bytes and each shard needs {needed}: \
         raise it (ulimit -l, LimitMEMLOCK= in systemd, --ulimit memlock= for containers)"
    )]
    LockedMemory { thread: String, limit: u64, needed: u64 },
    /// io_uring is refused, usually by a container's seccomp profile or by sysctl.
    #[error(
        "cannot start {thread}: the kernel refused io_uring ({reason}): allow it (sysctl kernel.io_uring_disabled=0, \
         a container's seccomp profile that permits io_uring_setup, Linux 5.8 or newer), or raise the \
         locked-memory limit (ulimit -l)"
    )]
    IoUring { thread: String, reason: String },
    /// The thread ended by a panic.
    #[error("{thread} panicked: {reason}")]
    Panicked { thread: String, reason: String },
    /// The tokio runtime of a shard could not be built.
    #[error("cannot start the reactor of {thread}: {source}")]
    Reactor { thread: String, source: std::io::Error },
}

/// A started thread. Join it to learn how it ended.
#[derive(Debug)]
pub struct ExecutorThread {
    name: String,
    handle: ExecutorJoinHandle<Result<(), ExecutorError>>,
}

impl ExecutorThread {
    /// Waits for the thread's end.
    pub fn join(self) -> Result<(), ExecutorError> {
        match self.handle.join() {
            Ok(result) => result,
            Err(error) => Err(start_error(self.name, &error)),
        }
    }
}

/// Starts the thread of shard `index` on `cpu`. `make` runs there and gives the future that is the shard's life.
///
/// The thread is named `airside-shard-N`. A failure to set up io_uring appears when the thread is joined.
pub fn spawn_shard<M, F>(index: usize, cpu: usize, make: M) -> Result<ExecutorThread, ExecutorError>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let name = format!("airside-shard-{index}");
    let thread_name = name.clone();
    let handle = LocalExecutorBuilder::new(Placement::Fixed(cpu))
        .name(IDLE_HELPER_NAME)
        .io_memory(SHARD_IO_MEMORY_BYTES)
        .ring_depth(SHARD_RING_DEPTH)
        .spawn(move || async move {
            name_thread(&thread_name);
            let reactor = Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .max_blocking_threads(BLOCKING_THREADS_MAX)
                .thread_name(BLOCKING_THREAD_NAME)
                .thread_keep_alive(BLOCKING_THREAD_REST)
                .build_local(LocalOptions::default())
                .map_err(|source| ExecutorError::Reactor { thread: thread_name, source })?;
            reactor.block_on(make());
            Ok(())
        })
        .map_err(|error| start_error(name.clone(), &error))?;
    Ok(ExecutorThread { name, handle })
}

/// Starts `airside-disk`, the one thread that writes to files and to standard error.
pub fn spawn_disk<M, F>(make: M) -> Result<ExecutorThread, ExecutorError>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let name = String::from("airside-disk");
    let thread_name = name.clone();
    let handle = LocalExecutorBuilder::new(Placement::Unbound)
        .name(IDLE_HELPER_NAME)
        .io_memory(DISK_IO_MEMORY_BYTES)
        .ring_depth(DISK_RING_DEPTH)
        .spawn(move || async move {
            name_thread(&thread_name);
            make().await;
            Ok(())
        })
        .map_err(|error| start_error(name.clone(), &error))?;
    Ok(ExecutorThread { name, handle })
}

/// Lets lines gather between two batches of the log. Only on the disk executor.
pub async fn rest() {
    glommio::timer::sleep(DISK_REST).await;
}

/// Ours says which shard it is, where glommio appends a number of its own.
fn name_thread(name: &str) {
    if let Ok(name) = std::ffi::CString::new(name) {
        // The kernel keeps 15 bytes and ignores the rest; a thread without its name still works.
        let _ = rustix::thread::set_name(&name);
    }
}

fn start_error(thread: String, error: &GlommioError<()>) -> ExecutorError {
    match error {
        GlommioError::ReactorError(glommio::ReactorErrorKind::MemLockLimit(limit, needed)) => {
            ExecutorError::LockedMemory { thread, limit: *limit, needed: *needed }
        }
        GlommioError::IoError(source) => {
            ExecutorError::IoUring { thread, reason: source.to_string() }
        }
        other => ExecutorError::Panicked { thread, reason: other.to_string() },
    }
}
