//! Functions that other functions may call, by name. Running one is the runtime's part
//! ([`crate::CallFunction`]).

use std::collections::HashMap;

/// Position of a function in the runtime's list of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionIndex(pub u32);

/// The callable functions. A name that is not here is no operation at all.
#[derive(Debug, Clone, Default)]
pub struct FunctionNames(HashMap<Box<[u8]>, FunctionIndex>);

impl FunctionNames {
    /// The name as guests write it; the last of equal names wins.
    pub fn get(&self, name: &[u8]) -> Option<FunctionIndex> {
        self.0.get(name).copied()
    }
}

impl<N: Into<Vec<u8>>> FromIterator<(N, FunctionIndex)> for FunctionNames {
    fn from_iter<I: IntoIterator<Item = (N, FunctionIndex)>>(functions: I) -> Self {
        let named =
            functions.into_iter().map(|(name, index)| (name.into().into_boxed_slice(), index));
        FunctionNames(named.collect())
    }
}

/// Why a call of another function failed, in the words that its caller is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The name is callable but its module is not loaded.
    #[error("unable to load wasi environment - module not found")]
    NotLoaded,
    /// No instance became free within the wait. The text says what was waited for.
    #[error("failed to execute wasm module - could not fetch module from pool - {0}")]
    NoInstance(String),
    /// The callee answered with an error, trapped, or was ended by a limit.
    #[error("failed to execute wasm module - {0}")]
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_exactly() {
        let names: FunctionNames =
            [("hello", FunctionIndex(0)), ("Hello", FunctionIndex(3))].into_iter().collect();
        let check = |name: &str, expected: Option<u32>| {
            assert_eq!(names.get(name.as_bytes()), expected.map(FunctionIndex), "{name}");
        };
        check("hello", Some(0));
        check("Hello", Some(3));
        check("hello ", None);
        check("", None);
    }
}
