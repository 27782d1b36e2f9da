//! The bytes of one connection: TCP, or memory in tests. TLS will be one more.

use tokio::io::{AsyncRead, AsyncWrite};

/// What a connection is served over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Stream for S {}
