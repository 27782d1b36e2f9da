//! Which keys a bucket can have: a key is the end of a subject, and not every text is one.

use super::errors::{Failure, refused};

/// A line of the protocol may have 4,096 bytes (`max_control_line`), and the server closes the
/// connection of who sends a longer one. The rest of such a line is a bucket's name, twice, and the
/// subject of the answer.
const KEY_BYTES_MAX: usize = 3072;

/// What nats.go takes and NATS can tell apart: a dot separates, so there must be something on both
/// of its sides.
pub(super) fn check(key: &[u8]) -> Result<&str, Failure> {
    let fits = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'/' | b'_' | b'=');
    if key.len() > KEY_BYTES_MAX {
        return Err(refused(format!("a key has at most {KEY_BYTES_MAX} bytes")));
    }
    let well_formed =
        key.split(|&c| c == b'.').all(|part| !part.is_empty() && part.iter().all(fits));
    match std::str::from_utf8(key) {
        Ok(key) if well_formed => Ok(key),
        _ => Err(refused(String::from(
            "a key consists of letters, digits, - / _ = and single dots, \
             and neither starts nor ends with a dot",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEY_BYTES_MAX, check};

    #[test]
    fn keys_are_those_of_nats_go_that_make_a_subject() {
        let longest = "k".repeat(KEY_BYTES_MAX);
        let longer = "k".repeat(KEY_BYTES_MAX + 1);
        for (key, ok) in [
            ("a", true),
            ("user/7=_-.Name", true),
            ("a.b.c", true),
            (&*longest, true),
            (&*longer, false),
            ("", false),
            (".", false),
            (".a", false),
            ("a.", false),
            ("a..b", false),
            ("a b", false),
            ("a*", false),
            ("a.>", false),
            ("user:7", false),
            ("a\r\nPUB b 0", false),
            ("ключ", false),
        ] {
            assert_eq!(check(key.as_bytes()).is_ok(), ok, "{key}");
        }
        assert!(check(b"\xff").is_err());
    }

    #[test]
    fn the_error_says_what_is_allowed() {
        let (_, reason) = check(b"user:7").unwrap_err();
        assert!(reason.contains("letters, digits, - / _ ="), "{reason}");
    }
}
