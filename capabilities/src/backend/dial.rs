//! From a host and a port to a stream of bytes: the name resolved on this shard, its addresses tried,
//! TLS on top. Drivers get the stream, never the name, so that none of them resolves anything.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::link::ConnectError;
use crate::dns::{HostPort, Resolver};

/// An address gets this long before the next one is tried beside it (RFC 8305, section 5): one that
/// nobody answers at must not take all of the time.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of the addresses that answers. After `keepalive` without traffic the
/// kernel asks whether the peer is still there; zero: never.
///
/// # Errors
/// [`ConnectError::Unreachable`].
pub async fn tcp(
    resolver: &Resolver,
    to: &HostPort,
    keepalive: Duration,
) -> Result<TcpStream, ConnectError> {
    let unreachable = |error: &dyn std::fmt::Display| ConnectError::Unreachable(error.to_string());
    let addresses =
        resolver.resolve(&to.host, to.port).await.map_err(|error| unreachable(&error))?;
    let stream = race(&addresses).await?;
    let options = |stream: &TcpStream| {
        stream.set_nodelay(true)?;
        if keepalive.is_zero() {
            return Ok(());
        }
        SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(keepalive))
    };
    options(&stream).map_err(|error: io::Error| unreachable(&error))?;
    Ok(stream)
}

async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut failed = String::from("no address to connect to");
    let mut untried = addresses.iter();
    let mut attempts = FuturesUnordered::new();
    loop {
        if let Some(&address) = untried.next() {
            attempts.push(async move { (address, TcpStream::connect(address).await) });
        }
        tokio::select! {
            attempt = attempts.next() => match attempt {
                Some((_, Ok(stream))) => return Ok(stream),
                Some((address, Err(error))) => failed = format!("connecting to {address}: {error}"),
                None => return Err(ConnectError::Unreachable(failed)),
            },
            () = sleep(HEAD_START), if !untried.as_slice().is_empty() => {}
        }
    }
}

/// The TLS handshake with `host`, whose name or address the certificate must have.
///
/// # Errors
/// [`ConnectError::Refused`] if the two sides do not agree on TLS or on a certificate.
pub async fn tls(
    connector: &TlsConnector,
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        ConnectError::Refused(format!("no certificate can be for a host named {host}"))
    })?;
    connector.connect(name, stream).await.map_err(|error| {
        let reason = format!("TLS with {host}: {error}");
        match is_tls(&error) {
            true => ConnectError::Refused(reason),
            false => ConnectError::Unreachable(reason),
        }
    })
}

/// Whether it is TLS that failed and not the connection below.
pub fn is_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::{race, tls};
    use crate::backend::link::ConnectError;
    use crate::tls::{Roots, install_provider};

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn an_address_where_nobody_listens_is_passed_over() {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let listening = listener.local_addr().unwrap();
            let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
            let connected = race(&[unused, listening, unused]).await.unwrap();
            assert_eq!(connected.peer_addr().unwrap(), listening);

            let error = race(&[unused, unused]).await.unwrap_err().to_string();
            assert!(error.starts_with(&format!("connecting to {unused}: ")), "{error}");
        });
    }

    #[test]
    fn a_server_that_speaks_no_tls_is_told_from_one_that_goes_away() {
        install_provider();
        let config = Roots::load(None).unwrap().client(true, &[]);
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            for (says, refused) in [(&b"-ERR what?\r\n"[..], true), (b"", false)] {
                let stream = tokio::net::TcpStream::connect(address).await.unwrap();
                let (mut peer, _) = listener.accept().await.unwrap();
                tokio::io::AsyncWriteExt::write_all(&mut peer, says).await.unwrap();
                tokio::io::AsyncWriteExt::shutdown(&mut peer).await.unwrap();
                let error = tls(&connector, "localhost", stream).await.unwrap_err();
                assert_eq!(matches!(error, ConnectError::Refused(_)), refused, "{error}");
            }
        });
    }
}
