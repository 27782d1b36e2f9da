//! Finds the pages of a memory that were written, with the PAGEMAP_SCAN of Linux 6.7.
#![expect(unsafe_code, reason = "the C library has ioctl as an unsafe function only")]

use std::mem;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{self, Mode, OFlags};
use rustix::ioctl::{Opcode, opcode};

/// From the kernel's `uapi/linux/fs.h`: `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: Opcode = opcode::read_write::<ScanArgument>(b'f', 16);
const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;
const PAGE_IS_PFNZERO: u64 = 1 << 5;
/// The smallest page there is.
const PAGE_BYTES: usize = 4096;
/// Runs of written pages that one system call finds.
const RUNS_MAX: usize = 32;

/// `struct pm_scan_arg`. What has 64 bits there is an address or a length here: so have those of the machines that wasm is
/// compiled for.
#[repr(C)]
#[derive(Default)]
struct ScanArgument {
    size: usize,
    flags: u64,
    start: usize,
    end: usize,
    walk_end: usize,
    vec: usize,
    vec_len: usize,
    max_pages: usize,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Run {
    start: usize,
    end: usize,
    categories: u64,
}

const _: () = assert!(mem::size_of::<ScanArgument>() == 96 && mem::size_of::<Run>() == 24);

/// The process's own page table, as the kernel shows it.
pub(in crate::guest) struct Pagemap(OwnedFd);

impl Pagemap {
    /// None when the kernel is older.
    pub(in crate::guest) fn open() -> Option<Pagemap> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let pagemap = Pagemap(fs::open("/proc/self/pagemap", flags, Mode::empty()).ok()?);
        // Nothing, where any page may begin.
        pagemap.scan(0..0, 1, &mut [Run::default()])?;
        Some(pagemap)
    }

    /// Hands over each run of pages that the process has of its own, and where it begins: they were written at some time
    /// since they were mapped. All others are what was mapped, be it zeros or a file. `false`: there were more than
    /// `bytes_max`, or it could not be found out, and not all were handed over. The memory is mapped privately.
    pub(super) fn for_each_written(
        &self,
        memory: &mut [u8],
        bytes_max: usize,
        mut each: impl FnMut(usize, &mut [u8]),
    ) -> bool {
        let base = memory.as_ptr().addr();
        let (mut seen, mut bytes) = (0, 0);
        let mut runs = [Run::default(); RUNS_MAX];
        while seen < memory.len() {
            // One page more than may be, so that too many are told from just enough.
            let pages_max = (bytes_max - bytes) / PAGE_BYTES + 1;
            let rest = base + seen..base + memory.len();
            let Some((found, end)) = self.scan(rest, pages_max, &mut runs) else { return false };
            for run in &runs[..found] {
                let range = run.start.wrapping_sub(base)..run.end.wrapping_sub(base);
                let Some(written) = memory.get_mut(range.clone()) else { return false };
                bytes += written.len();
                if bytes > bytes_max {
                    return false;
                }
                each(range.start, written);
            }
            let before = seen;
            seen = end.wrapping_sub(base);
            if seen <= before || seen > memory.len() {
                return false;
            }
        }
        true
    }

    /// One system call over a range of addresses: how many runs it found, and the address up to which it looked.
    fn scan(
        &self,
        range: Range<usize>,
        pages_max: usize,
        runs: &mut [Run],
    ) -> Option<(usize, usize)> {
        let mut argument = ScanArgument {
            size: mem::size_of::<ScanArgument>(),
            start: range.start,
            end: range.end,
            vec: runs.as_mut_ptr().expose_provenance(),
            vec_len: runs.len(),
            max_pages: pages_max,
            // Pages of the process's own, wherever they are: one that is swapped out, or on its way to another place, is
            // not present. Neither pages of a file nor the kernel's page of zeros, which are there when they were read.
            category_inverted: PAGE_IS_FILE | PAGE_IS_PFNZERO,
            category_mask: PAGE_IS_FILE | PAGE_IS_PFNZERO,
            category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
            ..ScanArgument::default()
        };
        // SAFETY: the descriptor is one of a page map, or the kernel refuses. The argument is what its header says, and
        // `runs`, borrowed exclusively, has room for as many elements as the argument says, of the header's layout. The
        // call writes to these two and to nothing else; of the memory it only looks at how it is mapped.
        let found = unsafe {
            libc::ioctl(self.0.as_raw_fd(), PAGEMAP_SCAN as libc::Ioctl, &raw mut argument)
        };
        let found = usize::try_from(found).ok().filter(|found| *found <= runs.len())?;
        Some((found, argument.walk_end))
    }
}

#[cfg(test)]
mod tests;
