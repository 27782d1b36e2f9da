//! The HTTP client: calls to anywhere, over connections that the shard keeps.
//!
//! A guest reaches whatever the host reaches, loopback and private networks included, as it does in
//! Tarmac: who runs guests that take URLs from strangers must limit the host's network.
//!
//! What is sent and what comes back follow Go's `net/http`, which guests were written against.
//! Differences: connections are kept, where Tarmac makes one for every call; an answer is not asked
//! for in gzip, though one that comes so all the same is unpacked as Go does; a body over the limit
//! is an error unless `compat`; errors show URLs without their query. Proxies in the environment
//! are not used, as Tarmac does not use them.

mod body;
mod connect;
mod failure;
mod pool;
mod redirect;
mod request;
mod target;
mod url;

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response};
use tokio::time::{Instant, timeout_at};

use crate::backend::{FailureKind, Network, ShardBackend};
pub(crate) use body::ReadBody;
use body::{BodyLimit, Ended};
use connect::Connector;
use failure::Broken;
pub(crate) use failure::HttpFailure;
use pool::{AllInUse, Bounds, Checkout, Lease, Pool, Security};
use redirect::{DeadEnd, told};
use request::Hop;
pub(crate) use request::{AskedHeader, HttpRequest};
use url::{Url, quoted};

/// Of a redirect's body, as much is read as is likely to be there, so that the connection can be
/// used again.
const REDIRECT_BODY_MAX: u64 = 2048;

/// Requests that one call may become by redirects.
const REQUESTS_MAX: usize = 10;

/// Go's words for a call that took too long, before and after the answer's head.
const NO_HEAD: &str = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
const NO_BODY: &str =
    "context deadline exceeded (Client.Timeout or context cancellation while reading body)";
const ALL_IN_USE: &str = "too many open connections";

const OUR_AGENT: &str = concat!("airside/", env!("CARGO_PKG_VERSION"));
const TARMACS_AGENT: &str = "Go-http-client/1.1";

/// The settings of a shard's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpClientConfig {
    /// For a whole call: names, connections, redirects and body.
    pub timeout: Duration,
    /// The longest body of an answer.
    pub body_bytes_max: u64,
    /// As Tarmac: a longer body is cut without a word, and the user agent is Go's.
    pub compat: bool,
}

/// A shard's client. It is never down: each call says by itself what it could not reach.
pub struct HttpClient {
    config: HttpClientConfig,
    agent: HeaderValue,
    connector: Connector,
    pool: Rc<Pool>,
    backend: Rc<ShardBackend>,
}

/// An answer, of whatever status.
#[derive(Debug, Default)]
pub(crate) struct HttpResponse {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: ReadBody,
}

impl HttpClient {
    /// `backend` counts failed calls and open connections; its health is not kept.
    pub fn new(
        config: &HttpClientConfig,
        network: &Network,
        backend: Rc<ShardBackend>,
    ) -> HttpClient {
        let agent = if config.compat { TARMACS_AGENT } else { OUR_AGENT };
        HttpClient {
            config: *config,
            agent: HeaderValue::from_static(agent),
            connector: Connector::new(network),
            pool: Pool::new(Bounds::default(), Rc::clone(&backend)),
            backend,
        }
    }

    /// Makes a call and reads its answer.
    pub(crate) async fn call(&self, asked: &HttpRequest<'_>) -> Result<HttpResponse, HttpFailure> {
        let deadline = Instant::now() + self.config.timeout;
        let method = method(&asked.method).map_err(HttpFailure::Create)?;
        let url = Url::parse(&asked.url).map_err(|e| HttpFailure::Create(e.to_string()))?;
        let execute = |url: &Url, reason: &str| HttpFailure::Execute(told(&method, url, reason));
        let mut hop =
            Hop::first(method.clone(), url).map_err(|end| execute(&end.url, &end.reason))?;
        let stopped = match timeout_at(deadline, self.follow(asked, &mut hop)).await {
            Ok(Ok(answer)) => return self.read(asked, &hop, answer, deadline).await,
            Ok(Err(stopped)) => stopped,
            Err(_) => Stopped::Broken(Broken::new(FailureKind::Timeout, NO_HEAD)),
        };
        Err(match stopped {
            Stopped::DeadEnd(end) => execute(&end.url, &end.reason),
            Stopped::Broken(broken) => {
                self.count(&broken);
                execute(&hop.url, &broken.reason)
            }
        })
    }

    /// Sends the request and goes where the answers say. Afterwards `hop` is the last request sent.
    async fn follow(&self, asked: &HttpRequest<'_>, hop: &mut Hop) -> Result<Answer, Stopped> {
        for _ in 1..REQUESTS_MAX {
            let answer = self.exchange(asked, hop).await?;
            let head = &answer.response;
            match hop.next(asked, head.status(), head.headers())? {
                Some(next) => *hop = next,
                None => return Ok(answer),
            }
            discard(answer).await;
        }
        let answer = self.exchange(asked, hop).await?;
        match hop.next(asked, answer.response.status(), answer.response.headers())? {
            Some(Hop { url, .. }) => {
                let reason = format!("stopped after {REQUESTS_MAX} redirects");
                Err(Stopped::DeadEnd(Box::new(DeadEnd { url, reason })))
            }
            None => Ok(answer),
        }
    }

    /// One request and the head of its answer. A connection that has been idle may turn out to be
    /// closed: then the request is sent once more, on a new one, if it was not sent or if sending
    /// it twice does no harm.
    async fn exchange(&self, asked: &HttpRequest<'_>, hop: &Hop) -> Result<Answer, Stopped> {
        match self.send(asked, hop, false).await? {
            Ok(answer) => return Ok(answer),
            Err(stale) if stale.may_repeat => {}
            Err(stale) => return Err(Stopped::Broken(stale.broken)),
        }
        self.send(asked, hop, true).await?.map_err(|stale| Stopped::Broken(stale.broken))
    }

    async fn send(
        &self,
        asked: &HttpRequest<'_>,
        hop: &Hop,
        fresh: bool,
    ) -> Result<Result<Answer, Stale>, Stopped> {
        let dead_end =
            |reason| Stopped::DeadEnd(Box::new(DeadEnd { url: hop.url.clone(), reason }));
        let mut request = asked.build(hop, &self.agent).map_err(dead_end)?;
        let mut lease = self.lease(asked, hop, fresh).await.map_err(Stopped::Broken)?;
        if lease.is_http2() {
            hop.for_http2(&mut request).map_err(dead_end)?;
        }
        Ok(match lease.send(request).await {
            Ok(response) => Ok(Answer { response, lease }),
            Err(unanswered) => Err(Stale {
                may_repeat: lease.is_reused && (unanswered.is_unsent || hop.is_replayable(asked)),
                broken: unanswered.broken,
            }),
        })
    }

    async fn lease(
        &self,
        asked: &HttpRequest<'_>,
        hop: &Hop,
        fresh: bool,
    ) -> Result<Lease, Broken> {
        let target = &hop.target;
        let security = match (target.is_tls, asked.insecure) {
            (false, _) => Security::Plain,
            (true, false) => Security::Verified,
            (true, true) => Security::Unverified,
        };
        let slot = match self.pool.checkout(security, &target.address, fresh).await {
            Ok(Checkout::Connected(lease)) => return Ok(lease),
            Ok(Checkout::Vacant(slot)) => slot,
            Err(AllInUse) => return Err(Broken::new(FailureKind::Unavailable, ALL_IN_USE)),
        };
        let place = slot.place();
        // Rare, and large with its TLS handshake: off the path of calls that find a connection.
        let connecting = Box::pin(self.connector.connect(target, !asked.insecure, slot));
        Ok(self.pool.opened(place, connecting.await?))
    }

    /// Reads the body of the last answer.
    async fn read(
        &self,
        asked: &HttpRequest<'_>,
        hop: &Hop,
        answer: Answer,
        deadline: Instant,
    ) -> Result<HttpResponse, HttpFailure> {
        let Answer { response, lease } = answer;
        let (head, mut incoming) = response.into_parts();
        let (code, headers) = (head.status.as_u16(), head.headers);
        let mut response = HttpResponse { code, headers, body: ReadBody::default() };
        // The framing of the connection, which Go does not show.
        response.headers.remove(header::TRANSFER_ENCODING);
        response.headers.remove(header::TRAILER);
        let limit = BodyLimit { bytes: self.config.body_bytes_max, cut: self.config.compat };
        let reading = async {
            if response.body.fill(&mut incoming, limit).await? == Ended::Whole {
                lease.give_back();
            }
            let packed = is_gzip(&response.headers) && !response.body.is_empty();
            if packed && hop.method != Method::HEAD && asked.takes_any_encoding() {
                response.body = response.body.unpack(limit).await?;
                response.headers.remove(header::CONTENT_ENCODING);
                response.headers.remove(header::CONTENT_LENGTH);
            }
            Ok(())
        };
        let broken = match timeout_at(deadline, reading).await {
            Ok(Ok(())) => return Ok(response),
            Ok(Err(broken)) => broken,
            Err(_) => Broken::new(FailureKind::Timeout, NO_BODY),
        };
        self.count(&broken);
        Err(HttpFailure::Body { partial: Box::new(response), reason: broken.reason })
    }

    fn count(&self, broken: &Broken) {
        self.backend.failed(broken.kind, &*broken.reason);
    }
}

/// The head of an answer, and the connection on which its body comes.
struct Answer {
    response: Response<Incoming>,
    lease: Lease,
}

/// A request that a connection did not carry.
struct Stale {
    broken: Broken,
    may_repeat: bool,
}

/// Why there is no answer.
enum Stopped {
    DeadEnd(Box<DeadEnd>),
    Broken(Broken),
}

impl From<Box<DeadEnd>> for Stopped {
    fn from(end: Box<DeadEnd>) -> Stopped {
        Stopped::DeadEnd(end)
    }
}

/// Go's rule: empty is GET, and any token will do.
fn method(asked: &str) -> Result<Method, String> {
    match asked {
        "" => Ok(Method::GET),
        asked => Method::from_bytes(asked.as_bytes())
            .map_err(|_| format!("net/http: invalid method {}", quoted(asked))),
    }
}

/// Reads a redirect's body if it is short, so that its connection can be used again.
async fn discard(answer: Answer) {
    let Answer { response, lease } = answer;
    let limit = BodyLimit { bytes: REDIRECT_BODY_MAX, cut: false };
    let read = ReadBody::default().fill(&mut response.into_body(), limit).await;
    if read.is_ok() {
        lease.give_back();
    }
}

fn is_gzip(headers: &HeaderMap) -> bool {
    let encoding = headers.get(header::CONTENT_ENCODING);
    encoding.is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"))
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
