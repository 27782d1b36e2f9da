//! THE request path: one connection's requests, one after the other, each through the same named stages.
//!
//! Read a head, find its target, read the body, call the guest, encode, write, record. Responses to pipelined requests
//! leave in one write. Whatever goes wrong leaves by `refuse`.

use std::convert::Infallible;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};

use crate::admin::AdminBody;
use crate::connection::{Connection, Interrupted};
use crate::guest::CallTimes;
use crate::http::{
    self, ChunkedDecoder, Framing, Head, Method, Parsed, Reject, ResponseHead, Status,
};
use crate::net::stream::Stream;
use crate::router::{Lookup, RouteId};
use crate::shard::Shard;
use crate::telemetry::{ConnectionEvent, clock};

mod answered;
mod follow;
mod target;
mod turns;

use answered::{Answered, AnsweredBy};
use target::{Page, Reply, Target};
use turns::{behind_others, poll_once};

/// A body up to this size is copied behind its head; a larger one is written from where it is.
const COPIED_BODY_BYTES_MAX: usize = 16 * 1024;
/// Responses to pipelined requests are written when they reach this size, more requests or not.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Pipelined requests of one connection that are worked on before others get their turn.
const IN_A_ROW_MAX: u32 = 64;
/// Memory set aside for a body before any of it has come: a length is only a promise.
const BODY_RESERVED_BYTES: usize = 64 * 1024;
/// Places for requests to be recorded that an idle connection keeps. More are needed only for pipelined ones.
const UNWRITTEN_KEPT: usize = 1;
/// What a peer may still send after a response that closes the connection, and how long it is read for.
const LINGER_BYTES_MAX: usize = 256 * 1024;
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection and what is ready to be written to it.
struct Session<S> {
    connection: Connection<S>,
    output: Vec<u8>,
    /// Requests whose responses are in `output`.
    unwritten: Vec<Answered>,
    peer: IpAddr,
    /// Requests that came with one before them.
    in_a_row: u32,
    /// The last response says that the connection closes.
    closes: bool,
}

/// A request whose head is known.
struct Request {
    head: Head,
    /// When its first byte became readable, in monotonic nanoseconds.
    started_ns: u64,
    /// How long the rest of it was awaited from then on.
    awaited_ns: u64,
}

/// Why we end a connection.
enum End {
    /// The request is refused: a response says why, and the connection closes.
    Refused(Reject),
    /// A response said that the connection closes.
    Closing,
    /// Nothing can be answered any more, or nothing was asked.
    Interrupted(Interrupted),
}

/// Serves a connection to its end. What goes wrong is answered or counted; the shard's other connections are unharmed.
pub async fn serve_connection<S: Stream>(stream: S, peer: SocketAddr, shard: Rc<Shard>) {
    let mut session = Session {
        connection: Connection::new(stream, &shard.io),
        output: Vec::new(),
        unwritten: Vec::with_capacity(UNWRITTEN_KEPT),
        peer: peer.ip(),
        in_a_row: 0,
        closes: false,
    };
    let Err(end) = session.serve(&shard).await;
    match end {
        End::Refused(reject) => session.refuse(&shard, &reject).await,
        End::Closing => session.connection.linger(LINGER_BYTES_MAX, LINGER_TIMEOUT).await,
        End::Interrupted(Interrupted::TimedOut) => {
            shard.telemetry.connection(ConnectionEvent::TimedOut)
        }
        End::Interrupted(_) => {}
    }
    shard.guests.give_buffer(session.output);
}

impl<S: Stream> Session<S> {
    async fn serve(&mut self, shard: &Rc<Shard>) -> Result<Infallible, End> {
        loop {
            let mut request = self.read_head(shard).await?;
            let target = Target::find(shard, &request.head, &self.connection.input);
            let payload = self.read_body(shard, &mut request, &target).await?;
            match target.lookup {
                Lookup::Route(route) => self.invoke(shard, &request, route, payload).await?,
                _ => self.answer(shard, &request, target).await?,
            }
            let more = !self.connection.input.is_empty() && self.output.len() < OUTPUT_BYTES_MAX;
            if self.closes || !more {
                // The requests that came with this one are worked on first and all answers then leave one after the other,
                // while the code of each of the two is in the cache and the peer awake. Not so beside a long guest: an
                // answer that is ready would wait for its turn too.
                if !shard.guests.any_long() {
                    self.connection.give_input();
                    behind_others().await;
                }
                self.flush(shard, &[]).await?;
            }
            if self.closes {
                return Err(End::Closing);
            }
            if more {
                // A buffer full of requests is a thousand calls that never wait: others get their turn in between.
                self.in_a_row = self.in_a_row.wrapping_add(1);
                if self.in_a_row.is_multiple_of(IN_A_ROW_MAX) {
                    behind_others().await;
                }
            }
        }
    }

    /// Gives up what an idle connection has no use for: there may be tens of thousands of them.
    fn rest(&mut self, shard: &Shard) {
        shard.guests.give_buffer(mem::take(&mut self.output));
        if self.unwritten.capacity() > UNWRITTEN_KEPT {
            self.unwritten = Vec::with_capacity(UNWRITTEN_KEPT);
        }
    }

    /// The next request's head. Writes what waits to be written before it waits for more.
    async fn read_head(&mut self, shard: &Shard) -> Result<Request, End> {
        // What is left in the input came with the last read.
        let mut started_ns = self.connection.readable_ns;
        let mut idle = self.connection.input.is_empty();
        loop {
            if !idle
                && let Parsed::Complete(head) =
                    http::parse_head(&self.connection.input, &shard.limits).map_err(End::Refused)?
            {
                let awaited_ns = self.connection.readable_ns.saturating_sub(started_ns);
                return Ok(Request { head, started_ns, awaited_ns });
            }
            self.flush(shard, &[]).await?;
            if idle {
                self.rest(shard);
                let due_ns = self.connection.active_ns + shard.timeouts.idle_ns;
                self.connection.fill(due_ns, true).await.map_err(End::Interrupted)?;
                self.output = shard.guests.take_buffer();
                started_ns = self.connection.readable_ns;
                idle = false;
            } else {
                let due_ns = started_ns + shard.timeouts.header_ns;
                self.connection.fill(due_ns, false).await.map_err(too_slow)?;
            }
        }
    }

    /// Takes the request out of the input, with all of its body, whether or not the target wants it: the next request
    /// begins behind it.
    async fn read_body(
        &mut self,
        shard: &Shard,
        request: &mut Request,
        target: &Target,
    ) -> Result<Bytes, End> {
        let head = &request.head;
        self.connection.input.advance(head.len);
        match head.framing {
            Framing::Empty => return Ok(Bytes::new()),
            // It came with its head, so nothing is awaited.
            Framing::Length(length) if self.connection.input.len() as u64 >= length => {
                return Ok(self.connection.input.split_to(length as usize).freeze());
            }
            Framing::Length(_) | Framing::Chunked => {}
        }
        if head.expect_continue && self.connection.input.is_empty() {
            if !matches!(target.lookup, Lookup::Route(_)) {
                // The answer is known, and the peer waits for it before it sends a body. Whether it then sends one is
                // its choice, so where its next request would begin is not known.
                self.closes = true;
                return Ok(Bytes::new());
            }
            self.output.extend_from_slice(http::CONTINUE);
            self.flush(shard, &[]).await?;
        }
        let began_ns = clock::now_ns();
        let due_ns = began_ns + shard.timeouts.body_ns;
        let body = if let Framing::Length(length) = head.framing {
            self.read_length(length as usize, due_ns).await?
        } else {
            self.read_chunks(shard, due_ns).await?
        };
        request.awaited_ns += clock::now_ns() - began_ns;
        Ok(body)
    }

    async fn read_length(&mut self, length: usize, due_ns: u64) -> Result<Bytes, End> {
        let mut body = std::mem::take(&mut self.connection.input);
        body.reserve(BODY_RESERVED_BYTES.min(length - body.len()));
        while body.len() < length {
            let missing = length - body.len();
            self.connection.fill_body(&mut body, missing, due_ns).await.map_err(too_slow)?;
        }
        Ok(body.freeze())
    }

    async fn read_chunks(&mut self, shard: &Shard, due_ns: u64) -> Result<Bytes, End> {
        let (mut decoder, mut body) = (ChunkedDecoder::default(), BytesMut::new());
        loop {
            let input = &mut self.connection.input;
            let decoded = decoder
                .decode(input, &mut body, shard.limits.body_bytes_max)
                .map_err(End::Refused)?;
            input.advance(decoded.consumed);
            if decoded.done {
                return Ok(body.freeze());
            }
            self.connection.fill(due_ns, false).await.map_err(too_slow)?;
        }
    }

    /// Calls the route's function and puts its answer behind the responses that wait to be written.
    async fn invoke(
        &mut self,
        shard: &Rc<Shard>,
        request: &Request,
        route: RouteId,
        payload: Bytes,
    ) -> Result<(), End> {
        let payload = if takes_body(request.head.method) { payload } else { Bytes::new() };
        let function = shard.functions[usize::from(route.0)];
        let mut times = CallTimes::default();
        let mut body = shard.guests.take_buffer();
        let result = {
            let mut call = pin!(shard.guests.invoke(function, payload, &mut body, &mut times));
            match poll_once(call.as_mut()).await {
                Some(result) => result,
                None => {
                    // Answers that are ready do not wait for a call that is not.
                    self.flush(shard, &[]).await?;
                    call.await
                }
            }
        };
        let (reply, outcome) = Reply::to_invocation(result, &mut body);
        let by = AnsweredBy::Function { route, outcome, times, awaited_ns: request.awaited_ns };
        self.unwritten.push(Answered { started_ns: request.started_ns, by });
        let written = self.write(shard, request, &reply, &body).await;
        shard.guests.give_buffer(body);
        written
    }

    /// Everything that no guest answers.
    async fn answer(
        &mut self,
        shard: &Rc<Shard>,
        request: &Request,
        target: Target,
    ) -> Result<(), End> {
        let page = Page::of(target, shard, self.peer).await;
        let by = match page.is_admin {
            true => AnsweredBy::Admin { status: page.status },
            false => AnsweredBy::Nobody { status: page.status },
        };
        self.unwritten.push(Answered { started_ns: request.started_ns, by });
        let extra = page.extra.as_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = Reply { status: page.status, content_type: page.content_type, extra };
        match page.body {
            AdminBody::Whole(body) => self.write(shard, request, &reply, &body).await,
            AdminBody::Followed(parts) => self.follow(shard, request, &reply, parts).await,
        }
    }

    /// Puts a response into the output. One with a large body is written at once, from where the body is.
    async fn write(
        &mut self,
        shard: &Shard,
        request: &Request,
        reply: &Reply<'_>,
        body: &[u8],
    ) -> Result<(), End> {
        // Looked at last: a drain may have begun during the call.
        self.closes |= !request.head.keep_alive || shard.io.draining();
        shard.encoder.head(
            &mut self.output,
            shard.date.borrow_mut().line(request.started_ns),
            &ResponseHead {
                status: reply.status,
                content_type: reply.content_type,
                content_length: Some(body.len() as u64),
                chunked: false,
                extra: reply.extra.as_slice(),
                keep_alive: !self.closes,
                version: request.head.version,
            },
        );
        if request.head.method == Method::Head {
            return Ok(());
        }
        if body.len() > COPIED_BODY_BYTES_MAX {
            return self.flush(shard, body).await;
        }
        self.output.extend_from_slice(body);
        Ok(())
    }

    /// Writes the output and `body` behind it, then records the requests that they answer.
    async fn flush(&mut self, shard: &Shard, body: &[u8]) -> Result<(), End> {
        if self.output.is_empty() {
            return Ok(());
        }
        let timeout_ns = shard.timeouts.write_ns;
        let written = self.connection.write_all(&self.output, body, timeout_ns).await;
        self.output.clear();
        let ended_ns = clock::now_ns();
        self.connection.active_ns = ended_ns;
        for answered in self.unwritten.drain(..) {
            answered.record(shard, ended_ns, written.is_ok());
        }
        written.map_err(End::Interrupted)
    }

    /// The one way out for a request that is not served: says why and closes.
    async fn refuse(&mut self, shard: &Shard, reject: &Reject) {
        shard.telemetry.rejected(reject.status.code());
        let now_ns = clock::now_ns();
        shard.encoder.reject(&mut self.output, shard.date.borrow_mut().line(now_ns), reject);
        if self.flush(shard, &[]).await.is_ok() {
            self.connection.input.clear();
            self.connection.linger(LINGER_BYTES_MAX, LINGER_TIMEOUT).await;
        }
    }
}

/// Tarmac's guests get the body of these; PATCH is ours. Of any other method a body is read and dropped.
fn takes_body(method: Method) -> bool {
    matches!(method, Method::Post | Method::Put | Method::Patch)
}

/// A request of which a part has come is answered when the rest does not.
fn too_slow(interrupted: Interrupted) -> End {
    match interrupted {
        Interrupted::TimedOut => End::Refused(Reject {
            status: Status::REQUEST_TIMEOUT,
            reason: "the request did not arrive in time",
        }),
        other => End::Interrupted(other),
    }
}
