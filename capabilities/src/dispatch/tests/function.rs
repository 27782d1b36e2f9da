//! Every row of the function capability.

use super::Guest;
use crate::functions::{FunctionError, FunctionIndex};

#[test]
fn callees_answer_or_fail_in_their_own_words() {
    let check = |failure: Option<FunctionError>, error: &str, response: &[u8]| {
        let mut guest = Guest::new();
        guest.callees.failure = failure;
        assert_eq!(guest.call("function", "hello", b"{\"payload\":\xff"), error);
        assert_eq!(guest.response, response);
        assert_eq!(
            *guest.callees.called.borrow(),
            [(FunctionIndex(7), b"{\"payload\":\xff".to_vec())]
        );
    };
    check(None, "", b"callee \xff bytes");
    check(
        Some(FunctionError::Failed("guest's <text>".to_owned())),
        "failed to execute wasm module - guest's <text>",
        b"",
    );
    check(
        Some(FunctionError::NoInstance("nothing free in 5 s".to_owned())),
        "failed to execute wasm module - could not fetch module from pool - nothing free in 5 s",
        b"",
    );
    check(
        Some(FunctionError::NotLoaded),
        "unable to load wasi environment - module not found",
        b"",
    );
}

#[test]
fn a_name_that_is_not_callable_is_no_callback() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("function", "other", b""), "callback not found");
    assert!(guest.callees.called.borrow().is_empty());
}
