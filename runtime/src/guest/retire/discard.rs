//! Gives the memory behind a range of bytes back to the kernel.
#![expect(unsafe_code, reason = "rustix has madvise as an unsafe function only")]

use rustix::mm::{Advice, madvise};

/// A multiple of every page size that Linux has on 64-bit machines, so that the real one need not be asked for.
pub(super) const PAGE_BYTES: usize = 64 * 1024;

/// Frees the memory behind the bytes, but for what is not a whole page of 64 KiB at either end. When they are read again,
/// they are what they were when they were mapped: zeros, or the bytes of the file. The kernel may refuse; nothing changes
/// then.
pub(super) fn discard(bytes: &mut [u8]) {
    let lead = bytes.as_ptr().align_offset(PAGE_BYTES);
    let Some(pages) = bytes.get_mut(lead..) else { return };
    let len = pages.len() - pages.len() % PAGE_BYTES;
    if len == 0 {
        return;
    }
    // SAFETY: the range is whole pages, whatever their size, and lies within `pages`, which is borrowed exclusively: it
    // holds no bytes of anybody else's, and no reference into it is in use. The call changes bytes to others, of which
    // each is a valid `u8`, and leaves them mapped with the rights they had.
    let _ = unsafe { madvise(pages.as_mut_ptr().cast(), len, Advice::LinuxDontNeed) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_pages_are_emptied_and_nothing_else() {
        let check = |from: usize, to: usize, emptied: std::ops::Range<usize>| {
            let mut bytes = vec![7_u8; 6 * PAGE_BYTES];
            let lead = bytes.as_ptr().align_offset(PAGE_BYTES);
            let pages = &mut bytes[lead..][..5 * PAGE_BYTES];
            discard(&mut pages[from..to]);
            for (at, &byte) in pages.iter().enumerate() {
                let expected = if emptied.contains(&at) { 0 } else { 7 };
                assert_eq!(byte, expected, "{from}..{to}: byte {at}");
            }
        };
        check(0, 5 * PAGE_BYTES, 0..5 * PAGE_BYTES);
        check(PAGE_BYTES, 3 * PAGE_BYTES, PAGE_BYTES..3 * PAGE_BYTES);
        check(1, 3 * PAGE_BYTES - 1, PAGE_BYTES..2 * PAGE_BYTES);
        check(1, PAGE_BYTES, 0..0);
        check(1, 2 * PAGE_BYTES - 1, 0..0);
        check(PAGE_BYTES, PAGE_BYTES, 0..0);
    }
}
