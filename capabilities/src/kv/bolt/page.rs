//! One page: a header of 16 bytes (number, kind, count, pages it runs over into), then as many
//! elements of 16 bytes, then the keys and values that these point at, counted from each element's
//! own start.

use super::{BoltError, Value};

pub(super) const HEADER_BYTES: usize = 16;
const ELEMENT_BYTES: usize = 16;
/// Kinds of pages (`flags` of the header).
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// `flags` of a leaf's element that names a bucket.
const BUCKET: u32 = 0x01;

/// The bytes of a page whose header and elements lie within it.
#[derive(Debug)]
pub(super) struct Page<B> {
    bytes: B,
    count: usize,
    kind: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    Branch,
    Leaf,
}

/// How many pages the one with this header takes.
pub(super) fn pages(header: &[u8; HEADER_BYTES]) -> u64 {
    u64::from(u32_at(header, 12)) + 1
}

impl Page<Vec<u8>> {
    /// A page of the file's, which names its own number.
    pub(super) fn numbered(bytes: Vec<u8>, number: u64) -> Result<Self, BoltError> {
        if u64_at(&bytes, 0) != number {
            return Err(BoltError::damaged(format!("page {number} has another one's number")));
        }
        Page::new(bytes)
    }
}

impl<'b> Page<&'b [u8]> {
    /// The page of a small bucket. It is a leaf.
    pub(super) fn inline(bytes: &'b [u8]) -> Result<Self, BoltError> {
        let page = Page::new(bytes)?;
        match page.contents()? {
            Contents::Leaf => Ok(page),
            Contents::Branch => Err(BoltError::damaged("a bucket in a leaf has a branch")),
        }
    }
}

impl<B: AsRef<[u8]>> Page<B> {
    fn new(bytes: B) -> Result<Self, BoltError> {
        let Some((header, elements)) = bytes.as_ref().split_first_chunk::<HEADER_BYTES>() else {
            return Err(BoltError::damaged("a page is shorter than its header"));
        };
        let kind = u16::from_le_bytes([header[8], header[9]]);
        let count = usize::from(u16::from_le_bytes([header[10], header[11]]));
        if elements.len() / ELEMENT_BYTES < count {
            return Err(BoltError::damaged("a page has more elements than room"));
        }
        Ok(Page { bytes, count, kind })
    }

    pub(super) fn contents(&self) -> Result<Contents, BoltError> {
        match self.kind {
            BRANCH => Ok(Contents::Branch),
            LEAF => Ok(Contents::Leaf),
            kind => Err(BoltError::damaged(format!("a page of kind {kind:#x} is in a tree"))),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The page that an element of a branch leads to.
    pub(super) fn child(&self, index: usize) -> Result<u64, BoltError> {
        let element = self.element(index)?;
        Ok(u64_at(element, 8))
    }

    /// Key and value of an element of a leaf.
    pub(super) fn entry(&self, index: usize) -> Result<(&[u8], Value<'_>), BoltError> {
        let element = self.element(index)?;
        let [flags, position, key_len, value_len] = [0, 4, 8, 12].map(|at| u32_at(element, at));
        let outside = || BoltError::damaged("a key or value lies outside of its page");
        let start = position as usize;
        let (key_len, value_len) = (key_len as usize, value_len as usize);
        // Before the end of all elements there is none of what they point at.
        if start < (self.count - index) * ELEMENT_BYTES {
            return Err(outside());
        }
        let after = element.get(start..).ok_or_else(outside)?;
        let (key, after) = after.split_at_checked(key_len).ok_or_else(outside)?;
        let value = after.get(..value_len).ok_or_else(outside)?;
        match flags {
            0 => Ok((key, Value::Data(value))),
            BUCKET => Ok((key, Value::Bucket(value))),
            flags => Err(BoltError::damaged(format!("an entry of kind {flags:#x}"))),
        }
    }

    /// From the start of an element to the end of the page.
    fn element(&self, index: usize) -> Result<&[u8], BoltError> {
        let bytes = self.bytes.as_ref().get(HEADER_BYTES + index * ELEMENT_BYTES..);
        bytes
            .filter(|element| index < self.count && element.len() >= ELEMENT_BYTES)
            .ok_or_else(|| BoltError::damaged("a page has more elements than room"))
    }
}

/// The integer at `at`, or 0 where there is none: callers have checked that there is one.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The same, twice as long.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
