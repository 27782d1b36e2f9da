//! A file that bbolt wrote, whole and damaged in many ways. `tests/small.db` is what `go run . -keys 30 -large 0 -page
//! 1024` writes in the folder `tests/bolt` of the repository, without the room behind its last page.

use std::collections::BTreeMap;
use std::io::Write;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;

pub(in crate::kv) const SMALL: &[u8] = include_bytes!("tests/small.db");
const PAGE_BYTES: usize = 1024;
/// Of the checksum in the page at offset 0.
const CHECKSUM_AT: usize = page::HEADER_BYTES + 56;

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Keys and data, and how many buckets are among them.
type Read = (BTreeMap<Vec<u8>, Vec<u8>>, usize);

fn read(bytes: &[u8], bucket: &str) -> Result<Read, BoltError> {
    let file = file(bytes);
    let bolt = BoltFile::open(file.path())?;
    let (mut keys, mut buckets) = (BTreeMap::new(), 0);
    bolt.for_each(&bolt.bucket(bucket.as_bytes())?, |key, value| {
        match value {
            Value::Data(data) => drop(keys.insert(key.to_vec(), data.to_vec())),
            Value::Bucket(_) => buckets += 1,
        }
        Ok::<(), BoltError>(())
    })?;
    Ok((keys, buckets))
}

/// The data that the program gives the key with this number.
fn data(number: usize) -> Vec<u8> {
    format!("{number}\0")
        .into_bytes()
        .into_iter()
        .chain([0xff])
        .collect::<Vec<_>>()
        .repeat(1 + number % 50)
}

#[test]
fn what_bbolt_wrote_is_read() {
    let (keys, buckets) = read(SMALL, "tarmac").unwrap();
    let mut expected: BTreeMap<Vec<u8>, Vec<u8>> = (0..30)
        .filter(|number| number % 7 != 0)
        .map(|number| (format!("key-{number:05}").into_bytes(), data(number)))
        .collect();
    expected.insert(vec![0xff, 0, 0xfe], vec![0, 0xff]);
    expected.insert("line\nfeed \0 é".into(), b"odd".to_vec());
    assert_eq!((keys, buckets), (expected, 1));

    let two = [("a", "one"), ("b", "two")].map(|(key, data)| (key.into(), data.into()));
    assert_eq!(read(SMALL, "second").unwrap(), (BTreeMap::from(two), 0));
    assert_eq!(read(SMALL, "none").unwrap(), (BTreeMap::new(), 0));
}

/// The file with other bytes at an offset.
fn with(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = SMALL.to_vec();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn errors_say_what_is_wrong() {
    let check = |bytes: &[u8], bucket: &str, expected: &str| {
        let error = read(bytes, bucket).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(SMALL, "tarmak", "it has no bucket tarmak; its buckets are: none, second, tarmac");
    check(b"", "tarmac", "it is not a BoltDB file");
    check(b"SQLite format 3", "tarmac", "it is not a BoltDB file");
    let neither = [&with(CHECKSUM_AT, &[0; 8])[..PAGE_BYTES], &[0; PAGE_BYTES]].concat();
    check(&neither, "tarmac", "it is damaged: neither of its meta pages is whole");
    let cut_off = "it is cut off: 18432 bytes are in use, and it has 17408";
    check(&SMALL[..SMALL.len() - PAGE_BYTES], "tarmac", cut_off);
    // The root of `tarmac` is the branch in page 15: its kind, its first child, its own number.
    let branch = 15 * PAGE_BYTES;
    check(&with(branch + 8, &[4]), "tarmac", "it is damaged: a page of kind 0x4 is in a tree");
    check(&with(branch + 24, &[15]), "tarmac", "it is damaged: its pages lead back to themselves");
    check(&with(branch + 24, &[1]), "tarmac", "it is damaged: page 1 is named, but is none");
    check(&with(branch + 24, &[200]), "tarmac", "it is damaged: page 200 is named, but is none");
    check(&with(branch, &[14]), "tarmac", "it is damaged: page 15 has another one's number");
    check(&with(branch + 12, &[9]), "tarmac", "page 15 runs over the end of the file");
    check(&with(branch + 10, &[255]), "tarmac", "a page has more elements than room");
}

#[test]
fn one_whole_meta_page_is_enough() {
    let all = read(SMALL, "tarmac").unwrap();
    let newer = |offset: usize| page::u64_at(SMALL, offset + page::HEADER_BYTES + 48);
    // The older one is damaged: nothing is lost. Its magic number is not needed to know the file.
    let older = if newer(0) < newer(PAGE_BYTES) { 0 } else { PAGE_BYTES };
    assert_eq!(read(&with(older, &[0; PAGE_BYTES]), "tarmac").unwrap(), all);
    // The newer one is damaged, as by a power cut: the commit before it counts, and that is a whole one.
    assert!(read(&with(PAGE_BYTES - older + CHECKSUM_AT, &[0; 8]), "tarmac").is_ok());
}

#[test]
fn a_file_that_is_written_to_is_left_alone() {
    let file = file(SMALL);
    let writer = File::open(file.path()).unwrap();
    writer.lock().unwrap();
    let error = BoltFile::open(file.path()).unwrap_err().to_string();
    assert_eq!(error, "it is in use by another process: stop Tarmac first");
    writer.unlock().unwrap();
    // Readers do not mind each other.
    let first = BoltFile::open(file.path()).unwrap();
    assert!(BoltFile::open(file.path()).is_ok());
    drop(first);
}

#[test]
fn only_a_whole_second_page_makes_a_file_one_of_bolts() {
    let check = |bytes: &[u8], expected: bool| {
        assert_eq!(is_bolt(file(bytes).as_file()).unwrap(), expected);
    };
    check(SMALL, true);
    check(&with(0, &[0; PAGE_BYTES]), true);
    check(&with(PAGE_BYTES, &[0; PAGE_BYTES]), true);
    check(&SMALL[..page::HEADER_BYTES + 4], true);
    check(&SMALL[..page::HEADER_BYTES + 3], false);
    // Data of somebody's that looks like one, but has no right checksum.
    let mut like = with(0, &[0; PAGE_BYTES]);
    like[PAGE_BYTES + CHECKSUM_AT] ^= 1;
    check(&like, false);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever is written where: an answer or an error, with no more keys than there is room for.
    #[test]
    fn damage_is_an_error_or_unseen(
        changes in prop::collection::vec((0..SMALL.len(), any::<u8>()), 1..12),
        low in prop::collection::vec((2..18_usize, 0..64_usize, 0..20_u8), 0..4),
        len in 0..=SMALL.len(),
        cut in any::<bool>(),
        resign in any::<bool>(),
    ) {
        let mut bytes = SMALL.to_vec();
        for (offset, byte) in changes {
            bytes[offset] = byte;
        }
        // Small numbers near the start of a page are what counts, positions and page numbers are made of.
        for (page, offset, byte) in low {
            bytes[page * PAGE_BYTES + offset] = byte;
        }
        if resign {
            for meta in [page::HEADER_BYTES, PAGE_BYTES + page::HEADER_BYTES] {
                let sum = meta::fnv1a(&bytes[meta..meta + 56]);
                bytes[meta + 56..meta + 64].copy_from_slice(&sum.to_le_bytes());
            }
        }
        if cut {
            bytes.truncate(len);
        }
        for bucket in ["tarmac", "second", "none"] {
            if let Ok((keys, buckets)) = read(&bytes, bucket) {
                let elements = keys.len() + buckets;
                prop_assert!(elements * 16 <= bytes.len(), "{elements} elements");
            }
        }
    }
}
