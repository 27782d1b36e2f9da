//! Reads and writes the protobuf wire format without copying: fields of a message as slices of the
//! payload. Accepts and refuses exactly what prost does (its tests compare the two), so that either
//! may read a payload.

/// The bytes are not a protobuf message of the expected type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One field's value. Values that no known message has are checked for form and passed over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Other,
}

impl<'a> Value<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    pub(crate) fn flag(self) -> Result<bool, Malformed> {
        match self {
            Value::Varint(value) => Ok(value != 0),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn double(self) -> Result<f64, Malformed> {
        match self {
            Value::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(Malformed),
        }
    }
}

/// Nesting of unknown groups beyond which a message is refused, as in prost.
const GROUP_DEPTH_MAX: u32 = 100;

/// The fields of one message, in wire order.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Fields { rest: message }
    }

    /// The next field's number and value; `None` after the last.
    pub(crate) fn next_field(&mut self) -> Result<Option<(u32, Value<'a>)>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.key()?;
        let value = self.value(number, wire_type, GROUP_DEPTH_MAX)?;
        Ok(Some((number, value)))
    }

    fn key(&mut self) -> Result<(u32, u8), Malformed> {
        let key = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        match key >> 3 {
            0 => Err(Malformed),
            number => Ok((number, (key & 7) as u8)),
        }
    }

    fn value(&mut self, number: u32, wire_type: u8, depth: u32) -> Result<Value<'a>, Malformed> {
        match wire_type {
            0 => self.varint().map(Value::Varint),
            1 => self
                .take(8)?
                .try_into()
                .map_or(Err(Malformed), |bytes| Ok(Value::Fixed64(u64::from_le_bytes(bytes)))),
            2 => {
                let len = self.varint()?;
                self.take(len).map(Value::Bytes)
            }
            3 => self.skip_group(number, depth).map(|()| Value::Other),
            5 => self.take(4).map(|_| Value::Other),
            _ => Err(Malformed),
        }
    }

    fn skip_group(&mut self, number: u32, depth: u32) -> Result<(), Malformed> {
        const END_GROUP: u8 = 4;
        loop {
            match self.key()? {
                (inner, END_GROUP) if inner == number => return Ok(()),
                (_, END_GROUP) => return Err(Malformed),
                (inner, wire_type) => {
                    let depth = depth.checked_sub(1).filter(|&left| left > 0).ok_or(Malformed)?;
                    self.value(inner, wire_type, depth)?;
                }
            }
        }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(len).map_err(|_| Malformed)?;
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(head)
    }

    /// At most ten bytes, and no more than 64 bits in them.
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (index * 7);
            if byte < 0x80 {
                if index == 9 && byte > 1 {
                    return Err(Malformed);
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

/// Appends a field of bytes or text. Its number must be below 16, so that the key is one byte.
pub(crate) fn push_bytes(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    debug_assert!((1..16).contains(&number));
    out.push(number << 3 | 2);
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a field of a number. Its number must be below 16.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u8, value: u64) {
    debug_assert!((1..16).contains(&number));
    out.push(number << 3);
    push_varint(out, value);
}

/// How many bytes [`push_bytes`] appends for this many.
pub(crate) fn bytes_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`push_varint`] appends.
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}
