//! Makes connections: a name to its addresses, the first address that answers, TLS on top, and the
//! version of HTTP that the two ends agree on.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::failure::{Broken, io_text};
use super::pool::Slot;
use super::target::Target;
use crate::backend::{FailureKind, Network};

/// How long an address has for its answer before the next one is tried beside it: the figure of
/// RFC 8305.
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
/// An HTTP/2 connection with requests under way is pinged this often, and is given up when the
/// ping is not answered in time: all later requests would join the same dead connection.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_MAX: Duration = Duration::from_secs(5);

/// A connection that nobody uses any more may take this long to close in order. One that is sending
/// a body to a server that reads nothing would never.
const CLOSE_MAX: Duration = Duration::from_secs(1);

const H2: &[u8] = b"h2";
const H1: &[u8] = b"http/1.1";

/// The body of every request: the guest's bytes, whole.
pub(super) type Body = Full<Bytes>;

/// The way to send on a connection.
#[derive(Debug)]
pub(super) enum Sender {
    /// HTTP/1.1: one exchange at a time.
    One(Held<http1::SendRequest<Body>>),
    /// HTTP/2: many at once, by clones.
    Many(Held<http2::SendRequest<Body>>),
}

/// A sender that keeps its connection open. When the last clone has gone, the connection closes.
#[derive(Debug, Clone)]
pub(super) struct Held<S> {
    sender: S,
    _open: Rc<oneshot::Sender<()>>,
}

impl<S> Deref for Held<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.sender
    }
}

impl<S> DerefMut for Held<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.sender
    }
}

/// Connects a shard to anywhere.
pub(super) struct Connector {
    network: Network,
    verified: TlsConnector,
    unverified: TlsConnector,
}

impl Connector {
    pub(super) fn new(network: &Network) -> Connector {
        let connector =
            |verify| TlsConnector::from(Arc::new(network.roots.client(verify, &[H2, H1])));
        Connector {
            network: network.clone(),
            verified: connector(true),
            unverified: connector(false),
        }
    }

    /// Makes a connection that holds `slot` until it is closed. Bounded by the caller's time only.
    pub(super) async fn connect(
        &self,
        target: &Target,
        verify: bool,
        slot: Slot,
    ) -> Result<Sender, Broken> {
        let stream = self.reach(target).await?;
        if !target.is_tls {
            return start_h1(stream, slot).await;
        }
        let tls = if verify { &self.verified } else { &self.unverified };
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| Broken::new(FailureKind::Refused, "tls: invalid server name"))?;
        let stream = tls.connect(name, stream).await.map_err(|error| tls_failure(&error))?;
        match stream.get_ref().1.alpn_protocol() {
            Some(H2) => start_h2(stream, slot).await,
            _ => start_h1(stream, slot).await,
        }
    }

    async fn reach(&self, target: &Target) -> Result<TcpStream, Broken> {
        let unavailable = |text: String| Broken::new(FailureKind::Unavailable, text);
        let addresses =
            self.network.resolver.resolve(&target.host, target.port).await.map_err(|error| {
                unavailable(format!("dial tcp: lookup {}: {}", error.host, error.reason))
            })?;
        let stream = first_to_answer(&addresses).await.map_err(|(address, error)| {
            unavailable(format!("dial tcp {address}: connect: {}", io_text(&error)))
        })?;
        // A request is written whole; waiting for more of it would only delay it. That the option
        // cannot be set costs time, not correctness.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// Connects to each address in turn, the next one when one fails or is slow. The first connection
/// wins; the first error is the one told.
pub(super) async fn first_to_answer(
    addresses: &[SocketAddr],
) -> Result<TcpStream, (SocketAddr, io::Error)> {
    let mut waiting = addresses.iter().take(ADDRESSES_MAX);
    let mut attempts = FuturesUnordered::new();
    let mut first_error = None;
    loop {
        if let Some(&address) = waiting.next() {
            attempts.push(async move {
                TcpStream::connect(address).await.map_err(|error| (address, error))
            });
        }
        let patience = if waiting.len() > 0 { NEXT_ADDRESS_AFTER } else { Duration::MAX };
        match within(patience, attempts.next()).await {
            Some(Some(Ok(stream))) => return Ok(stream),
            Some(Some(Err(error))) => {
                first_error.get_or_insert(error);
            }
            // Nothing is left that could answer.
            Some(None) => {
                let none = || {
                    let any = SocketAddr::from(([0, 0, 0, 0], 0));
                    (any, io::ErrorKind::AddrNotAvailable.into())
                };
                return Err(first_error.unwrap_or_else(none));
            }
            None => {}
        }
    }
}

/// `None` when it takes longer.
async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    match limit {
        Duration::MAX => Some(pin!(future).await),
        limit => timeout(limit, future).await.ok(),
    }
}

fn tls_failure(error: &io::Error) -> Broken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(error) => Broken::new(FailureKind::Refused, format!("tls: {error}")),
        None => Broken::new(FailureKind::Connection, io_text(error)),
    }
}

async fn start_h1(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    slot: Slot,
) -> Result<Sender, Broken> {
    let mut builder = http1::Builder::new();
    // As Go writes and reads them.
    builder.title_case_headers(true).allow_obsolete_multiline_headers_in_responses(true);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| Broken::of(&error))?;
    let _open = keep(connection, slot);
    sender.ready().await.map_err(|error| Broken::of(&error))?;
    Ok(Sender::One(Held { sender, _open }))
}

async fn start_h2(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    slot: Slot,
) -> Result<Sender, Broken> {
    let mut builder = http2::Builder::new(OnShard);
    builder.timer(TokioTimer::new()).keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_MAX);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| Broken::of(&error))?;
    let _open = keep(connection, slot);
    sender.ready().await.map_err(|error| Broken::of(&error))?;
    Ok(Sender::Many(Held { sender, _open }))
}

/// Drives a connection in a task of its own, as long as what is returned is held. Why it ends is
/// told to the exchange that it carries.
fn keep(
    connection: impl Future<Output = hyper::Result<()>> + 'static,
    slot: Slot,
) -> Rc<oneshot::Sender<()>> {
    let (open, abandoned) = oneshot::channel();
    tokio::task::spawn_local(async move {
        let _slot = slot;
        let mut connection = pin!(connection);
        tokio::select! {
            biased;
            _ = &mut connection => {}
            _ = abandoned => drop(timeout(CLOSE_MAX, connection).await),
        }
    });
    Rc::new(open)
}

/// Runs what HTTP/2 spawns on the shard that asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnShard;

impl<F> hyper::rt::Executor<F> for OnShard
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
