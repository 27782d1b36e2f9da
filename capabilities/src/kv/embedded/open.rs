//! Opens the file: makes it and its directories, waits for another process to let go of it, and
//! says what is wrong with a file that is not one of ours. A file that is refused is never written
//! to.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, StorageError};

use super::EmbeddedConfig;

/// Pages of the file kept in memory.
const CACHE_BYTES_MAX: usize = 64 << 20;
/// How often a file that another process holds is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// Why the file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot create the directory {path} for the embedded store: {source}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("cannot open the embedded store {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "{path} is a BoltDB file of Tarmac's: importing it is not available yet in this version"
    )]
    Bolt { path: PathBuf },
    #[error(
        "{path} is an embedded store whose creation was interrupted, or whose header was erased: \
         remove it if it holds nothing that is needed"
    )]
    Unfinished { path: PathBuf },
    #[error("{path} is neither an embedded store nor a BoltDB file")]
    Foreign { path: PathBuf },
    #[error("the embedded store {path} is in use by another process, still after {timeout:?}")]
    InUse { path: PathBuf, timeout: Duration },
    #[error("cannot open the embedded store {path}: {reason}")]
    Database { path: PathBuf, reason: redb::Error },
    #[error("cannot start the committer thread of the embedded store: {0}")]
    Thread(io::Error),
}

pub(super) fn open(config: &EmbeddedConfig) -> Result<Database, OpenError> {
    let path = &config.path;
    let failed = |source| OpenError::File { path: path.clone(), source };
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    create_directory(directory)?;
    create_file(path, config.permissions).map_err(failed)?;
    // Before redb looks at it: Tarmac may be running and hold the file, and waiting for that would
    // hide the reason.
    if is_bolt(&File::open(path).map_err(failed)?).map_err(failed)? {
        return Err(OpenError::Bolt { path: path.clone() });
    }
    let database = open_when_free(config)?;
    // The entry of a new file is not on disk until its directory is.
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
    Ok(database)
}

fn create_directory(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| OpenError::Directory { path: path.to_owned(), source })
}

/// Gives a new file its mode, whatever the process's umask; leaves a file that is there as it is.
fn create_file(path: &Path, permissions: u32) -> io::Result<()> {
    let created = OpenOptions::new().write(true).create_new(true).mode(permissions).open(path);
    match created {
        Ok(file) => file.set_permissions(PermissionsExt::from_mode(permissions)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Bolt writes two meta pages, the first at offset 0 and the second one page later. Each has its
/// magic number 16 bytes in, and the pages are as large as those of the machine that made the file.
fn is_bolt(file: &File) -> io::Result<bool> {
    const MAGIC: [u8; 4] = 0xed0c_daed_u32.to_le_bytes();
    const PAGE_HEADER_BYTES: u64 = 16;
    let pages = (10..=16).map(|bits| 1_u64 << bits);
    for page in std::iter::once(0).chain(pages) {
        let mut found = [0; MAGIC.len()];
        match file.read_exact_at(&mut found, page + PAGE_HEADER_BYTES) {
            Ok(()) if found == MAGIC => return Ok(true),
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error),
            _ => {}
        }
    }
    Ok(false)
}

fn open_when_free(config: &EmbeddedConfig) -> Result<Database, OpenError> {
    let give_up = Instant::now() + config.open_timeout;
    loop {
        match try_open(&config.path) {
            Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < give_up => {
                thread::sleep(RETRY_INTERVAL.min(config.open_timeout));
            }
            opened => return opened.map_err(|error| explain(config, error)),
        }
    }
}

fn try_open(path: &Path) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    redb::Builder::new()
        .set_cache_size(CACHE_BYTES_MAX)
        .create_with_backend(FileBackend::new(file)?)
}

fn explain(config: &EmbeddedConfig, error: DatabaseError) -> OpenError {
    let path = config.path.clone();
    match error {
        DatabaseError::DatabaseAlreadyOpen => {
            OpenError::InUse { path, timeout: config.open_timeout }
        }
        DatabaseError::Storage(StorageError::Io(source)) => match magic(&path) {
            Ok(magic) if magic.starts_with(b"redb") => OpenError::File { path, source },
            Ok([0, 0, 0, 0]) => OpenError::Unfinished { path },
            Ok(_) => OpenError::Foreign { path },
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => OpenError::Foreign { path },
            Err(_) => OpenError::File { path, source },
        },
        other => OpenError::Database { path, reason: other.into() },
    }
}

/// The start of the nine bytes that redb writes last of all when it makes a file.
fn magic(path: &Path) -> io::Result<[u8; 4]> {
    let mut magic = [0; 4];
    File::open(path)?.read_exact_at(&mut magic, 0)?;
    Ok(magic)
}
