//! The stores' own clients, run as commands.

use std::process::Command;

/// What a command prints, without the last line's end.
///
/// # Panics
/// When it fails.
#[track_caller]
pub(super) fn output(command: &mut Command) -> String {
    let output = command.output().expect("it is installed");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    said(&output.stdout).trim_end_matches('\n').to_owned()
}
