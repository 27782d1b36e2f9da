//! [`Bins`]: the counts of an HdrHistogram with 3 significant digits over 1 ns to 1 h, held sparsely.
//!
//! The bins, and so every quantile, are exactly those of `hdrhistogram::Histogram`, which is the oracle of
//! the tests. What differs is the storage: that crate keeps one array from
//! zero to the largest value, so that a single slow request makes a histogram of a hundred KiB. Here
//! only the runs of 32 bins that hold something exist. Measured with 1,000 requests on each of 1,000
//! routes, four histograms each: 51 MiB instead of 303 (156 with 32-bit counts), 3 ns a record
//! instead of 6.

mod sparse;

pub use sparse::Sparse;

#[cfg(test)]
use hdrhistogram::Histogram;

/// The largest value told apart, one hour. Larger ones count as this one, see [`Bins::beyond`].
pub const VALUE_MAX_NS: u64 = 3_600_000_000_000;
/// Every bin is at most 1/1000 of its value wide.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// Below 2^11 each value has its own bin; each octave above it has half as many (2^10).
const LINEAR_BITS: u32 = 11;
const OCTAVE_BITS: u32 = LINEAR_BITS - 1;
const CHUNK_BINS: usize = 32;
const CHUNKS: usize = bin_of(VALUE_MAX_NS) / CHUNK_BINS + 1;

type Chunk = [u32; CHUNK_BINS];

/// How often values fell into each bin. Emptied, it keeps its memory, so that recording into it
/// again allocates nothing.
#[derive(Debug, Clone)]
pub struct Bins {
    count: u64,
    beyond: u64,
    sum_ns: u128,
    /// Where each run of 32 bins lies in `chunks`, plus one; 0 for a run that holds nothing.
    places: [u16; CHUNKS],
    chunks: Vec<Chunk>,
    /// One entry for each time that the 32 bits of a bin wrapped: it holds 2^32 more.
    carries: Vec<u16>,
}

impl Default for Bins {
    fn default() -> Bins {
        Bins {
            count: 0,
            beyond: 0,
            sum_ns: 0,
            places: [0; CHUNKS],
            chunks: Vec::new(),
            carries: Vec::new(),
        }
    }
}

impl Bins {
    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value_ns: u64) {
        let value_ns = if value_ns > VALUE_MAX_NS {
            self.beyond += 1;
            VALUE_MAX_NS
        } else {
            value_ns
        };
        self.count += 1;
        self.sum_ns += u128::from(value_ns);
        self.count_bin(bin_of(value_ns));
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many of the values were above [`VALUE_MAX_NS`] and stand in its bin.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Exact sum of the values in nanoseconds, those above the maximum taken as the maximum.
    pub fn sum_ns(&self) -> u128 {
        self.sum_ns
    }

    /// Exact mean in nanoseconds; 0 without values.
    pub fn mean_ns(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum_ns as f64 / self.count as f64 }
    }

    /// Lowest value of the lowest bin that holds something; 0 without values.
    pub fn min_ns(&self) -> u64 {
        self.filled().next().map_or(0, |(bin, _)| bin_lowest(bin))
    }

    /// Highest value of the highest bin that holds something; 0 without values.
    pub fn max_ns(&self) -> u64 {
        self.filled().next_back().map_or(0, |(bin, _)| bin_highest(bin))
    }

    /// For each quantile, in ascending order, above 0 up to 1, the highest value of the bin where that
    /// share of all values is reached. Zeros without values.
    pub fn quantiles_ns<const N: usize>(&self, quantiles: [f64; N]) -> [u64; N] {
        let ranks = quantiles.map(|quantile| self.rank(quantile));
        let mut values = [0; N];
        let mut reached = 0;
        let mut next = 0;
        self.filled().for_each(|(bin, count)| {
            reached += count;
            while next < N && reached >= ranks[next] {
                values[next] = bin_highest(bin);
                next += 1;
            }
        });
        values
    }

    /// For each bound, in ascending order, how many values are not above it. A bin that the bound
    /// divides counts as not above, an error of at most 1/1000 of the bound.
    pub fn counts_up_to<const N: usize>(&self, bounds_ns: [u64; N]) -> [u64; N] {
        let mut counts = [0; N];
        let mut bound = 0;
        self.filled().for_each(|(bin, count)| {
            while bound < N && bounds_ns[bound] < bin_lowest(bin) {
                bound += 1;
            }
            if bound < N {
                counts[bound] += count;
            }
        });
        for bound in 1..N {
            counts[bound] += counts[bound - 1];
        }
        counts
    }

    /// Adds all counts of another.
    pub fn add(&mut self, other: &Bins) {
        self.count += other.count;
        self.beyond += other.beyond;
        self.sum_ns += other.sum_ns;
        self.carries.extend_from_slice(&other.carries);
        for (index, theirs) in other.chunks() {
            let place = self.open_place(index);
            let mine = &mut self.chunks[place];
            for (offset, (slot, &count)) in mine.iter_mut().zip(theirs).enumerate() {
                let (sum, wrapped) = slot.overflowing_add(count);
                *slot = sum;
                if wrapped {
                    self.carries.push((index * CHUNK_BINS + offset) as u16);
                }
            }
        }
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        if self.count == 0 {
            return;
        }
        self.count = 0;
        self.beyond = 0;
        self.sum_ns = 0;
        self.places.fill(0);
        self.chunks.clear();
        self.carries.clear();
    }

    /// The same counts as a histogram of the crate that is the oracle.
    #[cfg(test)]
    pub(super) fn to_histogram(&self) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, VALUE_MAX_NS, SIGNIFICANT_DIGITS)
            .expect("the constants are within the crate's limits");
        self.filled().for_each(|(bin, count)| {
            histogram.saturating_record_n(bin_lowest(bin), count);
        });
        histogram
    }

    #[inline]
    fn count_bin(&mut self, bin: usize) {
        let place = self.open_place(bin / CHUNK_BINS);
        let slot = &mut self.chunks[place][bin % CHUNK_BINS];
        let (sum, wrapped) = slot.overflowing_add(1);
        *slot = sum;
        if wrapped {
            self.carries.push(bin as u16);
        }
    }

    fn count_bin_times(&mut self, bin: usize, times: u64) {
        let place = self.open_place(bin / CHUNK_BINS);
        let slot = &mut self.chunks[place][bin % CHUNK_BINS];
        let sum = u64::from(*slot) + times;
        *slot = sum as u32;
        self.carries.extend((0..sum >> 32).map(|_| bin as u16));
    }

    /// Where this run of bins lies in `chunks`; from now on it does.
    #[inline]
    fn open_place(&mut self, index: usize) -> usize {
        let mut place = self.places[index];
        if place == 0 {
            place = self.open_chunk(index);
        }
        usize::from(place) - 1
    }

    #[cold]
    fn open_chunk(&mut self, index: usize) -> u16 {
        self.chunks.push([0; CHUNK_BINS]);
        self.places[index] = self.chunks.len() as u16;
        self.places[index]
    }

    /// The chunks that exist, in the order of their values.
    fn chunks(&self) -> impl DoubleEndedIterator<Item = (usize, &Chunk)> {
        let places = self.places.iter().enumerate().filter(|&(_, &place)| place > 0);
        places.map(|(index, &place)| (index, &self.chunks[usize::from(place) - 1]))
    }

    /// Lowest value, highest value and count of each bin that holds something, in the order of their values.
    pub fn filled_ranges(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.filled().map(|(bin, count)| (bin_lowest(bin), bin_highest(bin), count))
    }

    /// The bins that hold something with their counts, in the order of their values.
    pub(super) fn filled(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> {
        let bins = self.chunks().flat_map(|(index, chunk)| {
            let first = index * CHUNK_BINS;
            chunk.iter().enumerate().map(move |(offset, &count)| (first + offset, u64::from(count)))
        });
        let carried = |bin| if self.carries.is_empty() { 0 } else { self.carried(bin) };
        bins.map(move |(bin, low)| (bin, low + carried(bin))).filter(|&(_, count)| count > 0)
    }

    /// What the carries add to a bin. There are none before some bin has been hit 2^32 times.
    fn carried(&self, bin: usize) -> u64 {
        let carries = self.carries.iter().filter(|&&carry| usize::from(carry) == bin);
        (carries.count() as u64) << 32
    }

    /// How many values, counted from the lowest, make up this share of all: at least one.
    fn rank(&self, quantile: f64) -> u64 {
        ((quantile * self.count as f64).ceil() as u64).clamp(1, self.count.max(1))
    }
}

/// The bin of a value: the octave above the linear part, then the value's 11 leading bits.
#[inline]
const fn bin_of(value_ns: u64) -> usize {
    let octave = u64::BITS - (value_ns | ((1 << LINEAR_BITS) - 1)).leading_zeros() - LINEAR_BITS;
    ((octave as usize) << OCTAVE_BITS) + (value_ns >> octave) as usize
}

fn bin_lowest(bin: usize) -> u64 {
    let octave = (bin >> OCTAVE_BITS).saturating_sub(1);
    ((bin - (octave << OCTAVE_BITS)) as u64) << octave
}

fn bin_highest(bin: usize) -> u64 {
    bin_lowest(bin + 1) - 1
}

#[cfg(test)]
mod tests;
