//! [`Sparse`]: the counts of [`Bins`] in as little memory as they need, to be kept but not recorded into.
//!
//! Two varints (LEB128) for each bin that holds something: the distance from the bin before, and the count. One second of
//! one route takes 2 to 3 bytes a bin, less than a hundredth of a histogram that can be recorded into.

use super::Bins;
use std::iter;

/// The counts of a histogram that does not change any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sparse {
    count: u64,
    beyond: u64,
    sum_ns: u128,
    encoded: Box<[u8]>,
}

impl Sparse {
    /// Bytes of memory that it takes, itself included.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Sparse>() + self.encoded.len()
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Both together.
    pub fn merged(&self, other: &Sparse) -> Sparse {
        let (mut mine, mut theirs) = (self.filled().peekable(), other.filled().peekable());
        let both = iter::from_fn(|| {
            let (left, right) = (mine.peek().copied(), theirs.peek().copied());
            match (left, right) {
                (Some((left, _)), Some((right, count))) if left == right => {
                    theirs.next();
                    mine.next().map(|(bin, mine)| (bin, mine + count))
                }
                (Some((left, _)), Some((right, _))) if left > right => theirs.next(),
                (None, _) => theirs.next(),
                _ => mine.next(),
            }
        });
        Sparse {
            encoded: encode(both),
            count: self.count + other.count,
            beyond: self.beyond + other.beyond,
            sum_ns: self.sum_ns + other.sum_ns,
        }
    }

    /// The bins that hold something with their counts, in the order of their values.
    fn filled(&self) -> impl Iterator<Item = (usize, u64)> {
        let (mut rest, mut bin) = (&*self.encoded, 0);
        iter::from_fn(move || {
            bin += take_varint(&mut rest)? as usize;
            Some((bin, take_varint(&mut rest)?))
        })
    }
}

impl From<&Bins> for Sparse {
    fn from(bins: &Bins) -> Sparse {
        Sparse {
            count: bins.count,
            beyond: bins.beyond,
            sum_ns: bins.sum_ns,
            encoded: encode(bins.filled()),
        }
    }
}

impl Bins {
    /// Adds all counts of a histogram that was put away.
    pub fn add_sparse(&mut self, other: &Sparse) {
        self.count += other.count;
        self.beyond += other.beyond;
        self.sum_ns += other.sum_ns;
        other.filled().for_each(|(bin, count)| self.count_bin_times(bin, count));
    }

    /// What these counts have more than an earlier state of them.
    pub fn since(&self, earlier: &Sparse) -> Bins {
        let mut since = Bins {
            count: self.count - earlier.count,
            beyond: self.beyond - earlier.beyond,
            sum_ns: self.sum_ns - earlier.sum_ns,
            ..Bins::default()
        };
        let mut before = earlier.filled().peekable();
        self.filled().for_each(|(bin, count)| {
            let earlier = before.next_if(|(other, _)| *other == bin).map_or(0, |(_, count)| count);
            if count > earlier {
                since.count_bin_times(bin, count - earlier);
            }
        });
        debug_assert!(before.next().is_none(), "the earlier state had a bin that is empty now");
        since
    }
}

fn encode(filled: impl Iterator<Item = (usize, u64)>) -> Box<[u8]> {
    let (mut bytes, mut last) = (Vec::new(), 0);
    filled.for_each(|(bin, count)| {
        put_varint(&mut bytes, (bin - last) as u64);
        put_varint(&mut bytes, count);
        last = bin;
    });
    bytes.into_boxed_slice()
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// None at the end.
fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::{Sparse, put_varint, take_varint};
    use crate::telemetry::bins::Bins;
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert_eq, proptest};

    fn recorded(values: &[u64]) -> Bins {
        let mut bins = Bins::default();
        values.iter().for_each(|&value| bins.record(value));
        bins
    }

    fn values() -> impl proptest::strategy::Strategy<Value = Vec<u64>> {
        let value = proptest::prop_oneof![4 => 0_u64..50_000, 1 => any::<u64>()];
        prop::collection::vec(value, 0..300)
    }

    #[track_caller]
    fn equal(one: &Bins, other: &Bins) -> Result<(), proptest::test_runner::TestCaseError> {
        prop_assert_eq!(one.to_histogram(), other.to_histogram());
        prop_assert_eq!(one.sum_ns(), other.sum_ns());
        prop_assert_eq!((one.count(), one.beyond()), (other.count(), other.beyond()));
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_put_away_comes_back(one in values(), two in values()) {
            let mut back = recorded(&one);
            back.add_sparse(&Sparse::from(&recorded(&two)));
            equal(&back, &recorded(&[one, two].concat()))?;
        }

        #[test]
        fn merging_is_recording_both(one in values(), two in values()) {
            let merged = Sparse::from(&recorded(&one)).merged(&Sparse::from(&recorded(&two)));
            prop_assert_eq!(merged, Sparse::from(&recorded(&[one, two].concat())));
        }

        #[test]
        fn the_difference_is_what_came_later(before in values(), after in values()) {
            let earlier = Sparse::from(&recorded(&before));
            let since = recorded(&[before, after.clone()].concat()).since(&earlier);
            equal(&since, &recorded(&after))?;
        }
    }

    #[test]
    fn varints_of_any_size_read_back() {
        let values = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let mut bytes = Vec::new();
        values.iter().for_each(|&value| put_varint(&mut bytes, value));
        let mut rest = &bytes[..];
        for value in values {
            assert_eq!(take_varint(&mut rest), Some(value));
        }
        assert_eq!(take_varint(&mut rest), None);
    }
}
