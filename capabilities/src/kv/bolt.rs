//! Reads the files of Bolt (Go's go.etcd.io/bbolt), in which Tarmac keeps its keys: the pages of a
//! copy-on-write B+ tree, of which the newer one of two meta pages names the root. Read-only, and
//! no byte of the file is believed before it is checked: damage is an error, never a panic, an
//! endless walk, or memory beyond the file's own size.
//!
//! Format: bbolt's `internal/common` (page, meta, inode). All integers have the byte order of the
//! machine that wrote the file, for which only little-endian is taken here.

mod meta;
mod page;

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use meta::Meta;
use page::{Contents, Page};

pub(super) use meta::is_bolt;

/// A tree is at most this deep: with two children at least for each page, a deeper one would have
/// more pages than a file can.
const DEPTH_MAX: usize = 64;
/// Names of buckets that an error lists.
const NAMES_MAX: usize = 20;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BoltError {
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("it is in use by another process: stop Tarmac first")]
    InUse,
    #[error("it is not a BoltDB file")]
    NotBolt,
    #[error("it has no bucket {name}; its buckets are: {names}")]
    NoBucket { name: String, names: String },
    #[error("it is cut off: {wanted} bytes are in use, and it has {bytes}")]
    CutOff { wanted: u64, bytes: u64 },
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl BoltError {
    fn damaged(what: impl Into<String>) -> BoltError {
        BoltError::Damaged(what.into())
    }
}

/// An open file. While it lives nobody who keeps Bolt's rules writes to the file.
#[derive(Debug)]
pub(super) struct BoltFile {
    file: File,
    meta: Meta,
}

/// A bucket of the file's, found by name.
#[derive(Debug)]
pub(super) struct Bucket {
    tree: Tree,
}

/// Where a bucket's pages are.
#[derive(Debug, Clone)]
enum Tree {
    /// From this page on.
    Root(u64),
    /// A single leaf, kept in the entry that names the bucket.
    Inline(Vec<u8>),
}

/// What a leaf holds under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'p> {
    Data(&'p [u8]),
    /// A bucket within this one, as Bolt keeps it: its header and perhaps its only page.
    Bucket(&'p [u8]),
}

impl BoltFile {
    /// Opens the file with Bolt's own lock (flock), shared, without waiting for it.
    pub(super) fn open(path: &Path) -> Result<BoltFile, BoltError> {
        let file = File::open(path)?;
        // Before the lock, which other programs may have for reasons of their own.
        if !is_bolt(&file)? {
            return Err(BoltError::NotBolt);
        }
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BoltError::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let meta = Meta::of(&file)?;
        Ok(BoltFile { file, meta })
    }

    /// Finds a bucket by name among those that are in no other.
    pub(super) fn bucket(&self, name: &[u8]) -> Result<Bucket, BoltError> {
        let (mut found, mut names) = (None, Vec::new());
        self.walk(&Tree::Root(self.meta.root), &mut |key, value| {
            if let Value::Bucket(header) = value {
                if key == name {
                    found = Some(header.to_vec());
                }
                names.push(key.escape_ascii().to_string());
            }
            Ok::<(), BoltError>(())
        })?;
        let Some(header) = found else {
            let name = name.escape_ascii().to_string();
            return Err(BoltError::NoBucket { name, names: listed(&names) });
        };
        Ok(Bucket { tree: tree_of(header)? })
    }

    /// Gives every key of the bucket and what is under it to `each`, in ascending order of the
    /// keys, each once. Ends at the first error, its own or that of `each`.
    pub(super) fn for_each<E: From<BoltError>>(
        &self,
        bucket: &Bucket,
        mut each: impl FnMut(&[u8], Value<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.walk(&bucket.tree, &mut each)
    }

    fn walk<E: From<BoltError>>(
        &self,
        tree: &Tree,
        each: &mut impl FnMut(&[u8], Value<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut walk = Walk { file: self, pages_left: self.meta.pages, last_key: None, each };
        match tree {
            Tree::Root(root) => walk.page(*root, 0),
            Tree::Inline(bytes) => walk.leaf(&Page::inline(bytes)?),
        }
    }

    /// Reads a page with those that it runs over into.
    fn page(&self, number: u64) -> Result<Page<Vec<u8>>, BoltError> {
        let size = self.meta.page_bytes;
        if number < 2 || number >= self.meta.pages {
            return Err(BoltError::damaged(format!("page {number} is named, but is none")));
        }
        let mut head = [0; page::HEADER_BYTES];
        self.file.read_exact_at(&mut head, number * size)?;
        let count = page::pages(&head);
        if count > self.meta.pages - number {
            return Err(BoltError::damaged(format!("page {number} runs over the end of the file")));
        }
        let len = usize::try_from(count * size)
            .map_err(|_| BoltError::damaged(format!("page {number} is larger than memory")))?;
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, number * size)?;
        Page::numbered(bytes, number)
    }
}

/// One pass over a tree.
struct Walk<'f, F> {
    file: &'f BoltFile,
    /// No page is in a tree twice, so more than there are means that the tree is none.
    pages_left: u64,
    last_key: Option<Vec<u8>>,
    each: F,
}

impl<E, F> Walk<'_, &mut F>
where
    E: From<BoltError>,
    F: FnMut(&[u8], Value<'_>) -> Result<(), E>,
{
    fn page(&mut self, number: u64, depth: usize) -> Result<(), E> {
        if depth > DEPTH_MAX || self.pages_left == 0 {
            return Err(BoltError::damaged("its pages lead back to themselves").into());
        }
        self.pages_left -= 1;
        let page = self.file.page(number)?;
        match page.contents()? {
            Contents::Leaf => self.leaf(&page),
            Contents::Branch => {
                for child in 0..page.count() {
                    self.page(page.child(child)?, depth + 1)?;
                }
                Ok(())
            }
        }
    }

    fn leaf<B: AsRef<[u8]>>(&mut self, page: &Page<B>) -> Result<(), E> {
        for entry in 0..page.count() {
            let (key, value) = page.entry(entry)?;
            if self.last_key.as_deref().is_some_and(|last| last >= key) {
                return Err(BoltError::damaged("its keys are not in order").into());
            }
            let last_key = self.last_key.get_or_insert_default();
            last_key.clear();
            last_key.extend_from_slice(key);
            (self.each)(key, value)?;
        }
        Ok(())
    }
}

/// A bucket's header is the number of its root page and a counter; 0 means that the only page
/// comes right after.
fn tree_of(mut header: Vec<u8>) -> Result<Tree, BoltError> {
    const HEADER_BYTES: usize = 16;
    match (page::u64_at(&header, 0), header.len()) {
        (0, HEADER_BYTES..) => Ok(Tree::Inline(header.split_off(HEADER_BYTES))),
        (root, HEADER_BYTES) => Ok(Tree::Root(root)),
        _ => Err(BoltError::damaged("the header of a bucket is not one")),
    }
}

fn listed(names: &[String]) -> String {
    match names.len() {
        0 => "none".to_owned(),
        count if count > NAMES_MAX => {
            format!("{} and {} more", names[..NAMES_MAX].join(", "), count - NAMES_MAX)
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
pub(super) mod tests;
