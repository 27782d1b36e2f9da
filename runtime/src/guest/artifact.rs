//! Modules become machine code once: compiled in parallel at start, kept on disk, mapped by every shard.
//!
//! An artifact is named by the hash of its module and by what decides the code: wasmtime's version, target and engine
//! settings, what `expose` makes of modules, and whether it made something of this one. It is written to a temporary name, synced and renamed, so that a name always holds a whole file. Loading
//! one runs what is in it, hence the rule on who may write the folder.
#![expect(unsafe_code, reason = "wasmtime marks the loading of compiled code unsafe")]

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use super::expose;

/// Bits of a folder's mode that let others than its owner write: none may be set.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// How the names of artifacts end: of modules as they were given, and of those with hidden exports. A module can forge
/// the exports, but not its file's name.
const PLAIN: &str = ".cwasm";
const EXPOSED: &str = ".exposed.cwasm";

/// Why a module cannot be served. The caller adds which one it is.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    #[error("not a valid WebAssembly module: {0}")]
    Invalid(String),
    #[error("cannot load its compiled code from {path}: {reason}")]
    Load { path: PathBuf, reason: String },
    #[error("cannot write its compiled code to {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
}

/// The folder of compiled code.
#[derive(Debug)]
pub struct ArtifactCache {
    dir: PathBuf,
    /// A folder of our own when the configured one cannot be used; removed at exit.
    temporary: bool,
}

/// Why the configured folder is not used.
#[derive(Debug, thiserror::Error)]
#[error(
    "artifact_dir {dir} cannot be used ({reason}): compiled code is not kept for the next start"
)]
pub struct Unusable {
    dir: PathBuf,
    reason: String,
}

impl ArtifactCache {
    /// Opens `dir`, made when absent for its owner only. When it cannot be used, a temporary folder takes its place and
    /// the reason is given back for the log: a server with a read-only disk still serves.
    pub fn open(dir: &Path) -> io::Result<(ArtifactCache, Option<Unusable>)> {
        match private_dir(dir) {
            Ok(()) => Ok((ArtifactCache { dir: dir.to_path_buf(), temporary: false }, None)),
            Err(error) => {
                let own = std::env::temp_dir().join(format!("airside-{}", std::process::id()));
                DirBuilder::new().mode(0o700).create(&own)?;
                let unusable = Unusable { dir: dir.to_path_buf(), reason: error.to_string() };
                Ok((ArtifactCache { dir: own, temporary: true }, Some(unusable)))
            }
        }
    }

    /// Where the compiled code of `wasm` lies, compiling it when it is not there yet.
    pub fn prepare(&self, engine: &Engine, wasm: &[u8]) -> Result<PathBuf, ArtifactError> {
        let stem = artifact_stem(engine, wasm);
        let named = |end| self.dir.join(format!("{stem}{end}"));
        if let Some(there) = [EXPOSED, PLAIN].map(named).into_iter().find(|path| path.exists()) {
            return Ok(there);
        }
        let exposed = expose::expose(wasm);
        let path = named(if exposed.is_some() { EXPOSED } else { PLAIN });
        // Text would compile too when wasmtime's `wat` feature is on, which is no part of what is served.
        let code = engine
            .precompile_module(exposed.as_deref().unwrap_or(wasm))
            .map_err(|error| ArtifactError::Invalid(format!("{error:#}")))?;
        write_whole(&path, &code)
            .map_err(|source| ArtifactError::Write { path: path.clone(), source })?;
        Ok(path)
    }
}

impl Drop for ArtifactCache {
    fn drop(&mut self) {
        if self.temporary {
            // The shards have mapped their files by then. A folder that stays is a nuisance, not an error.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Whether this artifact's module has the hidden exports of `expose`.
pub(super) fn is_exposed(path: &Path) -> bool {
    path.to_string_lossy().ends_with(EXPOSED)
}

/// Maps an artifact of `ArtifactCache::prepare` into an engine.
pub fn load(engine: &Engine, path: &Path) -> Result<Module, ArtifactError> {
    // SAFETY: the file came from `prepare`: a whole file, made by this wasmtime (its name has the version), in a folder
    // that only we and root may write. wasmtime itself checks that version and settings agree.
    let module = unsafe { Module::deserialize_file(engine, path) };
    module.map_err(|error| ArtifactError::Load {
        path: path.to_path_buf(),
        reason: format!("{error:#}"),
    })
}

/// The module's hash, and the hash of all that wasmtime says must agree between compiler and engine, and of how modules are
/// exposed.
fn artifact_stem(engine: &Engine, wasm: &[u8]) -> String {
    let mut compatibility = DefaultHasher::new();
    expose::VERSION.hash(&mut compatibility);
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    let mut name = String::with_capacity(90);
    for byte in Sha256::digest(wasm) {
        name.push_str(&format!("{byte:02x}"));
    }
    name.push_str(&format!("-{:016x}", compatibility.finish()));
    name
}

fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let metadata = fs::metadata(dir)?;
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != 0 {
        return Err(io::Error::other("it belongs to another user, whose code would run here"));
    }
    if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(io::Error::other("others may write it, and their code would run here"));
    }
    let probe = dir.join(format!(".probe-{}", std::process::id()));
    File::create(&probe)?;
    fs::remove_file(&probe)
}

/// Another process may do the same at the same time: each has its own temporary name, and both files are alike.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!(
        "{}-{:?}.tmp",
        std::process::id(),
        std::thread::current().id()
    ));
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::engine;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_module_is_compiled_once() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, unusable) = ArtifactCache::open(&dir.path().join("deep/er")).unwrap();
        assert!(unusable.is_none());
        let engine = engine::compiler().unwrap();
        let wasm = wat::parse_str("(module (func (export \"f\")))").unwrap();
        let path = cache.prepare(&engine, &wasm).unwrap();
        let made = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(cache.prepare(&engine, &wasm).unwrap(), path);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), made);
        assert!(load(&engine, &path).unwrap().get_export("f").is_some());
        assert_eq!(fs::read_dir(dir.path().join("deep/er")).unwrap().count(), 1, "no leftovers");
    }

    #[test]
    fn what_is_not_a_module_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, _) = ArtifactCache::open(dir.path()).unwrap();
        let engine = engine::compiler().unwrap();
        for bytes in [&b""[..], b"\0asm", b"\x7fELF....", b"{}"] {
            let error = cache.prepare(&engine, bytes).unwrap_err();
            assert!(matches!(error, ArtifactError::Invalid(_)), "{error}");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let (cache, unusable) = ArtifactCache::open(dir.path()).unwrap();
        assert!(unusable.unwrap().to_string().contains("others may write it"));
        let own = cache.dir.clone();
        assert_ne!(own, dir.path());
        drop(cache);
        assert!(!own.exists());
    }
}
