//! Bounds-checked views of a guest's linear memory. Every pointer and length comes from the guest and is unsigned.

use wasmtime::{Caller, Extern, Memory};

use super::instance::HostState;

/// The guest named bytes outside its memory, or has none. Ends the guest as a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum MemoryError {
    #[error("the guest exports no memory")]
    Missing,
    #[error("{len} bytes at {ptr:#x} are outside the guest's memory of {size} bytes")]
    OutOfBounds { ptr: u32, len: usize, size: usize },
}

/// The guest's memory, looked up by name only until the instance is complete.
pub(super) fn of(caller: &mut Caller<'_, HostState>) -> Result<Memory, MemoryError> {
    if let Some(memory) = caller.data().memory {
        return Ok(memory);
    }
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(MemoryError::Missing),
    }
}

/// The bytes at `ptr`. Nothing is read for a length of 0, so wherever an empty slice points is fine.
pub(super) fn read(memory: &[u8], ptr: i32, len: i32) -> Result<&[u8], MemoryError> {
    let (ptr, len) = (ptr as u32, len as u32 as usize);
    if len == 0 {
        return Ok(&[]);
    }
    let start = ptr as usize;
    start.checked_add(len).and_then(|end| memory.get(start..end)).ok_or(MemoryError::OutOfBounds {
        ptr,
        len,
        size: memory.len(),
    })
}

/// Copies `bytes` to `ptr`. Writing nothing is never a fault.
pub(super) fn write(memory: &mut [u8], ptr: i32, bytes: &[u8]) -> Result<(), MemoryError> {
    let ptr = ptr as u32;
    if bytes.is_empty() {
        return Ok(());
    }
    let (start, size) = (ptr as usize, memory.len());
    let target = start.checked_add(bytes.len()).and_then(|end| memory.get_mut(start..end));
    let target = target.ok_or(MemoryError::OutOfBounds { ptr, len: bytes.len(), size })?;
    target.copy_from_slice(bytes);
    Ok(())
}

/// A little-endian u32 of the guest's.
pub(super) fn read_u32(memory: &[u8], ptr: i32) -> Result<u32, MemoryError> {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(read(memory, ptr, 4)?);
    Ok(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_at_every_edge() {
        let mut memory = *b"0123456789";
        let check = |ptr: i32, len: i32, expected: Option<&[u8]>| {
            assert_eq!(read(b"0123456789", ptr, len).ok(), expected, "{ptr} {len}");
        };
        check(0, 10, Some(b"0123456789"));
        check(9, 1, Some(b"9"));
        check(9, 2, None);
        check(10, 0, Some(b""));
        check(-1, 0, Some(b""));
        check(-1, 1, None);
        check(1, -1, None);
        check(-1, -1, None);
        assert_eq!(write(&mut memory, 8, b"ab"), Ok(()));
        assert_eq!(&memory, b"01234567ab");
        assert_eq!(write(&mut memory, -1, b""), Ok(()));
        let error = write(&mut memory, 9, b"ab").unwrap_err();
        assert_eq!(error.to_string(), "2 bytes at 0x9 are outside the guest's memory of 10 bytes");
        assert!(write(&mut memory, -1, b"a").is_err());
        assert_eq!(read_u32(&[1, 0, 0, 1], 0), Ok(0x0100_0001));
        assert!(read_u32(&[0; 4], 1).is_err());
    }
}
