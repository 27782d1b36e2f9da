//! PostgreSQL's `numeric` from its binary form to its text.

use std::fmt::Write;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

/// The binary form: how many digits to the base of 10,000 follow, the power of that base which the
/// first one has, the sign, how many decimals to show, the digits; each 16 bits. `None` if it is
/// something else.
pub(super) fn text(raw: &[u8]) -> Option<String> {
    let mut words = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let count = usize::from(words.next()?);
    let weight = words.next()?.cast_signed();
    let sign = words.next()?;
    let decimals = usize::from(words.next()?);
    let digits: Vec<u16> = words.collect();
    match sign {
        NAN => return Some(String::from("NaN")),
        INFINITY => return Some(String::from("Infinity")),
        NEGATIVE_INFINITY => return Some(String::from("-Infinity")),
        0 | NEGATIVE if digits.len() == count && raw.len().is_multiple_of(2) => {}
        _ => return None,
    }
    if digits.iter().any(|&digit| digit > 9999) {
        return None;
    }
    // Beyond the digits that are sent there are zeros, on both sides.
    let digit = |power: i32| {
        let index = usize::try_from(i32::from(weight) - power).ok();
        index.and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", digit(i32::from(weight).max(0)));
    for power in (0..i32::from(weight).max(0)).rev() {
        let _ = write!(text, "{:04}", digit(power));
    }
    if decimals > 0 {
        text.push('.');
        let end = text.len() + decimals;
        let mut power = -1;
        while text.len() < end {
            let _ = write!(text, "{:04}", digit(power));
            power -= 1;
        }
        text.truncate(end);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::text;

    fn raw(weight: i16, sign: u16, decimals: u16, digits: &[u16]) -> Vec<u8> {
        let head = [digits.len() as u16, weight.cast_unsigned(), sign, decimals];
        head.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn the_text_is_postgresqls() {
        for (weight, sign, decimals, digits, expected) in [
            (0, 0, 0, &[][..], "0"),
            (0, 0, 2, &[], "0.00"),
            (0, 0, 2, &[12, 5000], "12.50"),
            (1, 0, 0, &[1], "10000"),
            (1, 0x4000, 0, &[1, 2], "-10002"),
            (-1, 0, 4, &[1], "0.0001"),
            (-2, 0, 6, &[100], "0.000001"),
            (2, 0, 1, &[1, 0, 0, 5000], "100000000.5"),
            (0, 0xc000, 0, &[], "NaN"),
            (0, 0xd000, 0, &[], "Infinity"),
            (0, 0xf000, 0, &[], "-Infinity"),
        ] {
            assert_eq!(text(&raw(weight, sign, decimals, digits)).unwrap(), expected);
        }
        assert_eq!(text(b"\0\x01\0\0\0\0\0\0"), None);
        assert_eq!(text(b"\0"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(raw: Vec<u8>) {
            let _ = text(&raw);
        }
    }
}
