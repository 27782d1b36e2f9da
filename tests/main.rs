//! The tests' one binary, so that they link once.

mod guests;
mod it;
