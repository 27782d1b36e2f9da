//! Base64 as Go's `base64.StdEncoding` reads it: standard alphabet, padding required, line breaks
//! passed over anywhere, and no objection to set bits behind the last byte. Errors count bytes as
//! Go does, because guests are shown the count.

use base64::Engine;
use base64::alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{PAD, STANDARD};

/// Reads what has no line breaks as Go does, and faster than what is below.
const UNBROKEN: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));

/// The text is not base64. The number is the position that Go's decoder reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("illegal base64 data at input byte {0}")]
pub(crate) struct IllegalBase64(pub(crate) usize);

pub(crate) fn encode_into(out: &mut Vec<u8>, data: &[u8]) {
    let start = out.len();
    // Four characters for every three bytes; a payload is a guest's memory at most, so this cannot
    // overflow.
    out.resize(start + data.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(data, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, IllegalBase64> {
    let (data, whole) = decode_start(text);
    whole.map(|()| data)
}

/// What could be decoded, and whether that is all of it.
pub(crate) fn decode_start(text: &[u8]) -> (Vec<u8>, Result<(), IllegalBase64>) {
    if let Ok(data) = UNBROKEN.decode(text) {
        return (data, Ok(()));
    }
    decode_slowly(text)
}

/// Line breaks, and what is wrong where.
fn decode_slowly(text: &[u8]) -> (Vec<u8>, Result<(), IllegalBase64>) {
    let mut decoder = Decoder { text, at: 0, data: Vec::with_capacity(text.len() / 4 * 3) };
    loop {
        match decoder.quantum() {
            Ok(true) => {}
            Ok(false) => return (decoder.data, Ok(())),
            Err(error) => return (decoder.data, Err(error)),
        }
    }
}

struct Decoder<'a> {
    text: &'a [u8],
    at: usize,
    data: Vec<u8>,
}

impl Decoder<'_> {
    /// Decodes the next four characters. False when that was the last group.
    fn quantum(&mut self) -> Result<bool, IllegalBase64> {
        let mut bits = 0_u32;
        for index in 0..4 {
            self.skip_line_breaks();
            let Some(&byte) = self.text.get(self.at) else {
                return if index == 0 { Ok(false) } else { Err(IllegalBase64(self.at - index)) };
            };
            self.at += 1;
            match SEXTETS[usize::from(byte)] {
                INVALID if byte == b'=' => return self.padding(index, bits),
                INVALID => return Err(IllegalBase64(self.at - 1)),
                sextet => bits = bits << 6 | u32::from(sextet),
            }
        }
        self.data.extend_from_slice(&bits.to_be_bytes()[1..]);
        Ok(true)
    }

    /// The first `=` is behind `self.at`; `index` characters came before it. Nothing may follow the
    /// padding.
    fn padding(&mut self, index: usize, bits: u32) -> Result<bool, IllegalBase64> {
        match index {
            0 | 1 => return Err(IllegalBase64(self.at - 1)),
            2 => {
                self.skip_line_breaks();
                match self.text.get(self.at) {
                    None => return Err(IllegalBase64(self.text.len())),
                    Some(b'=') => self.at += 1,
                    Some(_) => return Err(IllegalBase64(self.at - 1)),
                }
                self.data.push((bits >> 4) as u8);
            }
            _ => self.data.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        }
        self.skip_line_breaks();
        if self.at < self.text.len() { Err(IllegalBase64(self.at)) } else { Ok(false) }
    }

    fn skip_line_breaks(&mut self) {
        while matches!(self.text.get(self.at), Some(b'\r' | b'\n')) {
            self.at += 1;
        }
    }
}

const INVALID: u8 = 0xff;

/// The six bits that each character of the standard alphabet stands for.
static SEXTETS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [INVALID; 256];
    let mut value = 0;
    while value < alphabet.len() {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Expected values are what Go 1.26's `encoding/base64` gives.
    #[test]
    fn decodes_as_go_does() {
        let check = |text: &str, expected: Result<&[u8], usize>| {
            let expected = expected.map(<[u8]>::to_vec).map_err(IllegalBase64);
            assert_eq!(decode(text.as_bytes()), expected, "{text:?}");
        };
        check("", Ok(b""));
        check("\r\n", Ok(b""));
        check("abcd", Ok(b"i\xb7\x1d"));
        check("YQ==", Ok(b"a"));
        check("YWI=", Ok(b"ab"));
        check("YQ==\n", Ok(b"a"));
        check("Y\nQ=\r=", Ok(b"a"));
        check("YR==", Ok(b"a"));
        check("a", Err(0));
        check("abc", Err(0));
        check("ab=", Err(3));
        check("YQ=\r\n", Err(5));
        check("ab=c", Err(2));
        check("a===", Err(1));
        check("====", Err(0));
        check("ab==cd", Err(4));
        check("YWI=YWI=", Err(4));
        check("YWJj YWJj", Err(4));
        check("YWJjYQ", Err(4));
        check("YWJj====", Err(4));
        check("_-==", Err(0));
        check("é", Err(0));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(data: Vec<u8>) {
            let mut text = b"kept".to_vec();
            encode_into(&mut text, &data);
            let expected = format!("kept{}", STANDARD.encode(&data));
            prop_assert_eq!(text.as_slice(), expected.as_bytes());
            prop_assert_eq!(decode(&text[4..]).unwrap(), data);
        }

        #[test]
        fn both_ways_agree(text in "[A-D=\r\n+/_ ]{0,12}") {
            prop_assert_eq!(decode_start(text.as_bytes()), decode_slowly(text.as_bytes()));
        }
    }
}
