//! Copies a bucket of a Bolt file into an embedded store: all of it in one transaction and, when the
//! store is new, under another name until that is done. However the copying ends, a store has the
//! whole bucket or nothing of it. What was there before is compared and never changed.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};

use super::{EmbeddedConfig, OpenError, open};
use crate::kv::bolt::{BoltError, BoltFile, Bucket, Value};

/// What to import. The table gets the bucket's name.
#[derive(Debug, Clone)]
pub struct BoltImport {
    /// Tarmac's file. It is only read.
    pub source: PathBuf,
    /// The embedded store; created when absent, with the mode and, where that is allowed, the owner
    /// of the source.
    pub destination: PathBuf,
    pub bucket: String,
}

/// What is in the destination now, compared with the source byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub keys: u64,
    /// Of keys and data.
    pub bytes: u64,
    /// Buckets within the bucket, which Tarmac never makes and no guest could see: left out.
    pub buckets_left_out: u64,
    /// False: all of it was there before.
    pub copied: bool,
}

/// Why a bucket was not imported. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("cannot import {path}: {reason}")]
    Source { path: PathBuf, reason: BoltError },
    #[error(transparent)]
    Destination(#[from] OpenError),
    #[error(
        "{path} has data in {bucket} already, and not that of the BoltDB file: {missing} keys are \
         missing, {different} have other data, {extra} are not in the BoltDB file. Nothing was \
         changed. Name a file that does not exist yet, or remove this one"
    )]
    Differs { path: PathBuf, bucket: String, missing: u64, different: u64, extra: u64 },
    #[error("the embedded store {path} failed: {reason}")]
    Store { path: PathBuf, reason: redb::Error },
}

/// Failures while both files are read.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Bolt(#[from] BoltError),
    #[error(transparent)]
    Store(#[from] redb::Error),
}

type Table<'n> = TableDefinition<'n, &'static [u8], &'static [u8]>;

/// Imports the bucket, or finds that it was imported before. Blocks until all is on disk.
///
/// # Errors
/// When either file cannot be used, and when the destination has other data in the table.
pub fn import_bolt(import: &BoltImport) -> Result<Imported, ImportError> {
    let from_source = |reason| ImportError::Source { path: import.source.clone(), reason };
    let source = BoltFile::open(&import.source).map_err(from_source)?;
    let bucket = source.bucket(import.bucket.as_bytes()).map_err(from_source)?;
    let source = Source { file: source, bucket };
    if import.destination.exists() {
        let database = open_store(import, &import.destination)?;
        return fill_and_compare(&source, &database, import);
    }
    let unfinished = with_suffix(&import.destination, ".importing");
    forget_unfinished(&unfinished)?;
    let imported = open_store(import, &unfinished)
        .and_then(|database| fill_and_compare(&source, &database, import))
        .and_then(|imported| finish(import, &unfinished).map(|()| imported));
    if imported.is_err() {
        // It is of no use to anybody, and the next try would remove it.
        let _ = fs::remove_file(&unfinished);
    }
    imported
}

/// A bucket of an open file.
struct Source {
    file: BoltFile,
    bucket: Bucket,
}

fn open_store(import: &BoltImport, path: &Path) -> Result<Database, ImportError> {
    let of_source = fs::metadata(&import.source).map_err(|error| ImportError::Source {
        path: import.source.clone(),
        reason: error.into(),
    })?;
    Ok(open::open(&EmbeddedConfig {
        path: path.to_owned(),
        bucket: import.bucket.clone(),
        permissions: of_source.permissions().mode() & 0o777,
        open_timeout: Duration::ZERO,
    })?)
}

/// Removes what a run left behind that was killed; one that is still at work keeps its file.
fn forget_unfinished(path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::File { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock() {
        Ok(()) => fs::remove_file(path).map_err(failed),
        Err(TryLockError::WouldBlock) => {
            Err(OpenError::InUse { path: path.to_owned(), timeout: Duration::ZERO })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Gives the new store, which is closed by now, to the source's owner and its own name.
fn finish(import: &BoltImport, unfinished: &Path) -> Result<(), ImportError> {
    let destination = &import.destination;
    if let Ok(of_source) = fs::metadata(&import.source) {
        // Only root may give files away. Whoever else imports a file will serve it too.
        let _ = unix::fs::chown(unfinished, Some(of_source.uid()), Some(of_source.gid()));
    }
    // Not a rename: that would replace what somebody made there meanwhile.
    fs::hard_link(unfinished, destination)
        .and_then(|()| fs::remove_file(unfinished))
        .and_then(|()| File::open(open::directory_of(destination))?.sync_all())
        .map_err(|source| OpenError::File { path: destination.clone(), source }.into())
}

fn fill_and_compare(
    source: &Source,
    database: &Database,
    import: &BoltImport,
) -> Result<Imported, ImportError> {
    let failed = |fault| match fault {
        Fault::Bolt(reason) => ImportError::Source { path: import.source.clone(), reason },
        Fault::Store(reason) => ImportError::Store { path: import.destination.clone(), reason },
    };
    let table = Table::new(&import.bucket);
    let copied = fill(source, database, table).map_err(failed)?;
    let found = compare(source, database, table).map_err(failed)?;
    let Comparison { keys, bytes, buckets_left_out, missing, different, extra } = found;
    if missing + different + extra > 0 {
        let (path, bucket) = (import.destination.clone(), import.bucket.clone());
        return Err(ImportError::Differs { path, bucket, missing, different, extra });
    }
    Ok(Imported { keys, bytes, buckets_left_out, copied })
}

/// Copies the bucket if the table is empty or absent.
fn fill(source: &Source, database: &Database, table: Table<'_>) -> Result<bool, Fault> {
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    let mut table = transaction.open_table(table).map_err(redb::Error::from)?;
    if !table.is_empty().map_err(redb::Error::from)? {
        return Ok(false);
    }
    source.file.for_each(&source.bucket, |key, value| {
        if let Value::Data(data) = value {
            table.insert(key, data).map_err(redb::Error::from)?;
        }
        Ok::<(), Fault>(())
    })?;
    drop(table);
    transaction.commit().map_err(redb::Error::from)?;
    Ok(true)
}

/// Keys of the source, and how the table differs from them.
#[derive(Debug, Default)]
struct Comparison {
    keys: u64,
    bytes: u64,
    buckets_left_out: u64,
    missing: u64,
    different: u64,
    extra: u64,
}

fn compare(source: &Source, database: &Database, table: Table<'_>) -> Result<Comparison, Fault> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let table = transaction.open_table(table).map_err(redb::Error::from)?;
    let mut found = Comparison::default();
    source.file.for_each(&source.bucket, |key, value| {
        let Value::Data(data) = value else {
            found.buckets_left_out += 1;
            return Ok(());
        };
        found.keys += 1;
        found.bytes += (key.len() + data.len()) as u64;
        match table.get(key).map_err(redb::Error::from)? {
            None => found.missing += 1,
            Some(stored) if stored.value() != data => found.different += 1,
            Some(_) => {}
        }
        Ok::<(), Fault>(())
    })?;
    let stored = table.len().map_err(redb::Error::from)?;
    found.extra = stored.saturating_sub(found.keys - found.missing);
    Ok(found)
}

/// The command that makes the embedded store `path` of the Bolt file that is there now.
pub(super) fn command(path: &Path, bucket: &str) -> String {
    let aside = quoted_path(&with_suffix(path, ".bolt"));
    let path = quoted_path(path);
    let option = match bucket {
        DEFAULT_BUCKET => String::new(),
        other => format!(" --bucket={}", quoted(other)),
    };
    format!("mv {path} {aside} && airside import-bolt{option} {aside} {path}")
}

/// Tarmac's bucket, unless `boltdb_bucket` says otherwise.
pub const DEFAULT_BUCKET: &str = "tarmac";

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Never an option, whatever its first character.
fn quoted_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') { quoted(&format!("./{text}")) } else { quoted(&text) }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@,%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
