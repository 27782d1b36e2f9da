//! Which pages the kernel says were written, in mappings as those of linear memories are.
#![expect(unsafe_code, reason = "pages are mapped to be looked at")]

use std::ptr;

use rustix::fd::AsFd;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use super::*;

const PAGES: usize = 256;
/// Where the file is mapped: these pages of it.
const FILE_PAGES: std::ops::Range<usize> = 2..6;

/// Zeros, and in their midst a file that is mapped privately.
struct Memory(*mut u8);

impl Memory {
    fn new() -> Memory {
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        let file = memfd_create("image", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&file, (FILE_PAGES.len() * PAGE_BYTES) as u64).unwrap();
        rustix::io::write(&file, b"image").unwrap();
        // SAFETY: the second mapping lies within the first, which nobody knows yet.
        unsafe {
            let size = PAGES * PAGE_BYTES;
            let base = mmap_anonymous(ptr::null_mut(), size, rights, MapFlags::PRIVATE).unwrap();
            let at = base.byte_add(FILE_PAGES.start * PAGE_BYTES);
            let flags = MapFlags::PRIVATE | MapFlags::FIXED;
            mmap(at, FILE_PAGES.len() * PAGE_BYTES, rights, flags, file.as_fd(), 0).unwrap();
            Memory(base.cast())
        }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: mapped for as long as `self` lives, which is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.0, PAGES * PAGE_BYTES) }
    }

    /// The pages that are found, when there are no more than so many.
    fn written(&mut self, pages_max: usize) -> Option<Vec<usize>> {
        let pagemap = Pagemap::open().expect("Linux 6.7 or newer");
        let mut pages = Vec::new();
        let bytes_max = pages_max * PAGE_BYTES;
        let all = pagemap.for_each_written(self.bytes(), bytes_max, |at, run| {
            assert!(at % PAGE_BYTES == 0 && run.len() % PAGE_BYTES == 0);
            pages.extend(at / PAGE_BYTES..(at + run.len()) / PAGE_BYTES);
        });
        all.then_some(pages)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it is all that was mapped, and nobody has a reference into it.
        unsafe { munmap(self.0.cast(), PAGES * PAGE_BYTES).unwrap() };
    }
}

#[test]
fn what_was_written_is_found_and_what_was_read_is_not() {
    let check = |written: &[usize]| {
        let mut memory = Memory::new();
        let bytes = memory.bytes();
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!(sum, b"image".iter().map(|byte| u64::from(*byte)).sum::<u64>());
        for (index, page) in written.iter().enumerate() {
            // The first byte, the last, or one between; what is written may be what was there.
            bytes[page * PAGE_BYTES + [0, PAGE_BYTES - 1, 77][index % 3]] = (index % 2) as u8;
        }
        assert_eq!(memory.written(PAGES).as_deref(), Some(written));
        // It stays so: a page of the process's own remains one.
        assert_eq!(memory.written(PAGES).as_deref(), Some(written));
        assert_eq!(memory.written(written.len()).as_deref(), Some(written));
        if let Some(less) = written.len().checked_sub(1) {
            assert_eq!(memory.written(less), None, "{written:?}");
        }
    };
    check(&[]);
    check(&[0]);
    check(&[PAGES - 1]);
    check(&[0, 1, 2, 3, 5, 6, 7, PAGES - 1]);
    check(&FILE_PAGES.collect::<Vec<_>>());
    // More runs than one system call finds.
    check(&(0..PAGES).step_by(2).collect::<Vec<_>>());
    check(&(0..PAGES).collect::<Vec<_>>());
}

#[test]
fn what_is_no_memory_of_whole_pages_is_not_looked_at() {
    let pagemap = Pagemap::open().expect("Linux 6.7 or newer");
    let mut memory = Memory::new();
    assert!(!pagemap.for_each_written(&mut memory.bytes()[1..], PAGES * PAGE_BYTES, |_, _| {}));
    let other = Pagemap(fs::open("/dev/null", OFlags::RDONLY, Mode::empty()).unwrap());
    assert!(!other.for_each_written(memory.bytes(), PAGES * PAGE_BYTES, |_, _| {}));
}
