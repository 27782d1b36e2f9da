//! A blocking HTTP/1.1 client that sends the bytes it is given and hides nothing of what comes back.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::WAIT;

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// Received and not looked at yet.
    buffer: Vec<u8>,
}

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status line without its end.
    pub status_line: String,
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    /// Opens a connection. Every wait on it ends after [`WAIT`].
    pub fn connect(address: SocketAddr) -> Client {
        Client::try_connect(address).expect("the server takes connections")
    }

    /// Opens a connection if the server takes it.
    pub fn try_connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&address, WAIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(WAIT))?;
        stream.set_write_timeout(Some(WAIT))?;
        Ok(Client { stream, buffer: Vec::new() })
    }

    /// A second handle on the connection, for a thread that sends while another one receives.
    pub fn try_clone(&self) -> io::Result<Client> {
        Ok(Client { stream: self.stream.try_clone()?, buffer: Vec::new() })
    }

    /// Sends bytes as they are. That the server has closed the connection already is no failure: what it had to say
    /// can still be read.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send(bytes) {
            let closed = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
            assert!(closed.contains(&error.kind()), "cannot send: {error}");
        }
    }

    /// Sends bytes while the server takes them.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends bytes one by one, each in a packet of its own.
    pub fn send_one_by_one(&mut self, bytes: impl AsRef<[u8]>) {
        bytes.as_ref().iter().for_each(|byte| self.send([*byte]));
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// Sends a request without a body.
    pub fn request(&mut self, method: &str, path: &str) {
        self.send(format!("{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n"));
    }

    /// Sends a POST.
    pub fn post_request(&mut self, path: &str, body: &[u8]) {
        self.send(post(path, body));
    }

    /// Sends a GET and waits for its response.
    pub fn get(&mut self, path: &str) -> Response {
        self.request("GET", path);
        self.receive()
    }

    /// Sends a POST and waits for its response.
    pub fn post(&mut self, path: &str, body: impl AsRef<[u8]>) -> Response {
        self.post_request(path, body.as_ref());
        self.receive()
    }

    /// Waits for one response.
    #[track_caller]
    pub fn receive(&mut self) -> Response {
        self.try_receive().expect("a response")
    }

    /// Waits for one response, or for the end of the connection, which is an error.
    pub fn try_receive(&mut self) -> io::Result<Response> {
        let mut response = self.receive_head()?;
        let length = match response.header("content-length") {
            Some(length) => length.parse().map_err(|_| invalid("a bad Content-Length"))?,
            None if response.has_no_body() => 0,
            None => return Err(invalid("no Content-Length")),
        };
        while self.buffer.len() < length {
            self.fill()?;
        }
        response.body = self.buffer.drain(..length).collect();
        Ok(response)
    }

    /// Waits for the head of one response, as those to HEAD are.
    pub fn receive_head(&mut self) -> io::Result<Response> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            self.fill()?;
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        Response::parse_head(&head[..end]).ok_or_else(|| invalid("not a response's head"))
    }

    /// Waits for one chunk of a body that comes in chunks. The last one is empty.
    pub fn receive_chunk(&mut self) -> io::Result<Vec<u8>> {
        let (start, length) = loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let size = str::from_utf8(&self.buffer[..end]).ok();
                let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
                break (end + 2, size.ok_or_else(|| invalid("not a chunk's size"))?);
            }
            self.fill()?;
        };
        while self.buffer.len() < start + length + 2 {
            self.fill()?;
        }
        let chunk: Vec<u8> = self.buffer.drain(..start + length + 2).skip(start).collect();
        Ok(chunk[..length].to_vec())
    }

    /// Waits for more bytes, which [`Client::received`] shows then.
    pub fn receive_some(&mut self) -> io::Result<()> {
        self.fill()
    }

    /// What has been received and not looked at yet.
    pub fn received(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Waits until the server closes the connection and gives all it has said until then.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(error) if timed_out(&error) => panic!("the connection stays open"),
                Err(_) => return std::mem::take(&mut self.buffer),
            }
        }
    }

    /// Whether the server leaves the connection open, and silent, for this long.
    pub fn stays_open(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("a time above zero");
        let result = self.fill();
        self.stream.set_read_timeout(Some(WAIT)).expect("a time above zero");
        result.is_err_and(|error| timed_out(&error))
    }

    /// Where the connection comes from.
    pub fn local(&self) -> SocketAddr {
        self.stream.local_addr().expect("the connection is open")
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 64 * 1024];
        let count = self.stream.read(&mut chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}

impl Response {
    fn parse_head(head: &[u8]) -> Option<Response> {
        let head = str::from_utf8(head).ok()?;
        let mut lines = head.split("\r\n");
        let status_line = lines.next()?.to_owned();
        let status = status_line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(": ")?;
                Some((name.to_ascii_lowercase(), value.to_owned()))
            })
            .collect::<Option<_>>()?;
        Some(Response { status_line, status, headers, body: Vec::new() })
    }

    fn has_no_body(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 304)
    }

    /// A header's value; its name in lower case. It must not be there twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} comes twice in {:?}", self.headers);
        Some(&value.1)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the server says that it closes the connection.
    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// The bytes of a POST.
pub(super) fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
