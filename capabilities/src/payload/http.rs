//! The payloads of the HTTP client.
//!
//! Tarmac's schema has had two forms of headers under the same field numbers: `map<string, string>`
//! until November 2024, which Tarmac's releases up to 0.10.0 speak, and `map<string, Header>` since,
//! which all published guest SDKs speak. Both are understood, and each guest is answered in its own:
//!
//! - A `Header` that has a value begins with the byte 0x0a, the key of its field 1. As a string that
//!   would be a header beginning with a line feed, which HTTP forbids and Tarmac refuses. So a
//!   request whose values are all either empty or a `Header` from the first byte on is of the newer
//!   form, and no string that can be sent is ever taken for a `Header`.
//! - An empty value, and a request without headers, look the same in both forms. They count as the
//!   newer one, since guests that write the older one have no SDK and are few.

mod request;
mod response;

pub(crate) use request::Call;
pub(crate) use response::{answered, refused};

/// How the guest writes its payload and wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    /// Protobuf with `map<string, string>`.
    Texts,
    /// Protobuf with `map<string, Header>`.
    Headers,
}

#[cfg(test)]
mod tests;
