//! The server's binary, built by cargo when a test first asks for it: nothing happens when it is fresh.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::root;

/// The binary of the profile in which the tests themselves were built.
///
/// It is built as users build it, not with the features of wasmtime that the tests' oracle turns on.
pub(super) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

fn build() -> PathBuf {
    let (target, profile) = target_and_profile();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["build", "--quiet", "--package", "airside", "--bin", "airside"])
        .args(["--message-format", "json-render-diagnostics", "--profile", &profile])
        .arg("--target-dir")
        .arg(target)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "the server does not build");
    let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    messages
        .lines()
        .filter_map(executable)
        .next_back()
        .expect("cargo names the executable it has built")
}

/// `target/PROFILE/deps/it-HASH` is the running test.
fn target_and_profile() -> (PathBuf, String) {
    let test = env::current_exe().expect("the path of the running test");
    let folder = test.ancestors().nth(2).expect("a test lies in PROFILE/deps");
    let target = folder.parent().expect("profiles lie in the target folder").to_owned();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    (target, profile.to_owned())
}

fn executable(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_ours = message["target"]["name"] == "airside";
    is_ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}
