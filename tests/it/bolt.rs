//! From Tarmac's BoltDB file, written by bbolt itself, to the embedded store that functions read.

use std::fs;
use std::path::Path;
use std::process::Command;

use airside_tests::harness::{Client, Setup, root};
use tempfile::TempDir;

use crate::guests::double::status;
use crate::it::load::{call, kv_key};

const KEYS: usize = 10_000;
const LARGE: usize = 3;
/// Every seventh was deleted again; two keys are no plain text.
const KEYS_LEFT: usize = KEYS - KEYS.div_ceil(7) + LARGE + 2;

/// Runs the program in `tests/bolt`, which says there what it writes.
fn write_with_bbolt(file: &str) {
    let output = Command::new("go")
        .current_dir(root().join("tests/bolt"))
        .args(["run", ".", "-keys", &KEYS.to_string(), "-large", &LARGE.to_string(), file])
        .output()
        .expect("go writes the BoltDB file: tests/run.sh installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with Tarmac's file in it, and that file.
fn tarmacs() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tarmac.db").into_os_string().into_string().unwrap();
    write_with_bbolt(&file);
    (folder, file)
}

/// A server that keeps its keys in this file.
fn server_on(file: &str) -> Setup {
    let setup = Setup::new().guest("call").set("enable_kvstore", true);
    setup.set("kvstore_type", "boltdb").set("boltdb_filename", file)
}

/// The end of `airside import-bolt`: its exit code and what it said.
fn import(arguments: &[&str]) -> (Option<i32>, String) {
    let words = [&["import-bolt"], arguments].concat();
    let finished = Setup::bare().arguments(&words).run();
    (finished.code, finished.stdout + &finished.stderr)
}

#[track_caller]
fn check_get(client: &mut Client, key: &str, expected: Option<Vec<u8>>) {
    let body = client.post("/call", call("kvstore", "get", kv_key(key))).body;
    match expected {
        Some(data) => {
            let found = [b"1", &status(200, "OK")[..], &data_field(&data)].concat();
            assert!(body == found, "{key:?}: {} bytes", body.len());
        }
        None => assert!(body.starts_with(b"0Unable to fetch key"), "{key:?}"),
    }
}

/// Field 2 of a `KVStoreGetResponse`, of any length.
fn data_field(data: &[u8]) -> Vec<u8> {
    let mut field = vec![2 << 3 | 2];
    let mut rest = data.len();
    while rest > 0x7f {
        field.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    field.push(rest as u8);
    field.extend_from_slice(data);
    field
}

fn data(number: usize) -> Vec<u8> {
    [number.to_string().as_bytes(), b"\0\xff"].concat().repeat(1 + number % 50)
}

#[test]
fn a_file_of_tarmacs_is_refused_with_the_command_that_imports_it_and_served_after_that() {
    let (_folder, file) = tarmacs();
    let before = fs::read(&file).unwrap();
    let refused = server_on(&file).run();
    assert_eq!(refused.code, Some(69), "{}", refused.stderr);
    let command = format!("mv {file} {file}.bolt && airside import-bolt {file}.bolt {file}");
    assert!(refused.stderr.contains(&command), "{}", refused.stderr);
    assert!(fs::read(&file).unwrap() == before, "the file was written to");

    let aside = format!("{file}.bolt");
    fs::rename(&file, &aside).unwrap();
    let (code, text) = import(&[&aside, &file]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with(&format!("imported {KEYS_LEFT} keys, ")), "{text}");
    assert!(text.contains(&format!("all {KEYS_LEFT} were read back")), "{text}");
    assert!(text.contains("left out: 1 buckets within it"), "{text}");
    let (code, text) = import(&[&aside, &file]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("all {KEYS_LEFT} keys, ")), "{text}");
    assert!(text.contains("were compared and are the same"), "{text}");

    let server = server_on(&file).start();
    let mut client = server.client();
    for number in 0..KEYS {
        let expected = (number % 7 != 0).then(|| data(number));
        check_get(&mut client, &format!("key-{number:05}"), expected);
    }
    for number in 0..LARGE {
        let large = [number as u8, 0xff, b'\n', 0].repeat(1 << 18);
        check_get(&mut client, &format!("large-{number}"), Some(large));
    }
    check_get(&mut client, "line\nfeed \0 é", Some(b"odd".to_vec()));
    check_get(&mut client, "a", None);
    check_get(&mut client, "in", None);

    // The store is in use now, and then it has newer data.
    let (code, text) = import(&[&aside, &file]);
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains("is in use by another process"), "{text}");
    let deleted = client.post("/call", call("kvstore", "delete", kv_key("key-00001")));
    assert_eq!(deleted.body, [b"1", &status(200, "OK")[..]].concat());
    server.stop();
    let (code, text) = import(&[&aside, &file]);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("1 keys are missing, 0 have other data, 0 are not in"), "{text}");
    check_get(&mut server_on(&file).start().client(), "key-00001", None);
}

#[test]
fn what_cannot_be_imported_is_said_and_changes_nothing() {
    let (folder, file) = tarmacs();
    let path = |name: &str| folder.path().join(name).into_os_string().into_string().unwrap();
    let (new, cut) = (path("new.db"), path("cut.db"));
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let (found, text) = import(arguments);
        assert_eq!(found, Some(code), "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(!Path::new(&new).exists(), "{expected}");
    };
    let buckets = "it has no bucket sessions; its buckets are: none, second, tarmac";
    check(&["--bucket", "sessions", &file, &new], 64, buckets);
    check(&[&file, &file], 69, "is a BoltDB file of Tarmac's");
    check(&[&path("absent.db"), &new], 69, "it cannot be read: No such file");
    fs::write(&cut, &fs::read(&file).unwrap()[..64 * 1024]).unwrap();
    check(&[&cut, &new], 64, "it is cut off");
    let tarmac = fs::File::open(&file).unwrap();
    tarmac.lock().unwrap();
    check(&[&file, &new], 69, "it is in use by another process: stop Tarmac first");
    tarmac.unlock().unwrap();

    let (code, text) = import(&["--bucket", "second", &file, &new]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("imported 2 keys, 8 bytes, of bucket second"), "{text}");
    let server = server_on(&new).set("boltdb_bucket", "second").start();
    check_get(&mut server.client(), "b", Some(b"two".to_vec()));
}
