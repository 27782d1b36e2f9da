//! The character classes of RFC 9110, 9112 and 3986 as one table: a class is a bit.

const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const REG_NAME: u8 = 4;
const FIELD_VALUE: u8 = 8;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classes_of(byte as u8);
        byte += 1;
    }
    classes
};

const fn classes_of(byte: u8) -> u8 {
    let alphanumeric = byte.is_ascii_alphanumeric();
    let mut classes = 0;
    // RFC 9110, 5.6.2: tchar.
    if alphanumeric || is_one_of(byte, b"!#$%&'*+-.^_`|~") {
        classes |= TOKEN;
    }
    // Visible ASCII but the fragment's mark. RFC 3986 has fewer, but clients send `|`, `{` and the like as they are.
    if byte.is_ascii_graphic() && byte != b'#' {
        classes |= TARGET;
    }
    // RFC 3986, 3.2.2: unreserved and sub-delims; percent-escapes are checked apart.
    if alphanumeric || is_one_of(byte, b"-._~!$&'()*+,;=") {
        classes |= REG_NAME;
    }
    // RFC 9110, 5.5: field-vchar, SP and HTAB.
    if byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() || byte >= 0x80 {
        classes |= FIELD_VALUE;
    }
    classes
}

const fn is_one_of(byte: u8, set: &[u8]) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

pub(super) fn is_token(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TOKEN != 0
}

pub(super) fn is_target(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TARGET != 0
}

pub(super) fn is_reg_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & REG_NAME != 0
}

pub(super) fn is_field_value(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & FIELD_VALUE != 0
}
