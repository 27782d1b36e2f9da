//! A client at the other end of a connection in memory, which takes nothing from the heap once it is made.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

const RESPONSE_BYTES_MAX: usize = 4096;
/// For the first response, which may be another one than is expected.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that knows how long a response is: from one request to the next only the date changes.
#[derive(Debug)]
pub struct Client {
    stream: DuplexStream,
    /// The response to the first request.
    pub response: Vec<u8>,
}

impl Client {
    /// Sends one request. `body` is that of the response and ends it.
    ///
    /// # Panics
    /// When another response comes, or one of more than 4 KiB.
    pub async fn new(mut stream: DuplexStream, request: &[u8], body: &[u8]) -> Client {
        let mut response = vec![0; RESPONSE_BYTES_MAX];
        stream.write_all(request).await.expect("the server reads");
        let mut length = 0;
        while !response[..length].ends_with(body) {
            let read = timeout(ANSWER_TIMEOUT, stream.read(&mut response[length..])).await;
            match read {
                Ok(Ok(read @ 1..)) => length += read,
                _ => panic!("no more than {:?}", String::from_utf8_lossy(&response[..length])),
            }
        }
        response.truncate(length);
        Client { stream, response }
    }

    /// Sends requests like the first one and reads as many bytes as `responses` has.
    ///
    /// # Panics
    /// When the server ends the connection.
    pub async fn exchange(&mut self, requests: &[u8], responses: &mut [u8]) {
        self.stream.write_all(requests).await.expect("the server reads");
        self.stream.read_exact(responses).await.expect("the server answers");
    }
}
