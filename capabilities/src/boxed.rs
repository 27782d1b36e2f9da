//! Boxes whose content is made inside them.
//!
//! `Box::new` makes it on the stack and moves it: all of a future of some kilobytes, of which nothing
//! is written yet but what it captured.

use std::pin::Pin;

/// What `make` gives, on the heap.
pub fn boxed<T>(make: impl FnOnce() -> T) -> Box<T> {
    Box::write(Box::new_uninit(), make())
}

/// What `make` gives, on the heap, to stay there.
pub fn pinned<T>(make: impl FnOnce() -> T) -> Pin<Box<T>> {
    Box::into_pin(boxed(make))
}
