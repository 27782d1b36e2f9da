//! Paths as text: percent-decoding, percent-encoding, cleaning. No knowledge of routes.

use std::borrow::Cow;

/// Percent-decodes a path; none if a `%` is not followed by two hexadecimal digits.
pub(super) fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(if byte == b'%' {
            hex_digit(*rest.next()?)? << 4 | hex_digit(*rest.next()?)?
        } else {
            byte
        });
    }
    Some(decoded)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Percent-encodes a path for a `Location` header.
///
/// All that RFC 3986 does not allow in a path is encoded, so also control characters, `?`, `#` and
/// the backslash, which browsers read as a slash. A second slash at the start is encoded too:
/// `//host` would name another host.
pub(super) fn encode(path: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(path.len() + 8);
    for (index, byte) in path.bytes().enumerate() {
        if is_path_byte(byte) && !(index == 1 && byte == b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// RFC 3986 3.3: `pchar` and `/`, without the escapes.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte)
}

/// `/a/` for `/a` and the reverse; `/` stays.
pub(super) fn toggle_last_slash(path: &str) -> Cow<'_, str> {
    match path.strip_suffix('/') {
        Some("") => Cow::Borrowed(path),
        Some(shorter) => Cow::Borrowed(shorter),
        None => Cow::Owned([path, "/"].concat()),
    }
}

/// `path` in lower case, as far as it is ASCII.
pub(super) fn lower(path: &str) -> Cow<'_, str> {
    match path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(path.to_ascii_lowercase()),
        false => Cow::Borrowed(path),
    }
}

/// `path` without empty, `.` and `..` segments; the last slash stays. `..` at the root is dropped.
/// Borrowed if that changes nothing.
pub(super) fn clean(path: &str) -> Cow<'_, str> {
    if is_clean(path) {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let ends_in_slash = path.ends_with('/') || path.ends_with("/.");
    let mut clean = String::with_capacity(path.len() + 1);
    for segment in &kept {
        clean.push('/');
        clean.push_str(segment);
    }
    if ends_in_slash || kept.is_empty() {
        clean.push('/');
    }
    Cow::Owned(clean)
}

fn is_clean(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    path == "/" || segments.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::{Cow, clean, decode, encode, lower, toggle_last_slash};

    #[test]
    fn clean_paths() {
        let check = |path: &str, expected: &str| {
            let clean = clean(path);
            assert_eq!(clean, expected, "{path}");
            assert_eq!(matches!(clean, Cow::Borrowed(_)), path == expected, "{path}");
        };
        check("/", "/");
        check("/a", "/a");
        check("/a/", "/a/");
        check("//a/../b", "/b");
        check("/a//b///c", "/a/b/c");
        check("/a/./b/.", "/a/b/");
        check("/a/b/..", "/a");
        check("/..", "/");
        check("/../../a", "/a");
        check("/a/..//", "/");
        check("/.a/..b/...", "/.a/..b/...");
        check("/a/b/", "/a/b/");
        check("/a//", "/a/");
        check("//", "/");
        check("*", "/*");
    }

    #[test]
    fn encoded_paths_stay_on_this_host() {
        let check = |path: &str, expected: &str| assert_eq!(encode(path), expected, "{path:?}");
        check("/a b", "/a%20b");
        check("//evil.example/", "/%2Fevil.example/");
        check("/\\evil.example", "/%5Cevil.example");
        check("/a\r\nb: c", "/a%0D%0Ab:%20c");
        check("/ü?#%", "/%C3%BC%3F%23%25");
        check("/a//b", "/a//b");
    }

    #[test]
    fn escapes_decode_or_are_refused() {
        let check = |path: &str, expected: Option<&[u8]>| {
            assert_eq!(decode(path.as_bytes()).as_deref(), expected, "{path}");
        };
        check("/a%20b%2Fc", Some(b"/a b/c"));
        check("/%ff%00", Some(b"/\xff\0"));
        check("/%", None);
        check("/%4", None);
        check("/%4g", None);
        check("/%%41", None);
    }

    #[test]
    fn lower_case_is_borrowed() {
        let check = |path: &str, expected: &str| {
            let lower = lower(path);
            assert_eq!(lower, expected, "{path}");
            assert_eq!(matches!(lower, Cow::Borrowed(_)), path == expected, "{path}");
        };
        check("/users/42", "/users/42");
        check("/Users/ü", "/users/ü");
        check("/Ü", "/Ü");
    }

    #[test]
    fn last_slash_comes_and_goes() {
        let check = |path: &str, expected: &str| assert_eq!(toggle_last_slash(path), expected);
        check("/a", "/a/");
        check("/a/", "/a");
        check("/", "/");
    }
}
