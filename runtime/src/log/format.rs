//! Lines as JSON or as `name=value` pairs. Both quote strings the same way, so one set of rules keeps a
//! message within its line and its quotes.

use super::queue::Entry;
use super::{Format, label};
use std::io::Write;
use std::time::SystemTime;

/// Appends one line, its end included.
pub(super) fn write_line(line: &mut Vec<u8>, format: Format, entry: &Entry) {
    match format {
        Format::Json => write_json(line, entry),
        Format::Text => write_text(line, entry),
    }
    line.push(b'\n');
}

fn write_json(line: &mut Vec<u8>, entry: &Entry) {
    line.extend_from_slice(b"{\"time\":\"");
    write_time(line, entry.at);
    line.extend_from_slice(b"\",\"level\":\"");
    line.extend_from_slice(label(entry.level).as_bytes());
    line.extend_from_slice(b"\",\"msg\":");
    write_message(line, entry);
    if let Some(function) = entry.function() {
        line.extend_from_slice(b",\"function\":");
        write_quoted(line, function, 0);
    }
    for (name, value) in &entry.fields {
        line.extend_from_slice(b",\"");
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\":");
        write_quoted(line, value.as_bytes(), 0);
    }
    line.push(b'}');
}

fn write_text(line: &mut Vec<u8>, entry: &Entry) {
    line.extend_from_slice(b"time=");
    write_time(line, entry.at);
    line.extend_from_slice(b" level=");
    line.extend_from_slice(label(entry.level).as_bytes());
    line.extend_from_slice(b" msg=");
    write_message(line, entry);
    if let Some(function) = entry.function() {
        line.extend_from_slice(b" function=");
        write_quoted(line, function, 0);
    }
    for (name, value) in &entry.fields {
        line.push(b' ');
        line.extend_from_slice(name.as_bytes());
        line.push(b'=');
        write_quoted(line, value.as_bytes(), 0);
    }
}

fn write_time(line: &mut Vec<u8>, at: SystemTime) {
    // Writing to a vector cannot fail.
    let _ = write!(line, "{}", humantime::format_rfc3339_micros(at));
}

fn write_message(line: &mut Vec<u8>, entry: &Entry) {
    write_quoted(line, entry.message(), entry.cut);
}

/// A string in quotes: JSON's escapes, and one too for every character that could move the cursor, end
/// the line or reorder what stands beside it. What is not UTF-8 becomes U+FFFD.
fn write_quoted(line: &mut Vec<u8>, bytes: &[u8], cut: usize) {
    line.push(b'"');
    for chunk in bytes.utf8_chunks() {
        write_escaped(line, chunk.valid());
        if !chunk.invalid().is_empty() {
            line.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
    if cut > 0 {
        let _ = write!(line, " [{cut} bytes cut]");
    }
    line.push(b'"');
}

fn write_escaped(line: &mut Vec<u8>, text: &str) {
    let mut plain_from = 0;
    for (index, character) in text.char_indices().filter(|&(_, character)| is_escaped(character)) {
        line.extend_from_slice(&text.as_bytes()[plain_from..index]);
        plain_from = index + character.len_utf8();
        match character {
            '"' => line.extend_from_slice(b"\\\""),
            '\\' => line.extend_from_slice(b"\\\\"),
            '\n' => line.extend_from_slice(b"\\n"),
            '\r' => line.extend_from_slice(b"\\r"),
            '\t' => line.extend_from_slice(b"\\t"),
            // All others are below U+10000, so four digits hold them.
            _ => {
                let _ = write!(line, "\\u{:04x}", u32::from(character));
            }
        }
    }
    line.extend_from_slice(&text.as_bytes()[plain_from..]);
}

fn is_escaped(character: char) -> bool {
    matches!(character, '"' | '\\')
        || character.is_control()
        // Line and paragraph separators, and the marks that change the direction of writing.
        || matches!(character, '\u{2028}' | '\u{2029}')
        || matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
