//! WASI preview 1, under its two import names, with nothing behind it: no files, no network, no arguments, no
//! environment. Guests of Go, TinyGo, Zig, C and AssemblyScript import it because their runtimes do.
//!
//! Standard output and error go to the log, line by line; clocks, randomness and sleeping work; everything else answers
//! with the errno a sandbox without files gives. Source: the witx files of WASI snapshot 0 and snapshot preview 1.

use std::time::{Duration, UNIX_EPOCH};

use airside_capabilities::logger::Level;
use send_wrapper::SendWrapper;
use wasmtime::{Caller, FuncType, Linker, Val, ValType};

use super::instance::HostState;
use super::memory;
use crate::telemetry::clock;

mod poll;

/// The present name and the one of old toolchains.
const MODULES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

/// The errno values that are given, from witx `$errno`.
mod errno {
    pub(super) const SUCCESS: i32 = 0;
    pub(super) const BADF: i32 = 8;
    pub(super) const INVAL: i32 = 28;
    pub(super) const NOTSUP: i32 = 58;
    pub(super) const SPIPE: i32 = 70;
}

const STDIN: i32 = 0;
const STDOUT: i32 = 1;
const STDERR: i32 = 2;

/// Type of an open standard stream in `fdstat`: a character device, so that C libraries buffer by line.
const CHARACTER_DEVICE: u8 = 2;
/// The right to write, in `fdstat`.
const RIGHT_FD_WRITE: u64 = 1 << 6;
/// The right to read, in `fdstat`.
const RIGHT_FD_READ: u64 = 1 << 1;
/// Buffers of one `fd_write` at most, as IOV_MAX of Linux.
const IOVECS_MAX: i32 = 1024;
/// Bytes of one `random_get` at most: filling more would hold the core.
const RANDOM_BYTES_MAX: i32 = 64 * 1024;
/// A line without an end is logged when it gets this long.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// The guest called `proc_exit`: the instance is over, though code 0 of `_start` is how a command says it is ready.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the guest exited with code {code}")]
pub(super) struct Exit {
    pub(super) code: i32,
}

/// Calls that are refused: name, parameters (`i` = i32, `I` = i64), errno. All return an errno.
const REFUSED: [(&str, &str, i32); 32] = [
    ("fd_advise", "iIIi", errno::BADF),
    ("fd_allocate", "iII", errno::BADF),
    ("fd_datasync", "i", errno::BADF),
    ("fd_fdstat_set_flags", "ii", errno::BADF),
    ("fd_fdstat_set_rights", "iII", errno::BADF),
    ("fd_filestat_get", "ii", errno::BADF),
    ("fd_filestat_set_size", "iI", errno::BADF),
    ("fd_filestat_set_times", "iIIi", errno::BADF),
    ("fd_pread", "iiiIi", errno::BADF),
    ("fd_prestat_get", "ii", errno::BADF),
    ("fd_prestat_dir_name", "iii", errno::BADF),
    ("fd_pwrite", "iiiIi", errno::BADF),
    ("fd_readdir", "iiiIi", errno::BADF),
    ("fd_renumber", "ii", errno::BADF),
    ("fd_seek", "iIii", errno::SPIPE),
    ("fd_sync", "i", errno::BADF),
    ("fd_tell", "ii", errno::SPIPE),
    ("path_create_directory", "iii", errno::BADF),
    ("path_filestat_get", "iiiii", errno::BADF),
    ("path_filestat_set_times", "iiiiIIi", errno::BADF),
    ("path_link", "iiiiiii", errno::BADF),
    ("path_open", "iiiiiIIii", errno::BADF),
    ("path_readlink", "iiiiii", errno::BADF),
    ("path_remove_directory", "iii", errno::BADF),
    ("path_rename", "iiiiii", errno::BADF),
    ("path_symlink", "iiiii", errno::BADF),
    ("path_unlink_file", "iii", errno::BADF),
    ("proc_raise", "i", errno::NOTSUP),
    ("sock_accept", "iii", errno::BADF),
    ("sock_recv", "iiiiii", errno::BADF),
    ("sock_send", "iiiii", errno::BADF),
    ("sock_shutdown", "ii", errno::BADF),
];

/// Defines all 46 imports under both module names.
pub(super) fn link(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    for module in MODULES {
        linker.func_wrap(module, "args_get", |_: i32, _: i32| errno::SUCCESS)?;
        linker.func_wrap(module, "args_sizes_get", empty_sizes)?;
        linker.func_wrap(module, "environ_get", |_: i32, _: i32| errno::SUCCESS)?;
        linker.func_wrap(module, "environ_sizes_get", empty_sizes)?;
        linker.func_wrap(module, "clock_res_get", clock_res_get)?;
        linker.func_wrap(module, "clock_time_get", clock_time_get)?;
        linker.func_wrap(module, "fd_close", |fd: i32| standard(fd, errno::SUCCESS))?;
        linker.func_wrap(module, "fd_fdstat_get", fd_fdstat_get)?;
        linker.func_wrap(module, "fd_read", fd_read)?;
        linker.func_wrap(module, "fd_write", fd_write)?;
        linker.func_wrap(module, "proc_exit", |code: i32| -> wasmtime::Result<()> {
            Err(Exit { code }.into())
        })?;
        linker.func_wrap(module, "random_get", random_get)?;
        linker.func_wrap(module, "sched_yield", || errno::SUCCESS)?;
        let layout = poll::layout(module == MODULES[1]);
        linker.func_wrap_async(
            module,
            "poll_oneoff",
            move |caller: Caller<'_, HostState>, arguments: (i32, i32, i32, i32)| {
                // Send for wasmtime's signature only, as in `wapc::link`.
                Box::new(SendWrapper::new(poll::poll_oneoff(caller, layout, arguments)))
            },
        )?;
        for (name, parameters, errno) in REFUSED {
            refuse(linker, module, name, parameters, errno)?;
        }
    }
    Ok(())
}

fn refuse(
    linker: &mut Linker<HostState>,
    module: &str,
    name: &str,
    parameters: &str,
    errno: i32,
) -> wasmtime::Result<()> {
    let parameters = parameters.chars().map(|c| if c == 'I' { ValType::I64 } else { ValType::I32 });
    let signature = FuncType::new(linker.engine(), parameters, [ValType::I32]);
    linker.func_new(module, name, signature, move |_, _, results| {
        results[0] = Val::I32(errno);
        Ok(())
    })?;
    Ok(())
}

/// `errno` for one of the three standard streams, else BADF: nothing else is ever open.
fn standard(fd: i32, errno: i32) -> i32 {
    if (STDIN..=STDERR).contains(&fd) { errno } else { errno::BADF }
}

/// No arguments, no environment.
fn empty_sizes(
    mut caller: Caller<'_, HostState>,
    count_ptr: i32,
    size_ptr: i32,
) -> wasmtime::Result<i32> {
    put(&mut caller, count_ptr, &0u32.to_le_bytes())?;
    put(&mut caller, size_ptr, &0u32.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn clock_res_get(
    mut caller: Caller<'_, HostState>,
    clock: i32,
    result_ptr: i32,
) -> wasmtime::Result<i32> {
    if time_ns(clock).is_none() {
        return Ok(errno::INVAL);
    }
    put(&mut caller, result_ptr, &1u64.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn clock_time_get(
    mut caller: Caller<'_, HostState>,
    clock: i32,
    _precision_ns: i64,
    result_ptr: i32,
) -> wasmtime::Result<i32> {
    let Some(now_ns) = time_ns(clock) else { return Ok(errno::INVAL) };
    put(&mut caller, result_ptr, &now_ns.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

/// Clock 0 is wall time since 1970, 1 is monotonic. CPU clocks are not given: they would measure the other tenants.
fn time_ns(clock: i32) -> Option<u64> {
    match clock {
        0 => Some(wall_ns()),
        1 => Some(clock::now_ns()),
        _ => None,
    }
}

fn wall_ns() -> u64 {
    let since = clock::wall_now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn fd_fdstat_get(
    mut caller: Caller<'_, HostState>,
    fd: i32,
    result_ptr: i32,
) -> wasmtime::Result<i32> {
    if standard(fd, errno::SUCCESS) != errno::SUCCESS {
        return Ok(errno::BADF);
    }
    let rights = if fd == STDIN { RIGHT_FD_READ } else { RIGHT_FD_WRITE };
    let mut stat = [0u8; 24];
    stat[0] = CHARACTER_DEVICE;
    stat[8..16].copy_from_slice(&rights.to_le_bytes());
    put(&mut caller, result_ptr, &stat)?;
    Ok(errno::SUCCESS)
}

/// Standard input is at its end.
fn fd_read(
    mut caller: Caller<'_, HostState>,
    fd: i32,
    _iovs_ptr: i32,
    _iovs_len: i32,
    read_ptr: i32,
) -> wasmtime::Result<i32> {
    if fd != STDIN {
        return Ok(errno::BADF);
    }
    put(&mut caller, read_ptr, &0u32.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn fd_write(
    mut caller: Caller<'_, HostState>,
    fd: i32,
    iovs_ptr: i32,
    iovs_len: i32,
    written_ptr: i32,
) -> wasmtime::Result<i32> {
    if fd != STDOUT && fd != STDERR {
        return Ok(errno::BADF);
    }
    if !(0..=IOVECS_MAX).contains(&iovs_len) {
        return Ok(errno::INVAL);
    }
    let memory = memory::of(&mut caller)?;
    let (bytes, state) = memory.data_and_store_mut(&mut caller);
    let mut written = 0u32;
    for index in 0..iovs_len {
        let iov = iovs_ptr.wrapping_add(index * 8);
        let ptr = memory::read_u32(bytes, iov)?;
        let len = memory::read_u32(bytes, iov.wrapping_add(4))?;
        state.log_output(fd == STDERR, memory::read(bytes, ptr as i32, len as i32)?);
        written = written.saturating_add(len);
    }
    put(&mut caller, written_ptr, &written.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn random_get(mut caller: Caller<'_, HostState>, ptr: i32, len: i32) -> wasmtime::Result<i32> {
    if !(0..=RANDOM_BYTES_MAX).contains(&len) {
        return Ok(errno::INVAL);
    }
    let mut bytes = vec![0u8; len as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        let flags = rustix::rand::GetRandomFlags::empty();
        match rustix::rand::getrandom(&mut bytes[filled..], flags) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(wasmtime::Error::msg(format!("no random bytes: {error}"))),
        }
    }
    put(&mut caller, ptr, &bytes)?;
    Ok(errno::SUCCESS)
}

fn put(caller: &mut Caller<'_, HostState>, ptr: i32, bytes: &[u8]) -> wasmtime::Result<()> {
    let memory = memory::of(caller)?;
    Ok(memory::write(memory.data_mut(caller), ptr, bytes)?)
}

impl HostState {
    /// Bytes of standard output or error: each whole line becomes a line of the log.
    fn log_output(&mut self, is_error: bool, mut bytes: &[u8]) {
        let (buffer, level) = if is_error {
            (&mut self.stderr, Level::Error)
        } else {
            (&mut self.stdout, Level::Info)
        };
        let Some(guests) = self.guests.upgrade() else { return };
        while !bytes.is_empty() {
            let room = LINE_BYTES_MAX.saturating_sub(buffer.len()).max(1).min(bytes.len());
            let end = memchr::memchr(b'\n', &bytes[..room]);
            let (line, rest) = bytes.split_at(end.map_or(room, |at| at + 1));
            buffer.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
            if end.is_some() || buffer.len() >= LINE_BYTES_MAX {
                guests.log_guest(level, self.function, buffer);
                buffer.clear();
            }
            bytes = rest;
        }
    }

    /// What was written without an end of line, when the invocation ends.
    pub(super) fn flush_output(&mut self) {
        if self.stdout.is_empty() && self.stderr.is_empty() {
            return;
        }
        for is_error in [false, true] {
            let unfinished = if is_error { &self.stderr } else { &self.stdout };
            if !unfinished.is_empty() {
                self.log_output(is_error, b"\n");
            }
        }
    }

    /// waPC's own way to write a line to the host's log.
    pub(super) fn log_console(&self, line: &[u8]) {
        if let Some(guests) = self.guests.upgrade() {
            guests.log_guest(Level::Info, self.function, line);
        }
    }
}

/// Suspends the guest; bounded by the invocation's deadline, which drops the call.
async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
