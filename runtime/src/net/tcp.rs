//! A TCP connection's bytes, read and written by system calls of our own.
//!
//! The C library's `recv` and `send` are cancellation points: around each call it says so to the other threads, with two
//! atomic exchanges that nobody here needs. All else is as tokio's `TcpStream` does it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

#[derive(Debug)]
pub struct Tcp(TcpStream);

impl Tcp {
    pub fn new(stream: TcpStream) -> Tcp {
        Tcp(stream)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, bytes, SendFlags::NOSIGNAL)?)
    }

    /// Tells the reactor what a call that took or gave less than it could have told us: that the next one would block.
    /// Nothing is lost, since the kernel reports each arrival anew and the reactor does not run in between.
    fn exhausted(&self, interest: Interest) {
        let _ = self.0.try_io(interest, || io::Result::<()>::Err(io::ErrorKind::WouldBlock.into()));
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            let room = buffer.initialize_unfilled();
            let wanted = room.len();
            let received = self.0.try_io(Interest::READABLE, || {
                let (count, _) = recv(&self.0, room, RecvFlags::empty())?;
                Ok(count)
            });
            match received {
                Ok(count) => {
                    if 0 < count && count < wanted {
                        self.exhausted(Interest::READABLE);
                    }
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A socket nearly always takes an answer, so it is not asked first.
        let mut sent = self.send(bytes);
        loop {
            match sent {
                Ok(count) => {
                    if 0 < count && count < bytes.len() {
                        self.exhausted(Interest::WRITABLE);
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(self.0.poll_write_ready(context))?;
            sent = self.0.try_io(Interest::WRITABLE, || self.send(bytes));
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Ours and a peer of tokio's.
    async fn pair() -> (Tcp, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Tcp::new(listener.accept().await.unwrap().0), peer)
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn every_byte_arrives_in_both_directions() {
        run(async {
            let (mut ours, mut peer) = pair().await;
            // More than the sockets hold, so that both sides have to wait.
            let sent: Vec<u8> = (0..8 << 20).map(|index: u32| (index % 251) as u8).collect();
            let (mut there, mut back) = (Vec::new(), Vec::new());
            let (mut reader, mut writer) = peer.split();
            let (mut our_reader, mut our_writer) = tokio::io::split(&mut ours);
            let (a, b, c, d) = tokio::join!(
                async {
                    our_writer.write_all(&sent).await?;
                    our_writer.shutdown().await
                },
                reader.read_to_end(&mut there),
                async {
                    writer.write_all(&sent).await?;
                    writer.shutdown().await
                },
                our_reader.read_to_end(&mut back),
            );
            a.and(c).unwrap();
            assert_eq!((b.unwrap(), d.unwrap()), (sent.len(), sent.len()));
            assert!(there == sent && back == sent);
        });
    }

    #[test]
    fn a_read_that_empties_the_socket_waits_for_the_next_bytes() {
        run(async {
            let (mut ours, mut peer) = pair().await;
            let mut bytes = [0; 64];
            for round in 0..100_u8 {
                peer.write_all(&[round, round]).await.unwrap();
                assert_eq!(ours.read(&mut bytes).await.unwrap(), 2);
                assert_eq!(bytes[..2], [round, round]);
                let none = tokio::time::timeout(std::time::Duration::ZERO, ours.read(&mut bytes));
                assert!(none.await.is_err());
            }
            drop(peer);
            assert_eq!(ours.read(&mut bytes).await.unwrap(), 0);
        });
    }

    #[test]
    fn a_reset_is_an_error() {
        run(async {
            let (mut ours, peer) = pair().await;
            peer.set_zero_linger().unwrap();
            drop(peer);
            let error = ours.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            assert!(ours.write(b"x").await.is_err());
        });
    }
}
