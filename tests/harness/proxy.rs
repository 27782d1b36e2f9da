//! A network that misbehaves: a TCP proxy before a server, which can be told to delay, stall, cut and reset.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustix::net::connect_unspec;

/// What becomes of bytes and of new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Bytes go through as they come.
    Flows,
    /// Each piece of what the server says comes this much later. What clients say is not held up.
    Slow(Duration),
    /// Connections are taken and stay, and no byte moves in either direction until this ends.
    Stalls,
    /// New connections are reset as soon as they are there.
    Refused,
}

/// A proxy on a port of its own. It ends when it is dropped, and its connections with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
    /// Connections that were taken, refused ones too.
    taken: AtomicUsize,
}

#[derive(Debug)]
struct State {
    traffic: Traffic,
    ended: bool,
    connections: Vec<Weak<Connection>>,
}

/// Closed when the threads of both directions have ended.
#[derive(Debug)]
struct Connection {
    client: TcpStream,
    server: TcpStream,
}

impl Proxy {
    /// Stands before `server`; traffic flows.
    pub fn before(server: SocketAddr) -> Proxy {
        Proxy::at(Ipv4Addr::LOCALHOST, server)
    }

    /// The same at another address of loopback, 127.0.0.0/8: one for which a server's certificate is not.
    pub fn at(address: Ipv4Addr, server: SocketAddr) -> Proxy {
        let listener = TcpListener::bind((address, 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("it listens");
        let state = State { traffic: Traffic::Flows, ended: false, connections: Vec::new() };
        let shared = Arc::new(Shared {
            server,
            state: Mutex::new(state),
            changed: Condvar::new(),
            taken: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Proxy { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what becomes of bytes, also of those on open connections.
    pub fn set(&self, traffic: Traffic) {
        self.shared.lock().traffic = traffic;
        self.shared.changed.notify_all();
    }

    /// Ends the open connections in an orderly way, at both ends.
    pub fn cut(&self) {
        self.end_connections(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    /// Ends the open connections with a reset, at both ends.
    pub fn reset(&self) {
        self.end_connections(reset);
    }

    /// Connections that were taken so far.
    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::Relaxed)
    }

    fn end_connections(&self, end: impl Fn(&TcpStream)) {
        let connections = std::mem::take(&mut self.shared.lock().connections);
        for connection in connections.iter().filter_map(Weak::upgrade) {
            end(&connection.client);
            end(&connection.server);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        self.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while traffic stalls, and says what it does then.
    fn traffic(&self) -> Traffic {
        let stalls = |state: &mut State| state.traffic == Traffic::Stalls && !state.ended;
        let state = self.changed.wait_while(self.lock(), stalls);
        state.unwrap_or_else(PoisonError::into_inner).traffic
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.lock().ended {
            return;
        }
        shared.taken.fetch_add(1, Ordering::Relaxed);
        // Either end may be gone by now, and then there is nothing to pass on.
        let _ = client.and_then(|client| join(client, shared));
    }
}

/// Has two threads pass bytes on, one for each direction.
fn join(client: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let traffic = shared.lock().traffic;
    let server = match traffic {
        Traffic::Refused => Err(io::ErrorKind::ConnectionRefused.into()),
        _ => TcpStream::connect(shared.server),
    };
    let server = server.inspect_err(|_| reset(&client))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let connection = Arc::new(Connection { client, server });
    let mut state = shared.lock();
    state.connections.retain(|other| other.strong_count() > 0);
    state.connections.push(Arc::downgrade(&connection));
    for direction in [Direction::Questions, Direction::Answers] {
        let (connection, shared) = (Arc::clone(&connection), Arc::clone(shared));
        thread::spawn(move || pass(&connection, direction, &shared));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Questions,
    Answers,
}

fn pass(connection: &Connection, direction: Direction, shared: &Shared) {
    let Connection { client, server } = connection;
    let (mut from, mut to) = match direction {
        Direction::Questions => (client, server),
        Direction::Answers => (server, client),
    };
    let mut piece = [0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        if let (Traffic::Slow(delay), Direction::Answers) = (shared.traffic(), direction) {
            thread::sleep(delay);
        }
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    // It may have ended the same way.
    let _ = to.shutdown(Shutdown::Write);
}

/// Ends a connection as a machine does that has lost all memory of it.
fn reset(stream: &TcpStream) {
    // It may have ended already.
    let _ = connect_unspec(stream);
}
