//! JSON strings: out of their quotes, into them, and compared as Go compares a key with a field's
//! name.

use std::borrow::Cow;

use memchr::memchr;

/// The text of a string literal that the scanner has passed, quotes included.
pub(super) fn unquote(literal: &[u8]) -> Cow<'_, str> {
    let inner = &literal[1..literal.len() - 1];
    match std::str::from_utf8(inner) {
        Ok(text) if memchr(b'\\', inner).is_none() => Cow::Borrowed(text),
        _ => Cow::Owned(unescape(inner)),
    }
}

fn unescape(mut rest: &[u8]) -> String {
    let mut text = String::with_capacity(rest.len());
    while let Some(escape) = memchr(b'\\', rest) {
        push_lossy(&mut text, &rest[..escape]);
        rest = &rest[escape + 1..];
        let len = match rest[0] {
            b'u' => push_code_unit(&mut text, rest),
            byte => {
                text.push(match byte {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    other => char::from(other),
                });
                1
            }
        };
        rest = &rest[len..];
    }
    push_lossy(&mut text, rest);
    text
}

/// Go gives one U+FFFD for each byte that is not part of a character.
fn push_lossy(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

/// `rest` starts with `uXXXX`. A high surrogate takes the low one that follows it; alone, either is
/// U+FFFD. Returns how many bytes were used.
fn push_code_unit(text: &mut String, rest: &[u8]) -> usize {
    let unit = hex(&rest[1..5]);
    if let Some(character) = char::from_u32(unit) {
        text.push(character);
        return 5;
    }
    let low = match rest.get(5..11) {
        Some([b'\\', b'u', digits @ ..]) => hex(digits),
        _ => 0,
    };
    if unit < 0xdc00 && (0xdc00..0xe000).contains(&low) {
        let code_point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        text.extend(char::from_u32(code_point));
        return 11;
    }
    text.push(char::REPLACEMENT_CHARACTER);
    5
}

/// Four hexadecimal digits; the scanner has seen that they are.
fn hex(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, &digit| value << 4 | char::from(digit).to_digit(16).unwrap_or(0))
}

/// Whether a key names the field, by Unicode's simple case folding. Names are lower-case ASCII;
/// beside the capitals, only the Kelvin sign and the long s fold to letters of it.
pub(super) fn folds(name: &str, key: &str) -> bool {
    name.chars().eq(key.chars().map(|character| match character {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        other => other.to_ascii_lowercase(),
    }))
}

/// Appends a string literal as Go's encoder writes it: `<`, `>`, `&` and the line separators
/// escaped so that the text may stand in HTML and JavaScript, U+FFFD for what is not UTF-8.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        push_text(out, chunk.valid());
        chunk.invalid().iter().for_each(|_| out.extend_from_slice(br"\ufffd"));
    }
    out.push(b'"');
}

/// Runs of characters that stand for themselves are copied whole.
fn push_text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text;
    while let Some(plain) = rest.bytes().position(may_need_escape) {
        out.extend_from_slice(&rest.as_bytes()[..plain]);
        // The byte is the first of a character: continuation bytes need no escape.
        let mut characters = rest[plain..].chars();
        characters.next().into_iter().for_each(|character| push_char(out, character));
        rest = characters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

/// 0xe2 is how the line separators begin, and other characters.
fn may_need_escape(byte: u8) -> bool {
    matches!(byte, ..0x20 | b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2)
}

fn push_char(out: &mut Vec<u8>, character: char) {
    let short: &[u8] = match character {
        '"' => br#"\""#,
        '\\' => br"\\",
        '\n' => br"\n",
        '\r' => br"\r",
        '\t' => br"\t",
        '\u{8}' => br"\b",
        '\u{c}' => br"\f",
        ..'\u{20}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            out.extend_from_slice(format!(r"\u{:04x}", u32::from(character)).as_bytes());
            return;
        }
        _ => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
    };
    out.extend_from_slice(short);
}
