//! The HTTP/1 codec: [`parse_head`] and [`ChunkedDecoder`] take requests apart, [`Encoder`] writes responses.

mod authority;
mod chunked;
mod encode;
mod fields;
mod head;
mod request_line;
mod syntax;
mod target;

pub use chunked::{ChunkedDecoder, Decoded};
pub use encode::{CONTINUE, Encoder, LAST_CHUNK, ResponseHead, put_chunk};
pub use fields::HEADERS_MAX;
pub use head::parse_head;

#[cfg(test)]
mod tests;
