//! The modules that the tests serve: small ones in text form, and those of the examples.

use std::fs;
use std::path::PathBuf;

use super::root;

/// Compiles `tests/guests/NAME.wat`.
pub fn wasm(name: &str) -> Vec<u8> {
    let path = super::crate_folder().join("guests").join(name).with_extension("wat");
    wat::parse_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The modules of `examples/NAME`, in the order of their names. None when there is no such example.
pub fn example(name: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join("examples").join(name)) else { return Vec::new() };
    let mut modules: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    modules.sort();
    modules
}
