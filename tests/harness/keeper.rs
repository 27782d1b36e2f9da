//! A process that outlives the tests' own by a moment, to end what that one has started and to remove its folders.
//!
//! A test that is killed drops nothing, and what is shared by tests is never dropped. The kernel's own way, a signal at the
//! parent's death, goes by the thread that started the child, and tests are threads.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Its input is never closed here: the kernel does that when this process ends.
static KEEPER: OnceLock<Mutex<Child>> = OnceLock::new();

/// Has the process group `pid` killed and `folder` removed at the end of this process.
pub(super) fn keep(pid: u32, folder: &Path) {
    let mut keeper = KEEPER.get_or_init(start).lock().unwrap_or_else(PoisonError::into_inner);
    // In one piece: half a line would be half a folder's name.
    let line = format!("{pid} {}\n", folder.display());
    let input = keeper.stdin.as_mut().expect("piped");
    input.write_all(line.as_bytes()).expect("the keeper reads");
}

/// Has `folder` removed at the end of this process.
pub(super) fn keep_folder(folder: &Path) {
    keep(0, folder);
}

fn start() -> Mutex<Child> {
    let mut command = Command::new(super::services::script("keeper.sh"));
    // In a group of its own, Ctrl-C at a terminal does not end it with the tests.
    command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
    Mutex::new(command.spawn().expect("the keeper can be started"))
}
