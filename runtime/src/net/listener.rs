//! One listening socket per shard, all on one address by SO_REUSEPORT: the kernel spreads new connections over them, and
//! a connection stays on the core that accepted it.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds for a shard until it accepts them. Linux cuts this to net.core.somaxconn.
const BACKLOG: i32 = 4096;

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (listen_addr): {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

/// Opens `count` listeners on `address`. With port 0 the kernel picks one port for all.
pub fn listen(address: SocketAddr, count: usize) -> Result<Vec<TcpListener>, ListenError> {
    let error = |source| ListenError { address, source };
    // SO_REUSEPORT alone would let a second server take half of the first one's connections in silence.
    drop(open(address, false).map_err(error)?);
    let mut listeners = Vec::with_capacity(count);
    let mut bound = address;
    for _ in 0..count {
        let listener = open(bound, true).map_err(error)?;
        bound = listener.local_addr().map_err(error)?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn open(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A server that restarts finds the old one's connections in TIME_WAIT on its port.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    // Accepted sockets inherit it, which saves a system call each.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_listeners_share_the_port_that_the_kernel_picked() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners = listen(any, 3).unwrap();
        let ports: Vec<u16> = listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
        assert!(ports[0] != 0 && ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }

    #[test]
    fn a_second_server_on_the_port_is_refused() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = listen(any, 2).unwrap();
        let error = listen(first[0].local_addr().unwrap(), 2).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains("listen_addr"), "{error}");
    }
}
