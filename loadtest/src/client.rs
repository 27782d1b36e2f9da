//! A small blocking HTTP/1.1 client: one connection, one request at a time, for checks and for
//! loads where every single answer matters. Answers without Content-Length are refused.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// No server under test may take longer; a hang must end the scenario, not block it.
const TIMEOUT: Duration = Duration::from_secs(15);
const HEADERS_MAX: usize = 32;
const RESPONSE_BYTES_MAX: usize = 64 << 20;

pub struct Client {
    stream: TcpStream,
    /// Bytes received and not yet used; capacity is kept between requests.
    buffer: Vec<u8>,
}

#[derive(Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Client { stream, buffer: Vec::new() })
    }

    pub fn get(&mut self, target: &str) -> Result<Response> {
        self.exchange(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"), &[])
    }

    pub fn post(&mut self, target: &str, body: &[u8]) -> Result<Response> {
        let length = body.len();
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        );
        self.exchange(&head, body)
    }

    fn exchange(&mut self, head: &str, body: &[u8]) -> Result<Response> {
        self.stream.write_all(&[head.as_bytes(), body].concat()).context("send the request")?;
        loop {
            if let Some((response, used)) = parse(&self.buffer)? {
                self.buffer.drain(..used);
                return Ok(response);
            }
            ensure!(self.buffer.len() <= RESPONSE_BYTES_MAX, "the answer does not end");
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk).context("read the answer")? {
                0 => bail!("the connection ended before the answer did"),
                count => self.buffer.extend_from_slice(&chunk[..count]),
            }
        }
    }
}

/// One GET on a connection of its own.
pub fn get(address: SocketAddr, target: &str) -> Result<Response> {
    Client::connect(address)?.get(target)
}

/// The response at the start of `bytes` and its length; `None` when it is not complete.
fn parse(bytes: &[u8]) -> Result<Option<(Response, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head_len) = head.parse(bytes).context("not HTTP/1.1")? else {
        return Ok(None);
    };
    let length = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .context("an answer without Content-Length")?;
    let length: usize = std::str::from_utf8(length.value)?.trim().parse()?;
    ensure!(length <= RESPONSE_BYTES_MAX, "an answer of {length} bytes");
    let status = head.code.context("an answer without status")?;
    let body = bytes.get(head_len..head_len + length);
    Ok(body.map(|body| (Response { status, body: body.to_vec() }, head_len + length)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn check(bytes: &str, want: Option<(u16, &str, usize)>) {
        let got = parse(bytes.as_bytes()).unwrap();
        let got = got.as_ref().map(|(response, used)| {
            (response.status, std::str::from_utf8(&response.body).unwrap(), *used)
        });
        assert_eq!(got, want, "{bytes:?}");
    }

    #[test]
    fn responses() {
        check("", None);
        check("HTTP/1.1 200 OK\r\nContent-Le", None);
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh", None);
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhiHTTP", Some((200, "hi", 40)));
        check("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n", Some((504, "", 51)));
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"nonsense\r\n\r\n").is_err());
    }
}
