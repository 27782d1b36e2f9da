//! What importing a Bolt file leaves in a store, first and again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::import;
use super::*;
use crate::kv::bolt::tests::SMALL;

/// A folder with Tarmac's file, and where the store goes.
fn folder() -> (TempDir, BoltImport) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let import = BoltImport {
        source: path("tarmac.db.bolt"),
        destination: path("tarmac.db"),
        bucket: "tarmac".to_owned(),
    };
    fs::write(&import.source, SMALL).unwrap();
    (folder, import)
}

fn entries(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

fn count(embedded: &Embedded) -> usize {
    let mut count = 0;
    block_on(embedded.keys(|_| count += 1)).unwrap();
    count
}

#[test]
fn every_key_is_in_the_new_store_and_a_repeat_changes_nothing() {
    let (folder, import) = folder();
    fs::set_permissions(&import.source, PermissionsExt::from_mode(0o640)).unwrap();
    let first = import_bolt(&import).unwrap();
    assert_eq!((first.keys, first.buckets_left_out, first.copied), (27, 1, true));
    let mode = fs::metadata(&import.destination).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(entries(&folder), ["tarmac.db", "tarmac.db.bolt"].map(PathBuf::from));

    let again = import_bolt(&import).unwrap();
    assert_eq!(again, Imported { copied: false, ..first });
    assert_eq!(fs::read(&import.source).unwrap(), SMALL);

    let embedded = Embedded::open(&config(&import.destination)).unwrap();
    assert_eq!(get(&embedded, "line\nfeed \0 é"), Some(b"odd".to_vec()));
    assert_eq!(get(&embedded, "key-00007"), None);
    let odd = embedded.get(&[0xff, 0, 0xfe], <[u8]>::to_vec).unwrap();
    assert_eq!(odd, Some(vec![0, 0xff]));
    assert_eq!(count(&embedded), 27);
}

#[test]
fn a_store_that_was_written_to_is_left_as_it_is() {
    let (_folder, import) = folder();
    import_bolt(&import).unwrap();
    let embedded = Embedded::open(&config(&import.destination)).unwrap();
    block_on(embedded.set(b"key-00001", b"newer")).unwrap();
    block_on(embedded.delete(b"key-00002")).unwrap();
    block_on(embedded.set(b"new", b"key")).unwrap();
    drop(embedded);
    let error = import_bolt(&import).unwrap_err().to_string();
    let expected = "has data in tarmac already, and not that of the BoltDB file: 1 keys are missing, 1 have \
                    other data, 1 are not in the BoltDB file. Nothing was changed.";
    assert!(error.contains(expected), "{error}");
    let embedded = Embedded::open(&config(&import.destination)).unwrap();
    assert_eq!(get(&embedded, "key-00001"), Some(b"newer".to_vec()));
    assert_eq!(get(&embedded, "key-00002"), None);
}

#[test]
fn a_store_takes_several_buckets() {
    let (_folder, import) = folder();
    let second = BoltImport { bucket: "second".to_owned(), ..import.clone() };
    assert_eq!(import_bolt(&import).unwrap().keys, 27);
    let imported = import_bolt(&second).unwrap();
    assert_eq!((imported.keys, imported.bytes, imported.copied), (2, 8, true));
    let bucket = EmbeddedConfig { bucket: "second".to_owned(), ..config(&import.destination) };
    assert_eq!(get(&Embedded::open(&bucket).unwrap(), "b"), Some(b"two".to_vec()));
    assert!(!import_bolt(&import).unwrap().copied);
}

#[test]
fn what_cannot_be_imported_leaves_nothing_behind() {
    let check = |prepare: &dyn Fn(&mut BoltImport), expected: &str| {
        let (folder, mut import) = folder();
        let before = entries(&folder).len();
        prepare(&mut import);
        let error = import_bolt(&import).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        let is_ours = |name: &PathBuf| name.to_string_lossy().contains("importing");
        assert!(!entries(&folder).iter().any(is_ours));
        assert!(entries(&folder).len() <= before + 1);
    };
    check(
        &|i| i.bucket = "x".to_owned(),
        "it has no bucket x; its buckets are: none, second, tarmac",
    );
    check(&|i| fs::write(&i.source, "text").unwrap(), "it is not a BoltDB file");
    check(&|i| fs::remove_file(&i.source).unwrap(), "it cannot be read: No such file");
    check(
        &|i| fs::write(&i.source, &SMALL[..8192]).unwrap(),
        "it is cut off: 18432 bytes are in use",
    );
    check(&|i| fs::write(&i.destination, SMALL).unwrap(), "is a BoltDB file of Tarmac's");
    check(&|i| fs::write(&i.destination, "text").unwrap(), "is neither an embedded store nor a");
    check(&|i| i.destination = i.source.clone(), "is a BoltDB file of Tarmac's");
    // Damage that shows only when most of the bucket was copied: the last leaf's kind.
    check(&|i| fs::write(&i.source, damaged()).unwrap(), "it is damaged: ");
}

/// The file with a last leaf that is none. The branch in page 15 is the root, with five children.
fn damaged() -> Vec<u8> {
    let mut bytes = SMALL.to_vec();
    let last_child = 15 * 1024 + 16 + 4 * 16 + 8;
    let leaf = usize::from(bytes[last_child]) * 1024;
    bytes[leaf + 8] = 0x10;
    bytes
}

#[test]
fn a_run_that_was_killed_is_begun_again_and_one_at_work_is_not_disturbed() {
    let (folder, import) = folder();
    let unfinished = folder.path().join("tarmac.db.importing");
    let at_work = Embedded::open(&config(&unfinished)).unwrap();
    let error = import_bolt(&import).unwrap_err().to_string();
    assert!(error.contains("tarmac.db.importing is in use by another process"), "{error}");
    assert!(unfinished.exists());
    drop(at_work);
    fs::write(&unfinished, "half a").unwrap();
    assert_eq!(import_bolt(&import).unwrap().keys, 27);
    assert!(!unfinished.exists());
}

#[test]
fn commands_are_words_of_a_shell() {
    let check = |path: &str, bucket: &str, expected: &str| {
        assert_eq!(import::command(Path::new(path), bucket), expected);
    };
    check(
        "/data/tarmac/tarmac.db",
        "tarmac",
        "mv /data/tarmac/tarmac.db /data/tarmac/tarmac.db.bolt && \
         airside import-bolt /data/tarmac/tarmac.db.bolt /data/tarmac/tarmac.db",
    );
    check(
        "my data/it's",
        "a b",
        r"mv 'my data/it'\''s' 'my data/it'\''s.bolt' && airside import-bolt --bucket='a b' 'my data/it'\''s.bolt' 'my data/it'\''s'",
    );
    check("-x", "-y", "mv ./-x ./-x.bolt && airside import-bolt --bucket=-y ./-x.bolt ./-x");
}
