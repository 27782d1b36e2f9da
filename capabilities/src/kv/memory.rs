//! The store in memory: one map for the whole process, read by every shard without locks. It is
//! gone with the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use papaya::HashMap;

use super::KvError;

/// A handle on the map; clones share it.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Store>);

/// The hasher stays the keyed one of the standard library: keys may come from whoever sends
/// requests.
#[derive(Debug)]
struct Store {
    map: HashMap<Box<[u8]>, Box<[u8]>>,
    bytes: Option<Bytes>,
}

/// Keys and data together, counted only where there is a limit: the counter is one cache line for
/// all shards.
#[derive(Debug)]
struct Bytes {
    used: AtomicU64,
    max: u64,
}

impl Memory {
    /// `bytes_max` bounds keys and data together, without the map's own overhead; `None` leaves the
    /// store unbounded.
    pub fn new(bytes_max: Option<u64>) -> Self {
        let bytes = bytes_max.map(|max| Bytes { used: AtomicU64::new(0), max });
        Memory(Arc::new(Store { map: HashMap::new(), bytes }))
    }

    pub(super) fn get<R>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        self.0.map.pin().get(key).map(|data| read(data))
    }

    pub(super) fn set(&self, key: &[u8], data: &[u8]) -> Result<(), KvError> {
        self.reserve(key.len() + data.len())?;
        let map = self.0.map.pin();
        if let Some(replaced) = map.insert(key.into(), data.into()) {
            self.release(key.len() + replaced.len());
        }
        Ok(())
    }

    pub(super) fn delete(&self, key: &[u8]) {
        if let Some(data) = self.0.map.pin().remove(key) {
            self.release(key.len() + data.len());
        }
    }

    pub(super) fn keys(&self, mut each: impl FnMut(&[u8])) {
        self.0.map.pin().keys().for_each(|key| each(key));
    }

    /// A set that replaces data counts as both until the old data is out.
    fn reserve(&self, len: usize) -> Result<(), KvError> {
        let Some(bytes) = &self.0.bytes else { return Ok(()) };
        let used = bytes.used.fetch_add(len as u64, Ordering::Relaxed) + len as u64;
        if used > bytes.max {
            self.release(len);
            return Err(KvError::Full { bytes_max: bytes.max });
        }
        Ok(())
    }

    fn release(&self, len: usize) {
        if let Some(bytes) = &self.0.bytes {
            bytes.used.fetch_sub(len as u64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_counts_keys_and_data_and_frees_what_is_replaced_or_deleted() {
        let memory = Memory::new(Some(10));
        let full = Err(KvError::Full { bytes_max: 10 });
        let check = |key: &str, data: &str, expected: Result<(), KvError>| {
            assert_eq!(memory.set(key.as_bytes(), data.as_bytes()), expected, "{key}={data}");
        };
        check("a", "1234", Ok(()));
        check("b", "12345", full.clone());
        check("b", "1234", Ok(()));
        check("c", "1", full.clone());
        memory.delete(b"a");
        memory.delete(b"a");
        check("b", "12", Ok(()));
        check("c", "123456", Ok(()));
        check("d", "", full);
        assert_eq!(memory.get(b"b", <[u8]>::to_vec), Some(b"12".to_vec()));
    }
}
