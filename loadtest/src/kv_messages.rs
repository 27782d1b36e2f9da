//! The protobuf messages that the load needs, by hand: all their fields are length-delimited (wire type 2, protobuf.dev/programming-guides/encoding).

/// KVStoreSet: 1 key, 2 data.
pub fn set_request(key: &str, data: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_field(&mut message, 1, key.as_bytes());
    put_field(&mut message, 2, data);
    message
}

/// KVStoreGet: 1 key.
pub fn get_request(key: &str) -> Vec<u8> {
    field(1, key.as_bytes())
}

/// The data of a KVStoreGetResponse: 1 status, 2 data. `None` when it has none or is malformed.
pub fn read_get_response(mut message: &[u8]) -> Option<&[u8]> {
    let mut data = None;
    while let Some((&tag, rest)) = message.split_first() {
        let (len, rest) = take_varint(rest)?;
        let (field, rest) = rest.split_at_checked(len)?;
        match tag {
            0x0a => {}
            0x12 => data = Some(field),
            _ => return None,
        }
        message = rest;
    }
    data
}

/// One length-delimited field.
pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_field(&mut message, number, bytes);
    message
}

fn put_field(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    let mut len = bytes.len();
    while len >= 0x80 {
        message.push(len as u8 | 0x80);
        len >>= 7;
    }
    message.push(len as u8);
    message.extend_from_slice(bytes);
}

fn take_varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    // Ten bytes hold 64 bits.
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{get_request, read_get_response, set_request};

    #[test]
    fn messages() {
        assert_eq!(set_request("k", b"v1"), b"\x0a\x01k\x12\x02v1");
        assert_eq!(get_request("key"), b"\x0a\x03key");
        let long = get_request(&"x".repeat(300));
        assert_eq!(long[..3], [0x0a, 0xac, 0x02]);
        assert_eq!(
            read_get_response(b"\x0a\x07\x08\xc8\x01\x12\x02OK\x12\x02v1"),
            Some(&b"v1"[..])
        );
        for malformed in [&b"\x0a\x07\x08"[..], b"\x12", b"\x12\xff", b"\x1a\x00", b""] {
            assert_eq!(read_get_response(malformed), None, "{malformed:?}");
        }
    }
}
