//! What a query may be, as far as its text tells: several statements, a change of its session, the
//! beginning of a transaction.

use super::failure::Failure;
use crate::sql::SqlError;

/// How a query is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// There is a semicolon within. The driver would let several statements pass: that it is one, the
    /// server says when it prepares it. That keeps a value that was spliced into a query from being
    /// a statement of its own.
    pub(super) maybe_several: bool,
    /// It may leave something behind in its session.
    pub(super) lingers: bool,
}

/// Statements that change no session.
const PLAIN: [&str; 18] = [
    "alter", "analyze", "create", "delete", "desc", "describe", "drop", "explain", "insert",
    "optimize", "rename", "replace", "select", "show", "truncate", "update", "values", "with",
];

impl Route {
    /// `several`: the DSN allows several statements.
    ///
    /// # Errors
    /// A transaction that the query does not end.
    pub(super) fn of(query: &[u8], several: bool) -> Result<Route, Failure> {
        let text = query.trim_ascii();
        let first = first_word(text);
        let is = |word: &[u8], known: &str| word.eq_ignore_ascii_case(known.as_bytes());
        let begins = is(first, "begin") || is(first, "start") && !starts_replication(text);
        if begins && !(several && ends_transaction(text)) {
            return Err(left_open());
        }
        let end = text.iter().rposition(|byte| *byte != b';' && !byte.is_ascii_whitespace());
        let inner = &text[..end.map_or(0, |end| end + 1)];
        let maybe_several = !several && inner.contains(&b';');
        let plain = PLAIN.iter().any(|known| is(first, known));
        // A parenthesis begins a query.
        let plain = plain || text.first() == Some(&b'(');
        let lingers = !plain || (several && inner.contains(&b';')) || has_lingering_word(text);
        Ok(Route { maybe_several, lingers })
    }
}

fn left_open() -> Failure {
    let text = "a transaction must begin and end in one query, \
                which takes multiStatements=true in the DSN";
    Failure::Query(SqlError::Statement(String::from(text)))
}

/// `START SLAVE` and the like.
fn starts_replication(text: &[u8]) -> bool {
    !first_word(text[b"start".len()..].trim_ascii_start()).eq_ignore_ascii_case(b"transaction")
}

/// Whether the last of several statements ends a transaction.
fn ends_transaction(text: &[u8]) -> bool {
    let mut statements = text.rsplit(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let last = statements.find(|statement| !statement.is_empty()).unwrap_or_default();
    let word = first_word(last);
    word.eq_ignore_ascii_case(b"commit") || word.eq_ignore_ascii_case(b"rollback")
}

/// Variables of the session, locks by function, temporary tables. The word may stand in a string:
/// then nothing is lost but time.
fn has_lingering_word(text: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut words = text.split(|byte| !is_letter(byte));
    let named =
        |word: &[u8]| [&b"get_lock"[..], b"temporary"].iter().any(|w| word.eq_ignore_ascii_case(w));
    // An at sign within a word is that of an address.
    let variable = text.iter().enumerate().any(|(at, byte)| {
        *byte == b'@' && at.checked_sub(1).is_none_or(|before| !is_letter(&text[before]))
    });
    variable || words.any(named)
}

fn first_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Route;

    #[test]
    fn queries_are_told_apart() {
        for (query, maybe_several, lingers) in [
            ("select 1", false, false),
            (" SELECT 1 ; ", false, false),
            ("(select 1)", false, false),
            ("insert into t values ('a@b.c')", false, false),
            ("select 1; select 2", true, false),
            ("insert into t values ('a;b')", true, false),
            ("set sql_mode = ''", false, true),
            ("select @a := 1", false, true),
            ("select get_lock('a', 1)", false, true),
            ("create temporary table t (a int)", false, true),
            ("lock tables t read", false, true),
            ("call p()", false, true),
            ("/*!50000 set a = 1 */", false, true),
            ("start slave", false, true),
            ("", false, true),
        ] {
            let expected = Route { maybe_several, lingers };
            assert_eq!(Route::of(query.as_bytes(), false).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn a_transaction_ends_in_the_query_that_begins_it() {
        for (query, several, fine) in [
            ("begin", false, false),
            ("BEGIN;", true, false),
            ("start  transaction read only", false, false),
            ("begin; update t set a = 1; commit", false, false),
            ("begin; update t set a = 1; commit;", true, true),
            ("start transaction; select 1; rollback", true, true),
            ("begin; select 1", true, false),
            ("commit", false, true),
        ] {
            assert_eq!(Route::of(query.as_bytes(), several).is_ok(), fine, "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_told_apart_without_panic(query: Vec<u8>, several: bool) {
            let _ = Route::of(&query, several);
        }
    }
}
