//! Undoes what wrk does to its latencies before it shows them.
//!
//! wrk takes the mean time between two answers on a connection, and where a latency is twice that or
//! more it adds made-up ones, smaller by that time each, as if requests had been due meanwhile. For
//! one request at a time that is what wrk always shows, and it stays. Of pipelined requests each
//! latency is a batch's, while the time between answers is a request's: most values would be made
//! up, and many of them below the least that was measured, where wrk does not look when it seeks a
//! percentile; so it finds none and prints 0.

use std::collections::BTreeMap;

/// What was measured, of bins in microseconds to which wrk has added: for each value of two
/// intervals and more those that are one, two and more intervals less, down to one interval.
pub(super) fn undo(mut bins: BTreeMap<u64, u64>, interval: u64) -> BTreeMap<u64, u64> {
    let values: Vec<u64> = bins.range(2 * interval..).map(|(&us, _)| us).rev().collect();
    // From the largest, to which nothing was added; below the least bin all is made up.
    for us in values.into_iter().filter(|_| interval > 0) {
        let count = bins.get(&us).copied().unwrap_or(0);
        let mut less = us - interval;
        while count > 0 && less > interval {
            if let Some(bin) = bins.get_mut(&less) {
                *bin = bin.saturating_sub(count);
            }
            less -= interval;
        }
    }
    bins.retain(|_, count| *count > 0);
    bins
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::undo;

    /// What wrk does to its bins before it shows them.
    fn corrected(mut bins: BTreeMap<u64, u64>, interval: u64) -> BTreeMap<u64, u64> {
        for (us, count) in bins.clone().into_iter().filter(|&(us, _)| us >= 2 * interval) {
            let mut less = us - interval;
            while less > interval {
                *bins.entry(less).or_default() += count;
                less -= interval;
            }
        }
        bins
    }

    #[test]
    fn what_wrk_makes_up_is_taken_out_again() {
        let measured = BTreeMap::from([(160, 90), (170, 5), (400, 4), (1601, 1)]);
        let mut shown = corrected(measured.clone(), 10);
        // wrk does not tell of what lies below the least that it measured.
        shown.retain(|&us, _| us >= 160);
        assert!(shown.len() > 100);
        assert_eq!(undo(shown.clone(), 10), measured);
        assert_eq!(undo(measured.clone(), 0), measured);
    }
}
