//! What of a memory is kept.

use super::*;

#[test]
fn pages_of_zeros_are_not_kept() {
    let check = |written: &[usize], expected: Option<&[bool]>| {
        let mut memory = vec![0; 1024 * PAGE_BYTES];
        for &at in written {
            memory[at] = 1;
        }
        let kept = kept_pages(&memory);
        let shown: Option<Vec<bool>> =
            kept.map(|pages| pages.iter().map(Option::is_some).collect());
        assert_eq!(shown.as_deref(), expected, "{written:?}");
    };
    check(&[], Some(&[]));
    check(&[0], Some(&[true]));
    check(&[PAGE_BYTES - 1, PAGE_BYTES], Some(&[true, true]));
    check(&[2 * PAGE_BYTES], Some(&[false, false, true]));
    let pages_max = RESET_BYTES_MAX / PAGE_BYTES;
    let most: Vec<usize> = (0..pages_max).map(|page| page * PAGE_BYTES).collect();
    check(&most, Some(&vec![true; pages_max]));
    check(&[&most[..], &[1023 * PAGE_BYTES]].concat(), None);
}
