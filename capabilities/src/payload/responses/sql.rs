//! Answers of the sql capability. Rows are written as JSON where the guest will read them; what
//! comes before them and does not depend on the rows is prepared once per statement ([`Layout`]).

use super::super::json::push_string;
use super::super::{Format, base64, protobuf};
use super::{OK_JSON, OK_PROTOBUF, push_status_protobuf};

/// The most bytes of JSON that a result may be. Guests copy it into their memory, which is rarely
/// allowed to be larger.
pub(crate) const RESULT_BYTES_MAX: usize = 64 << 20;

/// The rows of a result have more than [`RESULT_BYTES_MAX`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the result is larger than {RESULT_BYTES_MAX} bytes")]
pub(crate) struct TooLarge;

/// What is the same in every result of a statement: its columns.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Their names as a protobuf answer has them, in the statement's order.
    columns: Vec<u8>,
    /// The members of a row's object, by name. Of columns that share a name the last counts.
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    column: usize,
    /// The name as a JSON string, with the colon and what separates it from the member before.
    key: Vec<u8>,
}

impl Layout {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Layout {
        let mut columns = Vec::new();
        let mut named: Vec<(&str, usize)> = Vec::new();
        for (column, name) in names.into_iter().enumerate() {
            protobuf::push_bytes(&mut columns, 4, name.as_bytes());
            named.push((name, column));
        }
        // Names in order, and of equal ones the last column first, which is the one to keep.
        named.sort_by(|a, b| a.0.cmp(b.0).then(b.1.cmp(&a.1)));
        named.dedup_by_key(|(name, _)| *name);
        let members = named.into_iter().enumerate().map(|(index, (name, column))| {
            let mut key = if index == 0 { Vec::new() } else { b",".to_vec() };
            push_string(&mut key, name.as_bytes());
            key.push(b':');
            Member { column, key }
        });
        Layout { members: members.collect(), columns }
    }
}

/// The longest varint of a length below 2^35, which [`RESULT_BYTES_MAX`] is: that much room is left
/// for the length of the rows until it is known.
const LENGTH_ROOM: usize = 5;

/// A result in the making.
#[derive(Debug)]
pub(crate) struct Rows<'r> {
    out: &'r mut Vec<u8>,
    format: Format,
    /// Where the rows begin.
    start: usize,
    any: bool,
}

impl<'r> Rows<'r> {
    pub(crate) fn new(out: &'r mut Vec<u8>, format: Format) -> Rows<'r> {
        Rows { out, format, start: 0, any: false }
    }

    /// Begins a result with these columns; what was written of another is dropped.
    pub(crate) fn begin(&mut self, layout: &Layout) {
        self.out.clear();
        self.any = false;
        match self.format {
            Format::Protobuf => {
                self.out.extend_from_slice(OK_PROTOBUF);
                self.out.extend_from_slice(&layout.columns);
                self.out.push(5 << 3 | 2);
                self.out.extend_from_slice(&[0; LENGTH_ROOM]);
            }
            Format::Json => {
                self.out.push(b'{');
                self.out.extend_from_slice(OK_JSON);
                self.out.extend_from_slice(br#","data":""#);
            }
        }
        self.start = self.out.len();
    }

    /// Adds a row. `value` appends the JSON of a column, by number; it is asked for each column but
    /// those that a later one of the same name hides.
    pub(crate) fn row<E: From<TooLarge>>(
        &mut self,
        layout: &Layout,
        mut value: impl FnMut(usize, &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.out.extend_from_slice(if self.any { b",{" } else { b"[{" });
        self.any = true;
        for member in &layout.members {
            self.out.extend_from_slice(&member.key);
            value(member.column, self.out)?;
        }
        self.out.push(b'}');
        if self.out.len() - self.start > RESULT_BYTES_MAX { Err(TooLarge.into()) } else { Ok(()) }
    }

    /// No rows are `null`, not an empty list.
    pub(crate) fn end(&mut self) {
        self.out.extend_from_slice(if self.any { b"]" } else { b"null" });
        match self.format {
            Format::Protobuf => self.put_length(),
            Format::Json => {
                let rows = self.out.split_off(self.start);
                base64::encode_into(self.out, &rows);
                self.out.extend_from_slice(br#""}"#);
            }
        }
    }

    /// Puts the length in front of the rows and closes the gap that it leaves.
    fn put_length(&mut self) {
        let mut length = Vec::with_capacity(LENGTH_ROOM);
        protobuf::push_varint(&mut length, (self.out.len() - self.start) as u64);
        let room = self.start - LENGTH_ROOM;
        self.out[room..room + length.len()].copy_from_slice(&length);
        self.out.copy_within(self.start.., room + length.len());
        self.out.truncate(self.out.len() - (LENGTH_ROOM - length.len()));
    }
}

/// The answer to a query with another status than 200. A query that was tried has `null` for rows.
pub(crate) fn query_refused(out: &mut Vec<u8>, format: Format, code: u16, text: &str, tried: bool) {
    match format {
        Format::Protobuf => {
            push_status_protobuf(out, code, text);
            if tried {
                protobuf::push_bytes(out, 5, b"null");
            }
        }
        Format::Json => {
            out.extend_from_slice(format!(r#"{{"status":{{"code":{code},"status":"#).as_bytes());
            push_string(out, text.as_bytes());
            let data: &[u8] = if tried { br#"},"data":"bnVsbA=="}"# } else { br#"},"data":""}"# };
            out.extend_from_slice(data);
        }
    }
}

/// The answer to an exec; there is no other form than protobuf.
pub(crate) fn executed(
    out: &mut Vec<u8>,
    (code, text): (u16, &str),
    last_insert_id: i64,
    rows_affected: i64,
) {
    push_status_protobuf(out, code, text);
    for (number, value) in [(2, last_insert_id), (3, rows_affected)] {
        if value != 0 {
            out.push(number << 3);
            protobuf::push_varint(out, value.cast_unsigned());
        }
    }
}

#[cfg(test)]
mod tests;
