//! Walks over JSON without building anything: finds where values begin and end, and the first byte
//! that cannot be there. Iterative, so that nesting costs no stack.

use memchr::memchr2;

/// The first byte that cannot be there, or the lack of a further one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    #[error("unexpected end of JSON input")]
    End,
    #[error("invalid character {} {place}", quoted(*.byte))]
    Byte { byte: u8, place: &'static str },
    #[error(
        "invalid character {} in literal {literal} (expecting {})",
        quoted(*.byte),
        quoted(*.expected)
    )]
    Literal { byte: u8, literal: &'static str, expected: u8 },
}

/// Nesting beyond which Go refuses to decode.
const DEPTH_MAX: usize = 10_000;

const BEFORE_VALUE: &str = "looking for beginning of value";
const BEFORE_KEY: &str = "looking for beginning of object key string";

pub(super) fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[derive(Debug)]
pub(super) struct Scanner<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Scanner { input, at: 0 }
    }

    /// The whole input is one value, with nothing but blanks around it.
    pub(super) fn check(input: &'a [u8]) -> Result<(), SyntaxError> {
        let mut scanner = Scanner::new(input);
        scanner.value()?;
        match scanner.token() {
            Ok(byte) => Err(SyntaxError::Byte { byte, place: "after top-level value" }),
            Err(_) => Ok(()),
        }
    }

    /// The next byte that is not blank. It stays the next one.
    pub(super) fn token(&mut self) -> Result<u8, SyntaxError> {
        while self.input.get(self.at).copied().is_some_and(blank) {
            self.at += 1;
        }
        self.peek()
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// Inside an object: the next member's key with its quotes, up to and with the colon. `None` at
    /// the object's end.
    pub(super) fn member_key(&mut self) -> Result<Option<&'a [u8]>, SyntaxError> {
        match self.token()? {
            b'}' => {
                self.advance();
                return Ok(None);
            }
            b',' => self.advance(),
            _ => {}
        }
        self.key().map(Some)
    }

    /// Passes over one value and gives its bytes.
    pub(super) fn value(&mut self) -> Result<&'a [u8], SyntaxError> {
        self.token()?;
        let start = self.at;
        let mut open: Vec<u8> = Vec::new();
        loop {
            if !self.begin_value(&mut open)? && self.end_value(&mut open)? {
                return Ok(&self.input[start..self.at]);
            }
        }
    }

    /// Passes over a scalar, an empty container, or the opening of one that has a value next: true
    /// for the last.
    fn begin_value(&mut self, open: &mut Vec<u8>) -> Result<bool, SyntaxError> {
        let byte = self.token()?;
        match byte {
            b'{' | b'[' => return self.open(byte, open),
            b'"' => self.string()?,
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => return self.refuse(byte, BEFORE_VALUE),
        };
        Ok(false)
    }

    fn open(&mut self, byte: u8, open: &mut Vec<u8>) -> Result<bool, SyntaxError> {
        if open.len() >= DEPTH_MAX {
            return self.refuse(byte, "exceeded max depth");
        }
        self.advance();
        let end = if byte == b'{' { b'}' } else { b']' };
        if self.token()? == end {
            self.advance();
            return Ok(false);
        }
        if byte == b'{' {
            self.key()?;
        }
        open.push(end);
        Ok(true)
    }

    /// A value has ended: closes the containers that end with it. True when that was the outermost.
    fn end_value(&mut self, open: &mut Vec<u8>) -> Result<bool, SyntaxError> {
        while let Some(&end) = open.last() {
            match self.token()? {
                byte if byte == end => {
                    self.advance();
                    open.pop();
                }
                b',' => {
                    self.advance();
                    if end == b'}' {
                        self.key()?;
                    }
                    return Ok(false);
                }
                byte if end == b'}' => return self.refuse(byte, "after object key:value pair"),
                byte => return self.refuse(byte, "after array element"),
            }
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<&'a [u8], SyntaxError> {
        let byte = self.token()?;
        if byte != b'"' {
            return self.refuse(byte, BEFORE_KEY);
        }
        let start = self.at;
        self.string()?;
        let key = &self.input[start..self.at];
        match self.token()? {
            b':' => self.advance(),
            byte => return self.refuse(byte, "after object key"),
        }
        Ok(key)
    }

    fn string(&mut self) -> Result<(), SyntaxError> {
        self.advance();
        loop {
            self.at += plain_len(self.input.get(self.at..).unwrap_or_default());
            match self.peek()? {
                b'"' => {
                    self.advance();
                    return Ok(());
                }
                b'\\' => {
                    self.advance();
                    self.escape()?;
                }
                byte => return self.refuse(byte, "in string literal"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        match self.take() {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    let byte = self.take();
                    if !byte.is_ascii_hexdigit() {
                        return self.refuse(byte, "in \\u hexadecimal character escape");
                    }
                }
                Ok(())
            }
            byte => self.refuse(byte, "in string escape code"),
        }
    }

    fn literal(&mut self, literal: &'static str) -> Result<(), SyntaxError> {
        for expected in literal.bytes() {
            let byte = self.take();
            if byte != expected {
                return Err(SyntaxError::Literal { byte, literal, expected });
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        if self.peek()? == b'-' {
            self.advance();
        }
        match self.take() {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            byte => return self.refuse(byte, "in numeric literal"),
        }
        if self.next_is(b".") {
            self.advance();
            self.some_digits("after decimal point in numeric literal")?;
        }
        if self.next_is(b"eE") {
            self.advance();
            if self.next_is(b"+-") {
                self.advance();
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn some_digits(&mut self, place: &'static str) -> Result<(), SyntaxError> {
        let byte = self.take();
        if !byte.is_ascii_digit() {
            return self.refuse(byte, place);
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.input.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn next_is(&self, any_of: &[u8]) -> bool {
        self.input.get(self.at).is_some_and(|byte| any_of.contains(byte))
    }

    fn peek(&self) -> Result<u8, SyntaxError> {
        self.input.get(self.at).copied().ok_or(SyntaxError::End)
    }

    /// The next byte inside of a token. Go shows an input that ends there as if a space followed.
    fn take(&mut self) -> u8 {
        let byte = self.input.get(self.at).copied().unwrap_or(b' ');
        self.advance();
        byte
    }

    fn refuse<T>(&self, byte: u8, place: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError::Byte { byte, place })
    }
}

/// How many bytes of a string stand for themselves: up to a quote, an escape or a control character.
fn plain_len(rest: &[u8]) -> usize {
    let end = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
    let plain = &rest[..end];
    // Without a way out, so that the compiler makes it many bytes at once. Hardly a string has one.
    let any_control = plain.iter().fold(false, |any, &byte| any | (byte < 0x20));
    if any_control { plain.iter().position(|&byte| byte < 0x20).unwrap_or(end) } else { end }
}

/// A byte as Go's decoder shows it: the code point of that number in single quotes, escaped as in
/// Go source.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        ..0x20 | 0x7f => format!(r"'\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!(r"'\u00{byte:02x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}
