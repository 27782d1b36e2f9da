//! Which files are opened, how they are made, and what is said of those that are not ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::kv::bolt::tests::SMALL;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn files_and_directories_are_made_with_their_modes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/kv.db");
    let wide = EmbeddedConfig { permissions: 0o666, ..config(&path) };
    drop(Embedded::open(&wide).unwrap());
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o666, 0o700));
    // A file that exists keeps its mode.
    drop(Embedded::open(&config(&path)).unwrap());
    assert_eq!(mode(&path), 0o666);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Embedded::open(&config(&file.join("sub/kv.db"))).unwrap_err().to_string();
    let expected = format!(
        "cannot create the directory {} for the embedded store: ",
        file.join("sub").display()
    );
    assert!(error.starts_with(&expected), "{error}");
}

/// A page of zeros with `bytes` at `offset`.
fn page(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut page = vec![0; 4096 * 20];
    page[offset..offset + bytes.len()].copy_from_slice(bytes);
    page
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kv");
    let check = |content: &[u8], expected: &str| {
        fs::write(&path, content).unwrap();
        let error = Embedded::open(&config(&path)).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(path.to_str().unwrap()), "{error}");
        assert!(fs::read(&path).unwrap() == content, "the file was written to: {expected}");
    };
    let bolt = format!(
        "is a BoltDB file of Tarmac's, which has to be imported once: mv {0} {0}.bolt && \
         airside import-bolt {0}.bolt {0}",
        path.display()
    );
    check(SMALL, &bolt);
    check(&page(16, b"\xed\xda\x0c\xed"), &bolt);
    check(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xed\xda\x0c\xed", &bolt);
    check(&page(100, b"x"), "creation was interrupted");
    check(&page(0, b"SQLite format 3"), "is neither an embedded store nor a BoltDB file");
    check(b"x", "is neither an embedded store nor a BoltDB file");
}

#[test]
fn a_damaged_header_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kv");
    drop(Embedded::open(&config(&path)).unwrap());
    let mut content = fs::read(&path).unwrap();
    content[9..512].fill(0xff);
    fs::write(&path, &content).unwrap();
    let error = Embedded::open(&config(&path)).unwrap_err().to_string();
    let expected = format!("cannot open the embedded store {}: ", path.display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_file_in_use_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kv");
    let holder = Embedded::open(&config(&path)).unwrap();
    let short = EmbeddedConfig { open_timeout: Duration::from_millis(30), ..config(&path) };
    let error = Embedded::open(&short).unwrap_err().to_string();
    let expected = format!(
        "the embedded store {} is in use by another process, still after 30ms",
        path.display()
    );
    assert_eq!(error, expected);

    let patient = EmbeddedConfig { open_timeout: Duration::from_secs(60), ..config(&path) };
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Embedded::open(&patient));
        drop(holder);
        assert!(waiting.join().unwrap().is_ok());
    });
}
