//! A process that outlives the tests' own by a moment, to end what that one has started and to remove its folders.
//!
//! A test that is killed drops nothing, and what is shared by tests is never dropped. The kernel's own way, a signal at the
//! parent's death, goes by the thread that started the child, and tests are threads.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The keeper's input. It is never closed: the kernel does that when this process ends.
static KEEPER: OnceLock<Mutex<ChildStdin>> = OnceLock::new();

/// Has the process group `pid` killed and `folder` removed at the end of this process.
pub(super) fn keep(pid: u32, folder: &Path) {
    let mut input = KEEPER.get_or_init(start).lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(input, "{pid} {}", folder.display()).expect("the keeper reads");
}

/// Has `folder` removed at the end of this process.
pub(super) fn keep_folder(folder: &Path) {
    keep(0, folder);
}

fn start() -> Mutex<ChildStdin> {
    let mut command = Command::new(super::daemon::script("keeper.sh"));
    // In a group of its own, Ctrl-C at a terminal does not end it with the tests.
    command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    let child = command.spawn().expect("the keeper can be started");
    Mutex::new(child.stdin.expect("piped"))
}
