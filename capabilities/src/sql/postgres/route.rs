//! How a query travels: with others on a shared connection, or alone on one that is cleaned up
//! afterwards.
//!
//! The text is only skimmed. A mistake costs time, never isolation: what goes to a shared connection
//! is prepared there, and PostgreSQL refuses to prepare more than one statement; of a single
//! statement the first word tells for certain what it is.

/// Where a query runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'q> {
    Shared,
    /// It has several statements, or one that may change its session.
    Alone(Vec<&'q str>),
    /// It would have the client send or take a file.
    Copy,
}

/// What cannot change its session, but for the functions and temporary tables of [`lingers`].
const PLAIN: [&str; 25] = [
    "alter", "analyze", "call", "cluster", "comment", "create", "delete", "drop", "explain",
    "grant", "import", "insert", "merge", "notify", "refresh", "reindex", "revoke", "security",
    "select", "show", "table", "truncate", "update", "vacuum", "values",
];

pub(super) fn route(query: &str) -> Route<'_> {
    let statements = statements(query);
    if statements.iter().any(|statement| is_copy(statement)) {
        return Route::Copy;
    }
    let plain = match &statements[..] {
        [] => true,
        [statement] => {
            let first = first_word(statement);
            let is_plain = |word: &str| word == "with" || PLAIN.binary_search(&word).is_ok();
            // A parenthesis begins a query.
            (first.is_empty() && statement_start(statement).starts_with('('))
                || is_plain(&first.to_ascii_lowercase())
        }
        _ => false,
    };
    if plain && !lingers(query) { Route::Shared } else { Route::Alone(statements) }
}

/// Whether one of the statements begins a transaction.
pub(super) fn begins_transaction(statements: &[&str]) -> bool {
    let begins = |word: &str| ["begin", "start"].iter().any(|b| word.eq_ignore_ascii_case(b));
    statements.iter().any(|statement| begins(first_word(statement)))
}

/// `COPY ... FROM STDIN` or `TO STDOUT`.
fn is_copy(statement: &str) -> bool {
    let with_client =
        |word: &str| word.eq_ignore_ascii_case("stdin") || word.eq_ignore_ascii_case("stdout");
    first_word(statement).eq_ignore_ascii_case("copy") && words(statement).any(with_client)
}

/// Whether the text has a word of what outlives a statement without being one: settings and locks
/// by function, temporary tables. The word may stand in a string: then nothing is lost but time.
fn lingers(query: &str) -> bool {
    let mut before = "";
    for word in words(query) {
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        let starts = |known: &str| {
            word.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
        };
        if is("set_config") || starts("pg_advisory_") || starts("pg_try_advisory_") {
            return true;
        }
        let makes = ["create", "global", "into", "local", "replace"];
        if (is("temp") || is("temporary"))
            && makes.iter().any(|makes| before.eq_ignore_ascii_case(makes))
        {
            return true;
        }
        before = word;
    }
    false
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_letter = |character: char| character.is_alphanumeric() || character == '_';
    text.split(move |character| !is_letter(character)).filter(|word| !word.is_empty())
}

/// The first word of a statement, behind blanks and comments; empty if it begins otherwise.
fn first_word(statement: &str) -> &str {
    let start = statement_start(statement);
    let end = start.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(start.len());
    &start[..end]
}

fn statement_start(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    while rest.starts_with("--") || rest.starts_with("/*") {
        rest = rest[skip(rest, b' ')..].trim_start();
    }
    rest
}

/// The statements of a query, without those that are blank.
fn statements(query: &str) -> Vec<&str> {
    let bytes = query.as_bytes();
    let (mut start, mut at, mut depth) = (0, 0, 0_u32);
    let mut statements = Vec::new();
    let mut before = b' ';
    while at < bytes.len() {
        match bytes[at] {
            // Rules have statements in parentheses.
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => {
                statements.push(&query[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        let len = skip(&query[at..], before);
        at += len;
        before = bytes[at - 1];
    }
    statements.push(&query[start..]);
    statements.retain(|statement| !statement_start(statement).is_empty());
    statements
}

/// How many bytes the token at the start of `text` has: a comment, something in quotes, or one
/// character. `before` is the byte in front of it.
fn skip(text: &str, before: u8) -> usize {
    let to_end = |found: Option<usize>| found.unwrap_or(text.len());
    let one = || text.chars().next().map_or(1, char::len_utf8);
    match text.as_bytes() {
        [b'-', b'-', ..] => to_end(text.find('\n').map(|at| at + 1)),
        [b'/', b'*', ..] => comment(text),
        [b'\'', ..] => quoted(text, matches!(before, b'e' | b'E')),
        [b'"', ..] => to_end(text[1..].find('"').map(|at| at + 2)),
        // A dollar within a name begins no quote.
        [b'$', ..] if !(before.is_ascii_alphanumeric() || before == b'_') => {
            dollar_quoted(text).unwrap_or_else(one)
        }
        _ => one(),
    }
}

/// Comments nest.
fn comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (2, 1);
    while depth > 0 && at < bytes.len() {
        let step = match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
    }
    // A byte within a character is passed over one by one, up to the end of the text at most.
    at.min(bytes.len())
}

/// A string: two quotes are one, and with `escapes` so is a backslash and a quote.
fn quoted(text: &str, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 1,
            // A second quote begins what is read as the next string.
            b'\'' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// `$tag$ ... $tag$`; `None` if the dollar begins something else.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_len = text[1..].find('$')? + 2;
    let tag = &text[..tag_len];
    let name = &tag[1..tag_len - 1];
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let rest = &text[tag_len..];
    Some(rest.find(tag).map_or(text.len(), |at| tag_len + at + tag_len))
}

#[cfg(test)]
mod tests;
