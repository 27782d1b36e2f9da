//! [`Shard`]: all that one core owns, in the order in which a request meets it, and its life: accept, serve, drain.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use airside_capabilities::backend::BackendCounts;
use airside_capabilities::metrics::MetricsRecord;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::admin::AdminQueue;
use crate::config::HttpConfig;
use crate::connection::ShardIo;
use crate::guest::Guests;
use crate::http::{self, DateCache, Encoder};
use crate::log::{Level, Log};
use crate::net::balance::{Arrival, Seat};
use crate::net::stream::Stream;
use crate::net::tcp::Tcp;
use crate::router::Router;
use crate::serve::serve_connection;
use crate::tasks::Tasks;
use crate::telemetry::{ConnectionEvent, ShardRecord, ShardTelemetry};

/// How long a listener rests when the process or the machine is out of file descriptors or memory. Trying again at once
/// would hold the core; connections wait in the kernel's queue meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a draining shard looks whether its connections have ended.
const DRAIN_POLL: Duration = Duration::from_millis(5);
/// Answer to a connection over the cap.
const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Retry-After: 1\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 21\r\n\r\ntoo many connections\n";
/// Connections over the cap that are told so at once, and for how long each is kept to read it. Others are closed.
const TURNED_AWAY_MAX: usize = 64;
const TURNED_AWAY_LINGER: Duration = Duration::from_secs(1);
/// Messages of the control thread that may wait for the shard.
pub const INBOX_MAX: usize = 16;

/// What one core owns.
#[derive(Debug)]
pub struct Shard {
    pub io: Rc<ShardIo>,
    pub limits: http::Limits,
    pub timeouts: Timeouts,
    /// Connections of this shard at most.
    pub connections_max: usize,
    /// Counts the connections that have a task, be it one that has not run yet, and those on their way here.
    pub seat: Seat,
    /// Connections over the cap that are being told so.
    pub turned_away: Cell<usize>,
    pub router: Arc<Router>,
    /// The function of each route.
    pub functions: Vec<usize>,
    pub guests: Rc<Guests>,
    pub encoder: Encoder,
    pub date: RefCell<DateCache>,
    pub telemetry: Rc<ShardTelemetry>,
    pub admin: AdminQueue,
    pub log: Log,
    /// The connections' own.
    pub tasks: Rc<Tasks>,
}

/// The times of a connection, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Between two requests.
    pub idle_ns: u64,
    /// From the first byte of a request to the end of its head.
    pub header_ns: u64,
    /// From the end of the head to the end of the body.
    pub body_ns: u64,
    /// For one write that the peer does not take.
    pub write_ns: u64,
}

impl Timeouts {
    fn of(http: &HttpConfig) -> Timeouts {
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Timeouts {
            idle_ns: ns(http.idle_timeout),
            header_ns: ns(http.header_timeout),
            body_ns: ns(http.body_timeout),
            write_ns: ns(http.write_timeout),
        }
    }
}

/// What the control thread asks of a shard.
#[derive(Debug)]
pub enum ShardMessage {
    /// Go on counting in the spare record and give away what was counted so far.
    Snapshot { spare: ShardRecord, metrics_spare: MetricsRecord, reply: oneshot::Sender<Snapshot> },
    /// Accept no more, let requests end for at most this long, then return.
    Drain { grace: Duration },
}

/// What a shard counted since the last one.
#[derive(Debug)]
pub struct Snapshot {
    pub record: ShardRecord,
    /// The guests' own metrics.
    pub metrics: MetricsRecord,
    /// Of each back end, since the start.
    pub backends: Vec<BackendCounts>,
}

impl Shard {
    /// A shard without connections. `functions` has the function of each of the router's routes.
    pub fn new(
        http: &HttpConfig,
        seat: Seat,
        router: Arc<Router>,
        functions: Vec<usize>,
        guests: Rc<Guests>,
        admin: AdminQueue,
        log: Log,
    ) -> Rc<Shard> {
        Rc::new(Shard {
            io: ShardIo::new(),
            limits: http.limits,
            timeouts: Timeouts::of(http),
            connections_max: http.connections_max,
            seat,
            turned_away: Cell::new(0),
            router,
            functions,
            telemetry: Rc::clone(guests.telemetry()),
            guests,
            encoder: Encoder::new(&http.server_name),
            date: RefCell::new(DateCache::new()),
            admin,
            log,
            tasks: Tasks::new(http.connections_max),
        })
    }

    /// Serves until the control thread says to drain, or is gone.
    pub async fn run(
        self: Rc<Self>,
        listener: std::net::TcpListener,
        mut inbox: mpsc::Receiver<ShardMessage>,
        mut arrivals: mpsc::Receiver<Arrival>,
    ) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let grace = tokio::select! {
            grace = self.obey(&mut inbox) => grace,
            never = self.accept(&listener) => match never {},
            never = self.adopt(&mut arrivals) => match never {},
        };
        self.io.drain();
        self.accept_queued(listener);
        // What other shards accept from here on stays with them.
        arrivals.close();
        while let Some((stream, peer)) = arrivals.recv().await {
            self.arrived(stream, peer);
        }
        self.wait_for_connections(grace).await;
        Ok(())
    }

    /// Answers snapshots; ends with the grace period of a drain.
    async fn obey(&self, inbox: &mut mpsc::Receiver<ShardMessage>) -> Duration {
        while let Some(message) = inbox.recv().await {
            match message {
                ShardMessage::Snapshot { spare, metrics_spare, reply } => {
                    self.guests.report_instances();
                    let record = self.telemetry.swap(spare);
                    let metrics = self.guests.metrics().swap(metrics_spare);
                    let backends = self.guests.backend_counts();
                    // The control thread waits for this without a limit. When it is gone, so is the server.
                    let _ = reply.send(Snapshot { record, metrics, backends });
                }
                ShardMessage::Drain { grace } => return grace,
            }
        }
        Duration::ZERO
    }

    async fn accept(self: &Rc<Self>, listener: &TcpListener) -> std::convert::Infallible {
        let mut failing = false;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    failing = false;
                    self.place(stream, peer);
                }
                // The peer left between its handshake and our accept.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    self.telemetry.connection(ConnectionEvent::AcceptFailed);
                    if !std::mem::replace(&mut failing, true) {
                        let pause_ms = ACCEPT_PAUSE.as_millis();
                        self.log.event(
                            Level::Error,
                            format_args!(
                                "cannot accept connections: {error}; trying every {pause_ms} ms"
                            ),
                            &[],
                        );
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Serves a connection that was accepted here, or gives it to a shard with fewer.
    fn place(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        let Some(better) = self.seat.better() else { return self.admit(Tcp::new(stream), peer) };
        // It leaves this shard's reactor; one that cannot is of no use to anybody.
        let Ok(stream) = stream.into_std() else { return };
        if let Err((stream, peer)) = self.seat.give(better, (stream, peer)) {
            self.seat.opened();
            self.arrived(stream, peer);
        }
    }

    /// Takes what other shards give away.
    async fn adopt(
        self: &Rc<Self>,
        arrivals: &mut mpsc::Receiver<Arrival>,
    ) -> std::convert::Infallible {
        while let Some((stream, peer)) = arrivals.recv().await {
            self.arrived(stream, peer);
        }
        // Every shard holds the other end, this one too.
        std::future::pending().await
    }

    /// A connection that is counted here already.
    fn arrived(self: &Rc<Self>, stream: std::net::TcpStream, peer: SocketAddr) {
        match TcpStream::from_std(stream) {
            Ok(stream) => self.admit_counted(Tcp::new(stream), peer),
            Err(_) => self.seat.closed(),
        }
    }

    /// Gives a connection its task, or turns it away when there are too many.
    pub fn admit<S: Stream>(self: &Rc<Self>, stream: S, peer: SocketAddr) {
        self.seat.opened();
        self.admit_counted(stream, peer);
    }

    fn admit_counted<S: Stream>(self: &Rc<Self>, stream: S, peer: SocketAddr) {
        if self.seat.open() > self.connections_max {
            self.seat.closed();
            self.telemetry.connection(ConnectionEvent::Refused);
            return self.turn_away(stream);
        }
        let open = Open::begin(self);
        let shard = Rc::clone(self);
        self.tasks.spawn(async move {
            serve_connection(stream, peer, shard).await;
            drop(open);
        });
    }

    /// Says why, and gives the peer a moment to read it: closing at once would reset the connection.
    fn turn_away<S: Stream>(self: &Rc<Self>, mut stream: S) {
        if self.turned_away.get() >= TURNED_AWAY_MAX {
            return;
        }
        self.turned_away.set(self.turned_away.get() + 1);
        let shard = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let goodbye = async {
                stream.write_all(TOO_MANY_CONNECTIONS).await?;
                stream.shutdown().await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
            };
            // Whatever the peer does, it is gone after this.
            let _ = tokio::time::timeout(TURNED_AWAY_LINGER, goodbye).await;
            shard.turned_away.set(shard.turned_away.get() - 1);
        });
    }

    /// The handshakes that the kernel finished before the listener closes.
    fn accept_queued(self: &Rc<Self>, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, peer)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.admit(Tcp::new(stream), peer);
            }
        }
    }

    async fn wait_for_connections(&self, grace: Duration) {
        let deadline = Instant::now() + grace;
        while self.seat.open() > 0 && Instant::now() < deadline {
            tokio::time::sleep(DRAIN_POLL).await;
        }
    }
}

/// A connection with a task, until its end, be that a panic.
struct Open(Rc<Shard>);

impl Open {
    fn begin(shard: &Rc<Shard>) -> Open {
        shard.telemetry.connection(ConnectionEvent::Accepted);
        Open(Rc::clone(shard))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let shard = &self.0;
        shard.seat.closed();
        if std::thread::panicking() {
            shard.telemetry.connection(ConnectionEvent::Panicked);
        }
        shard.telemetry.connection(ConnectionEvent::Closed);
    }
}
