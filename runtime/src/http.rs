//! HTTP: the words that routing and configuration need of it.

/// What one request may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub head_bytes_max: usize,
    pub target_bytes_max: usize,
    pub headers_max: usize,
    pub body_bytes_max: u64,
}

/// A request method; `Other` is any token that is not one of the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    Connect,
    Trace,
    Other,
}
