//! Which versions of everything were measured, for the notes below a table.

use std::process::Command;

use crate::machine::Stage;
use crate::peers::Peer;

/// What this binary was built of.
const LOCK: &str = include_str!("../../Cargo.lock");

/// One line: the load generators, then each peer with the version of what it is made of.
pub fn note(stage: &Stage, tools: &[&str], peers: &[Peer]) -> String {
    let tools = tools.iter().filter_map(|tool| {
        let option = if *tool == "wrk" { "-v" } else { "--version" };
        said(Command::new(tool).arg(option))
    });
    let peers = peers.iter().filter_map(|&peer| of_peer(stage, peer));
    let all: Vec<String> = tools.chain(peers).collect();
    format!("versions: {}", all.join("; "))
}

fn of_peer(stage: &Stage, peer: Peer) -> Option<String> {
    match peer {
        Peer::Nginx => said(Command::new("nginx").arg("-v")),
        Peer::Hyper | Peer::HyperThreads => Some(locked(&["hyper", "tokio"])),
        Peer::Epoll => Some(locked(&["httparse", "rustix"])),
        Peer::Conventional => Some(locked(&["hyper", "wapc", "wasmtime-provider"])),
        Peer::Wasmtime => said(Command::new("wasmtime").arg("--version")),
        Peer::Workerd => said(Command::new("workerd").arg("--version")),
        Peer::Airside => said(Command::new(stage.airside().ok()?).arg("--version")),
    }
    .map(|version| format!("{} ({version})", peer.name()))
}

/// The first line of what a program prints about itself; `None` when it cannot be started.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    // nginx writes it to standard error.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    Some(line.split(" Copyright").next().unwrap_or(line).trim().to_owned())
}

/// The versions of these crates; of several of one name, all.
fn locked(names: &[&str]) -> String {
    let of = |name: &&str| {
        let head = format!("[[package]]\nname = \"{name}\"\nversion = \"");
        let versions = LOCK.split(&head).skip(1).filter_map(|rest| rest.split('"').next());
        format!("{name} {}", versions.collect::<Vec<_>>().join(" and "))
    };
    names.iter().map(of).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{locked, said};

    #[test]
    fn versions_of_crates_are_known() {
        let text = locked(&["hyper", "no such crate"]);
        assert!(text.starts_with("hyper 1.") && text.ends_with("no such crate "), "{text}");
    }

    #[test]
    fn a_program_that_is_missing_has_no_version() {
        assert_eq!(said(&mut Command::new("/no/such/program")), None);
        assert_eq!(said(Command::new("echo").arg("x 1.2 Copyright y")), Some("x 1.2".to_owned()));
    }
}
