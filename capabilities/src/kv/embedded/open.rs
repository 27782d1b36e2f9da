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

use super::{EmbeddedConfig, import};
use crate::kv::bolt::is_bolt;

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
        "{path} is a BoltDB file of Tarmac's, which has to be imported once: {}",
        import::command(path, bucket)
    )]
    Bolt { path: PathBuf, bucket: String },
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
    let directory = directory_of(path);
    create_directory(directory)?;
    create_file(path, config.permissions).map_err(failed)?;
    // Before redb looks at it: Tarmac may be running and hold the file, and waiting for that would
    // hide the reason.
    if is_bolt(&File::open(path).map_err(failed)?).map_err(failed)? {
        return Err(OpenError::Bolt { path: path.clone(), bucket: config.bucket.clone() });
    }
    let database = open_when_free(config)?;
    // The entry of a new file is not on disk until its directory is.
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
    Ok(database)
}

pub(super) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
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
