//! An answered set is in the file whatever happens to the process: a child that sets is killed, and
//! the parent looks.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{block_on, config, get};
use crate::kv::Embedded;

/// Names the file to the child, and makes the test below be the child.
const CHILD_PATH: &str = "AIRSIDE_KV_CRASH_CHILD";
const WRITERS: usize = 4;
const ANSWERED_MIN: usize = 400;

#[test]
fn answered_sets_survive_kill_9() {
    if let Some(path) = std::env::var_os(CHILD_PATH) {
        set_for_ever(Path::new(&path));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kv");
    for round in 0..2 {
        let answered = kill_after_some_answers(&path);
        let embedded = Embedded::open(&config(&path)).unwrap();
        for key in &answered {
            assert_eq!(get(&embedded, key).as_deref(), Some(key.as_bytes()), "round {round}");
        }
    }
}

/// The keys that the child says were answered, up to the last line that is whole.
fn kill_after_some_answers(path: &Path) -> Vec<String> {
    let mut child = Killed(
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kv::embedded::tests::crash::answered_sets_survive_kill_9",
                "--nocapture",
            ])
            .env(CHILD_PATH, path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(child.0.stdout.take().unwrap());
    let mut answered = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if let Some(key) = line.strip_prefix("answered ").and_then(|line| line.strip_suffix('\n')) {
            answered.push(key.to_owned());
        }
        if answered.len() == ANSWERED_MIN {
            child.0.kill().unwrap();
        }
        line.clear();
    }
    assert!(answered.len() >= ANSWERED_MIN, "the child ended after {} answers", answered.len());
    answered
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn set_for_ever(path: &Path) {
    let embedded = Embedded::open(&config(path)).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let embedded = embedded.clone();
            scope.spawn(move || set_and_tell(&embedded, writer));
        }
    });
}

/// Ends when the parent is gone and its end of the pipe with it.
fn set_and_tell(embedded: &Embedded, writer: usize) {
    for number in 0.. {
        let key = format!("{}-{writer}-{number}", std::process::id());
        block_on(embedded.set(key.as_bytes(), key.as_bytes())).unwrap();
        // Around the test harness's capture, in one write, so that lines of several threads stay
        // whole.
        if std::io::stdout().lock().write_all(format!("answered {key}\n").as_bytes()).is_err() {
            return;
        }
    }
}
