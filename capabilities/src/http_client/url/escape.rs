//! Percent-escapes, part by part of a URL: which are valid, and which bytes need one.

use super::quoted;

/// Where in a URL a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    UserInfo,
    Host,
    Path,
    Fragment,
}

/// Replaces the escapes in `text` with what they stand for.
///
/// # Errors
/// An escape that is none, or that this part may not have, in Go's words.
pub(super) fn decode(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let mut decoded = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            if part == Part::Host && byte.is_ascii() && !may_be_in_host(byte) {
                let shown = quoted(&char::from(byte).to_string());
                return Err(format!("invalid character {shown} in host name"));
            }
            decoded.push(byte);
            at += 1;
            continue;
        }
        match escaped_byte(&bytes[at..]) {
            // A host can escape no more than bytes that are not ASCII.
            Some(value) if part != Part::Host || !value.is_ascii() => decoded.push(value),
            _ => {
                let shown = String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 3)]);
                return Err(format!("invalid URL escape {}", quoted(&shown)));
            }
        }
        at += 3;
    }
    Ok(decoded)
}

/// The byte that `%XX` at the start stands for.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let digit = |index: usize| char::from(*text.get(index)?).to_digit(16);
    u8::try_from(digit(1)? << 4 | digit(2)?).ok()
}

/// A path as it is sent: as written if it is escaped well, else escaped anew.
pub(super) fn path(text: &str) -> Result<String, String> {
    let decoded = decode(text, Part::Path)?;
    if text.bytes().all(may_stay_in_path) {
        return Ok(text.to_owned());
    }
    let mut path = String::with_capacity(text.len() + 8);
    for byte in decoded {
        push(&mut path, byte, is_plain_in_path(byte));
    }
    Ok(path)
}

/// Appends a query as it is sent: as written, but for bytes that would end or break a request line.
pub(super) fn query(out: &mut String, text: &str) {
    for byte in text.bytes() {
        push(out, byte, matches!(byte, b'!' | b'#'..=b';' | b'=' | b'?'..=b'~'));
    }
}

fn push(out: &mut String, byte: u8, plain: bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if plain {
        out.push(char::from(byte));
    } else {
        let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
        out.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

/// Bytes that Go leaves alone when it escapes a path.
fn is_plain_in_path(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@')
}

/// Bytes that do not have Go escape a path anew.
fn may_stay_in_path(byte: u8) -> bool {
    is_plain_in_path(byte) || matches!(byte, b'%' | b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']')
}

fn may_be_in_host(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:[]<>\"".contains(&byte)
}

/// `@` is in this list for the sake of mail addresses as user names.
pub(super) fn may_be_in_userinfo(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:%@".contains(&byte)
}
