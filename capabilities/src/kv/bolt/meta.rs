//! The two meta pages. Each commit writes one of them, in turn, so that the other one is whole
//! whatever happens meanwhile: the newer of those with a right checksum counts.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use super::BoltError;
use super::page::{HEADER_BYTES, u32_at, u64_at};

const MAGIC: u32 = 0xed0c_daed;
/// The only version of the format there has been since 2014.
const VERSION: u32 = 2;
/// magic, version, page size, flags: u32; root page, root's counter, free list, number of pages,
/// transaction, checksum: u64.
const META_BYTES: usize = 64;
/// Page sizes that bbolt looks for: powers of two from 1 KiB to 32 MiB.
const PAGE_SIZES: std::ops::RangeInclusive<u32> = 10..=25;

/// What the newer meta page says, checked against the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) page_bytes: u64,
    /// Root page of the tree of buckets.
    pub(super) root: u64,
    /// Pages in use or free: those with a lower number than this.
    pub(super) pages: u64,
    transaction: u64,
}

/// Whether this is a file of Bolt's: its first page says so, or else its second one, if that is
/// whole. The magic number alone could be anybody's data there.
pub(in crate::kv) fn is_bolt(file: &File) -> io::Result<bool> {
    let first = read(file, 0)?;
    Ok(first.is_some_and(|magic| u32::from_le_bytes(magic) == MAGIC) || newest(file)?.is_some())
}

impl Meta {
    /// The newer meta of a file, which must be as long as that says.
    pub(super) fn of(file: &File) -> Result<Meta, BoltError> {
        let damaged = || BoltError::damaged("neither of its meta pages is whole");
        let meta = newest(file)?.ok_or_else(damaged)?;
        let bytes = file.metadata()?.len();
        match meta.pages.checked_mul(meta.page_bytes) {
            Some(wanted) if wanted <= bytes => Ok(meta),
            wanted => Err(BoltError::CutOff { wanted: wanted.unwrap_or(u64::MAX), bytes }),
        }
    }

    fn parse(bytes: &[u8; META_BYTES]) -> Option<Meta> {
        let page_bytes = u32_at(bytes, 8);
        let is_whole = u32_at(bytes, 0) == MAGIC
            && u32_at(bytes, 4) == VERSION
            && page_bytes.is_power_of_two()
            && PAGE_SIZES.contains(&page_bytes.ilog2())
            && u64_at(bytes, 56) == fnv1a(&bytes[..56]);
        is_whole.then(|| Meta {
            page_bytes: page_bytes.into(),
            root: u64_at(bytes, 16),
            pages: u64_at(bytes, 40),
            transaction: u64_at(bytes, 48),
        })
    }
}

/// The newer of the metas that are whole. The second page follows the first at once, so it is only
/// where it says itself that the first one ends.
fn newest(file: &File) -> io::Result<Option<Meta>> {
    let mut newest: Option<Meta> = None;
    for offset in std::iter::once(0).chain(PAGE_SIZES.map(|bits| 1 << bits)) {
        let meta = read(file, offset)?.and_then(|bytes| Meta::parse(&bytes));
        let meta = meta.filter(|meta| offset == 0 || offset == meta.page_bytes);
        newest = newest.into_iter().chain(meta).max_by_key(|meta| meta.transaction);
    }
    Ok(newest)
}

/// What comes after the header of the page at `offset`; `None` past the end of the file.
fn read<const N: usize>(file: &File, offset: u64) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match file.read_exact_at(&mut bytes, offset + HEADER_BYTES as u64) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// FNV-1a, 64 bits.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
