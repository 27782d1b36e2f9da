//! A bare loop over epoll and httparse on one thread: the floor, since less cannot be done for a request on sockets. It has no
//! limits and no timers, and knows requests without a body only. It runs as `loadtest serve-epoll`.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use slab::Slab;

use super::{BODY, CONTENT_TYPE, Plan, Server, free_address, temporary_folder};
use crate::machine::Stage;
use crate::process::DeathSignal;

/// More than any connection's number.
const LISTENER: u64 = u64::MAX;
const EVENTS_MAX: usize = 1024;
/// As airside reads: more than clients send at once, so that a short read says that all was read.
const READ_BYTES: usize = 64 * 1024;
const HEADERS_MAX: usize = 64;
/// How old the Date header may get.
const DATE_AGE_MAX: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub struct Options {
    #[arg(long)]
    port: u16,
}

pub(super) fn start(stage: &Stage) -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve-epoll", "--port", &address.port().to_string()]);
    Server::start(Plan {
        name: "epoll",
        command,
        cpus: vec![stage.server_cpu],
        address,
        target: "/hello".to_owned(),
        folder: temporary_folder()?,
        death_signal: DeathSignal::Kill,
        sheds: false,
    })
}

/// `loadtest serve-epoll`: serves until it is killed.
pub fn serve(options: &Options) -> Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).context("listen")?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut connections = Slab::new();
    let mut answer = Answer::new();
    let (mut buffer, mut output) = (vec![0; READ_BYTES], Vec::new());
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
    loop {
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        answer.renew();
        for event in events.drain(..) {
            let data = event.data;
            if data.u64() == LISTENER {
                accept(&listener, &epoll, &mut connections)?;
                continue;
            }
            let number = data.u64() as usize;
            let Some(connection) = connections.get_mut(number) else { continue };
            if connection.serve(&mut buffer, &mut output, &answer).is_err() {
                // Dropping it takes it out of the epoll instance too.
                connections.remove(number);
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    epoll: &OwnedFd,
    connections: &mut Slab<Connection>,
) -> Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error).context("accept"),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let entry = connections.vacant_entry();
        epoll::add(epoll, &stream, EventData::new_u64(entry.key() as u64), EventFlags::IN)?;
        entry.insert(Connection { stream, begun: Vec::new() });
    }
}

struct Connection {
    stream: TcpStream,
    /// The begin of a request whose end has not come yet.
    begun: Vec<u8>,
}

impl Connection {
    /// One read, and one write for all requests in it. An error ends the connection.
    fn serve(&mut self, buffer: &mut [u8], output: &mut Vec<u8>, answer: &Answer) -> Result<()> {
        let count = self.stream.read(buffer)?;
        if count == 0 {
            bail!("the client has closed");
        }
        output.clear();
        let used = if self.begun.is_empty() {
            let used = answer_all(&buffer[..count], output, answer)?;
            self.begun.extend_from_slice(&buffer[used.bytes..count]);
            used
        } else {
            self.begun.extend_from_slice(&buffer[..count]);
            let used = answer_all(&self.begun, output, answer)?;
            self.begun.drain(..used.bytes);
            used
        };
        // A client that takes no answers is cut off: there is no buffer to wait in.
        self.stream.write_all(output)?;
        ensure!(!used.closes, "the client wants no other answer");
        Ok(())
    }
}

/// What of the input was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Used {
    bytes: usize,
    /// The last request asked for the end of the connection.
    closes: bool,
}

/// Puts an answer into `output` for each complete request.
fn answer_all(input: &[u8], output: &mut Vec<u8>, answer: &Answer) -> Result<Used> {
    let mut used = Used::default();
    while used.bytes < input.len() {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(len) = request.parse(&input[used.bytes..])? else { break };
        for header in request.headers {
            if header.name.eq_ignore_ascii_case("content-length") {
                bail!("requests with a body are not served here");
            }
            used.closes |= header.name.eq_ignore_ascii_case("connection")
                && header.value.eq_ignore_ascii_case(b"close");
        }
        output.extend_from_slice(if used.closes { &answer.closing } else { &answer.bytes });
        used.bytes += len;
    }
    Ok(used)
}

/// The one response, with a Date that is renewed.
struct Answer {
    bytes: Vec<u8>,
    /// The same for a client that wants no other.
    closing: Vec<u8>,
    made: Instant,
}

impl Answer {
    fn new() -> Answer {
        let now = SystemTime::now();
        Answer {
            bytes: response(now, ""),
            closing: response(now, "Connection: close\r\n"),
            made: Instant::now(),
        }
    }

    fn renew(&mut self) {
        if self.made.elapsed() >= DATE_AGE_MAX {
            *self = Answer::new();
        }
    }
}

fn response(now: SystemTime, more: &str) -> Vec<u8> {
    let (date, len) = (httpdate::fmt_http_date(now), BODY.len());
    format!(
        "HTTP/1.1 200 OK\r\nServer: epoll\r\nDate: {date}\r\nContent-Type: {CONTENT_TYPE}\r\n{more}\
         Content-Length: {len}\r\n\r\n{BODY}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Answer, Used, answer_all};

    #[test]
    fn each_complete_request_is_answered_once() {
        let answer = Answer { bytes: b"!".to_vec(), closing: b"?".to_vec(), ..Answer::new() };
        let check = |input: &str, answers: usize, used: usize| {
            let mut output = Vec::new();
            let done = answer_all(input.as_bytes(), &mut output, &answer).unwrap();
            assert_eq!(done, Used { bytes: used, closes: input.contains("close") }, "{input:?}");
            assert_eq!(output.len(), answers, "{input:?}");
        };
        let request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
        check("", 0, 0);
        check(request, 1, request.len());
        check(&request.repeat(16), 16, 16 * request.len());
        check(&request[..20], 0, 0);
        let closing = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
        check(closing, 1, closing.len());
        check(&format!("{request}GET /"), 1, request.len());
        let mut output = Vec::new();
        assert!(answer_all(b"\0\r\n\r\n", &mut output, &answer).is_err());
        let body = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";
        assert!(answer_all(body, &mut output, &answer).is_err());
    }
}
