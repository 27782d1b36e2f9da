//! The repository's own order: which room knows which, and that what its texts name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use airside_tests::harness::root;

/// The rooms of `runtime/src`. Each imports only those to its left: on a request's path the next room is to the right,
/// and what brings the server up comes last.
const ROOMS: [&str; 19] = [
    "telemetry",
    "log",
    "http",
    "router",
    "config",
    "cli",
    "cpus",
    "executor",
    "tasks",
    "net",
    "connection",
    "guest",
    "admin",
    "shard",
    "control",
    "serve",
    "boot",
    "demo",
    "commands",
];

/// Imports against that order, each with its reason.
const BACKWARD: [(&str, &str); 1] = [
    // A shard's tasks are connections that are served, and serving is done with what the shard owns.
    ("shard", "serve"),
];

/// All Rust files below a folder of the repository, but for what is built.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "nothing in {folder}");
    files
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The file's code without comments and without its tests, which come last.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn is_test(path: &Path) -> bool {
    let inside = path.strip_prefix(root()).unwrap();
    path.ends_with("tests.rs") || inside.components().any(|part| part.as_os_str() == "tests")
}

/// The rooms that `code` names after `crate::`, alone or in braces.
fn imported_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let name = |text: &str| -> String {
            text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
        };
        match after.strip_prefix('{') {
            Some(list) => rooms.extend(list.split('}').next().unwrap().split(',').map(name)),
            None => drop(rooms.insert(name(after))),
        }
    }
    rooms
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for path in rust_files("runtime/src") {
        let inside = path.strip_prefix(root().join("runtime/src")).unwrap().with_extension("");
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if is_test(&path) || ["main", "lib"].contains(&room.as_str()) {
            continue;
        }
        let place = |room: &str| ROOMS.iter().position(|known| *known == room);
        let own = place(&room).unwrap_or_else(|| panic!("{room} has no place among the rooms"));
        for other in imported_rooms(&code(&path)) {
            let allowed = BACKWARD.contains(&(room.as_str(), other.as_str()));
            if !allowed && place(&other).is_some_and(|place| place > own) {
                wrong.push(format!("{} imports {other}", shown(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Files that may name a crate, and no others.
#[track_caller]
fn check_only(name: &str, allowed: &[&str]) {
    let uses = [format!("{name}::"), format!("use {name}")];
    let mut named = BTreeSet::new();
    for path in rust_files("runtime/src").into_iter().chain(rust_files("capabilities/src")) {
        if uses.iter().any(|used| code(&path).contains(used)) {
            named.insert(shown(&path));
        }
    }
    let in_allowed = |file: &&String| allowed.iter().any(|allowed| file.starts_with(allowed));
    let elsewhere: Vec<&String> = named.iter().filter(|file| !in_allowed(file)).collect();
    assert!(elsewhere.is_empty(), "{name} is named by {elsewhere:?}");
    assert!(!named.is_empty(), "nobody names {name}");
}

#[test]
fn wasmtime_and_glommio_stay_in_their_rooms() {
    check_only("wasmtime", &["runtime/src/guest.rs", "runtime/src/guest/"]);
    check_only("glommio", &["runtime/src/executor.rs", "runtime/src/cpus.rs"]);
}

#[test]
fn capabilities_know_nothing_of_the_runtime() {
    for path in rust_files("capabilities/src") {
        assert!(!code(&path).contains("airside::"), "{}", shown(&path));
    }
}

const CRATES: [&str; 5] = ["runtime/src", "capabilities/src", "bench", "loadtest", "tests"];

#[test]
fn every_file_says_what_it_is() {
    let is_silent = |path: &PathBuf| !fs::read_to_string(path).unwrap().starts_with("//! ");
    let files: Vec<PathBuf> = CRATES.into_iter().flat_map(rust_files).collect();
    let silent: Vec<String> =
        files.iter().filter(|path| is_silent(path)).map(|path| shown(path)).collect();
    assert!(silent.is_empty(), "no //! head: {silent:#?}");
    let old = files.iter().find(|path| path.ends_with("mod.rs"));
    assert!(old.is_none(), "{old:?}: write foo.rs beside foo/");
}

#[test]
fn nothing_unwraps_and_nothing_is_left_to_do() {
    // In pieces, so that this file does not name them.
    let banned = [".unwrap()", concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!(")];
    for path in ["runtime/src", "capabilities/src"].into_iter().flat_map(rust_files) {
        let text = fs::read_to_string(&path).unwrap();
        for word in &banned[1..] {
            assert!(!text.contains(word), "{} says {word}", shown(&path));
        }
        let unwraps = !is_test(&path) && code(&path).contains(banned[0]);
        assert!(!unwraps, "{} unwraps outside of tests", shown(&path));
    }
}

/// What stands between backticks, without code blocks.
fn quoted(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let pieces = prose.iter().flat_map(|prose| prose.split('`').skip(1).step_by(2));
    pieces.map(str::to_owned).collect()
}

#[test]
fn the_paths_that_the_texts_name_exist() {
    for file in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        for quoted in quoted(&text) {
            let first = quoted.split('/').next().unwrap();
            let is_path = quoted.contains('/')
                && !quoted.contains(['*', ' ', '{', '<'])
                && root().join(first).exists()
                && !first.is_empty();
            assert!(!is_path || root().join(&quoted).exists(), "{file} names {quoted}");
        }
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = target.split('#').next().unwrap();
            let there = local.contains("://") || root().join(local).exists();
            assert!(there, "{file} links to {target}");
        }
    }
}

/// The lines of the code blocks.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1)).map(str::trim);
    lines.map(|line| line.trim_start_matches("$ ").to_owned()).collect()
}

#[test]
fn the_commands_of_the_readme_exist() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let commands = commands(&text);
    for expected in ["cargo run --release -- demo", "tests/run.sh"] {
        let there = commands.iter().any(|line| line.split(" #").next().unwrap().trim() == expected);
        assert!(there, "the README does not say: {expected}");
    }
    for line in &commands {
        let program = line.split(' ').next().unwrap();
        if program.contains('/') && !program.starts_with(['/', '.', '~']) {
            assert!(root().join(program).exists(), "the README runs {line}");
        }
    }
}

#[test]
fn cargo_run_runs_the_server() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]);
    let output = command.output().expect("cargo can be started");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let default_members = list(&metadata["workspace_default_members"]);
    let mut binaries = Vec::new();
    for package in list(&metadata["packages"]) {
        if default_members.contains(&package["id"]) {
            let targets = list(&package["targets"]);
            let is_binary = |target: &&serde_json::Value| target["kind"][0] == "bin";
            binaries.extend(targets.iter().filter(is_binary).map(|target| target["name"].clone()));
        }
    }
    assert_eq!(binaries, ["airside"], "`cargo run` has no one program to run");
}

#[test]
fn prebuilt_guests_match_their_sources() {
    build_guests(&["--verify"]);
}

/// Says that it did not where the toolchain is not the one that built them.
#[test]
fn the_demo_is_what_its_sources_build() {
    build_guests(&["--check", "demo"]);
}

fn build_guests(arguments: &[&str]) {
    let script = root().join("examples/build.sh");
    let output = Command::new(script).args(arguments).output().expect("bash is there");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
