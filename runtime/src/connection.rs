//! One connection's bytes in both directions: when they became readable, how long they may take, and how they wait.
//!
//! An idle connection holds no buffer: bytes are read into the shard's own and copied out when there are any.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep};

use crate::net::stream::Stream;
use crate::telemetry::clock;

/// The shard's read buffer. Larger than what a client sends at once, so that a read empties the socket and tokio knows
/// without a second system call that nothing is left.
const SCRATCH_BYTES: usize = 64 * 1024;
/// What an idle connection is given when the shard drains: time for the reactor to report a request that the kernel has
/// already, which closing would answer with a reset.
const DRAIN_IDLE_NS: u64 = 5_000_000;
/// An empty input buffer larger than this is freed and not kept for the next connection that has bytes.
const INPUT_KEPT_BYTES: usize = 64 * 1024;

/// How reading or writing ended.
#[derive(Debug)]
pub enum Interrupted {
    /// The peer closed its side.
    Closed,
    /// The bytes did not come, or did not go, in time.
    TimedOut,
    /// The shard is draining and this connection was idle.
    Draining,
    /// The stream failed; the peer is gone.
    Failed(io::Error),
}

/// Buffers and flags that a shard's connections share.
#[derive(Debug)]
pub struct ShardIo {
    scratch: RefCell<Box<[u8]>>,
    /// The input buffer of the connection that was served last: the next one's bytes find it in the cache.
    input: RefCell<BytesMut>,
    draining: Cell<bool>,
    /// When the reactor's last look found something to read, until a connection reads: one reading of the clock serves all
    /// that one look finds.
    seen_ns: Arc<AtomicU64>,
    /// Wakers of the connections, by slot, to tell idle ones that the shard drains.
    wakers: RefCell<slab::Slab<Option<Waker>>>,
}

/// One connection.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    shard: Rc<ShardIo>,
    slot: usize,
    /// Bytes received and not consumed.
    pub input: BytesMut,
    /// When the bytes of the last read became readable, in monotonic nanoseconds.
    pub readable_ns: u64,
    /// When the connection was opened or last answered, for the idle timeout.
    pub active_ns: u64,
    readiness: Option<(Waker, Arc<Readiness>)>,
    timer: Timer,
}

/// Stamps the moment in which the reactor says that the stream is readable, before the task's turn comes: the time a
/// request waits for its core is part of its latency.
#[derive(Debug)]
struct Readiness {
    at_ns: AtomicU64,
    /// The shard's.
    seen_ns: Arc<AtomicU64>,
    task: Waker,
}

/// A timer that is set once and moved only when it fires: most deadlines are passed long before.
#[derive(Debug, Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    due_ns: u64,
}

impl ShardIo {
    pub fn new() -> Rc<ShardIo> {
        Rc::new(ShardIo {
            scratch: RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice()),
            input: RefCell::default(),
            draining: Cell::new(false),
            seen_ns: Arc::default(),
            wakers: RefCell::default(),
        })
    }

    /// Whether responses must say that the connection closes.
    pub fn draining(&self) -> bool {
        self.draining.get()
    }

    /// Ends idle connections now and the others after their response.
    pub fn drain(&self) {
        self.draining.set(true);
        self.wakers
            .borrow()
            .iter()
            .filter_map(|(_, waker)| waker.as_ref())
            .for_each(Waker::wake_by_ref);
    }
}

impl<S: Stream> Connection<S> {
    pub fn new(stream: S, shard: &Rc<ShardIo>) -> Connection<S> {
        let slot = shard.wakers.borrow_mut().insert(None);
        let now_ns = clock::now_ns();
        Connection {
            stream,
            shard: Rc::clone(shard),
            slot,
            input: BytesMut::new(),
            readable_ns: now_ns,
            active_ns: now_ns,
            readiness: None,
            timer: Timer::default(),
        }
    }

    /// Waits for bytes and appends them to `input`. `idle`: none of a request has come yet, so that draining ends it.
    ///
    /// # Errors
    /// `TimedOut` when none come before `due_ns`.
    pub async fn fill(&mut self, due_ns: u64, idle: bool) -> Result<(), Interrupted> {
        self.give_input();
        let mut drained_ns = None;
        poll_fn(|context| {
            if let Poll::Ready(result) = self.poll_scratch(context) {
                return Poll::Ready(result);
            }
            if idle && self.shard.draining() {
                let due_ns = *drained_ns.get_or_insert_with(|| clock::now_ns() + DRAIN_IDLE_NS);
                return self.timer.poll(context, due_ns).map(|()| Err(Interrupted::Draining));
            }
            self.timer.poll(context, due_ns).map(|()| Err(Interrupted::TimedOut))
        })
        .await
    }

    /// Leaves the input buffer to the next connection if there is nothing in it.
    pub fn give_input(&mut self) {
        if self.input.is_empty() {
            let mut input = mem::take(&mut self.input);
            // What was read of it counts as room again; one that was never filled has none.
            if input.try_reclaim(1) && input.capacity() <= INPUT_KEPT_BYTES {
                self.shard.input.replace(input);
            }
        }
    }

    /// Waits for bytes and appends at most `limit` of them straight to `target`, for bodies.
    pub async fn fill_body(
        &mut self,
        target: &mut BytesMut,
        limit: usize,
        due_ns: u64,
    ) -> Result<(), Interrupted> {
        use bytes::BufMut;
        use tokio::io::AsyncReadExt;
        let mut target = target.limit(limit);
        let mut read = std::pin::pin!(self.stream.read_buf(&mut target));
        let timer = &mut self.timer;
        poll_fn(|context| {
            if let Poll::Ready(result) = read.as_mut().poll(context) {
                return Poll::Ready(result.map_err(Interrupted::Failed));
            }
            timer.poll(context, due_ns).map(|()| Err(Interrupted::TimedOut))
        })
        .await
        .and_then(|count| if count == 0 { Err(Interrupted::Closed) } else { Ok(()) })
    }

    /// Writes all of `head`, then all of `body`, in as few system calls as the socket takes.
    pub async fn write_all(
        &mut self,
        head: &[u8],
        body: &[u8],
        timeout_ns: u64,
    ) -> Result<(), Interrupted> {
        let (mut written, total) = (0, head.len() + body.len());
        let mut due_ns = None;
        poll_fn(|context| {
            while written < total {
                let slices = [
                    io::IoSlice::new(head.get(written..).unwrap_or_default()),
                    io::IoSlice::new(&body[written.saturating_sub(head.len())..]),
                ];
                let first = usize::from(slices[0].is_empty());
                let stream = Pin::new(&mut self.stream);
                let poll = if body.is_empty() {
                    stream.poll_write(context, &slices[0])
                } else {
                    stream.poll_write_vectored(context, &slices[first..])
                };
                match poll {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(Interrupted::Closed)),
                    Poll::Ready(Ok(count)) => written += count,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Interrupted::Failed(error))),
                    Poll::Pending => {
                        // The clock is not read for a socket that takes all at once, as nearly all do.
                        let due_ns = *due_ns.get_or_insert_with(|| clock::now_ns() + timeout_ns);
                        let expired = self.timer.poll(context, due_ns);
                        return expired.map(|()| Err(Interrupted::TimedOut));
                    }
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Says that nothing more will be written, then reads and drops what the peer still sends, for a bounded time and
    /// amount: closing at once would reset the connection and take the response with it (RFC 9112, section 9.6).
    pub async fn linger(&mut self, bytes_max: usize, timeout: Duration) {
        let due_ns = clock::now_ns() + timeout.as_nanos() as u64;
        let shutdown = poll_fn(|context| Pin::new(&mut self.stream).poll_shutdown(context)).await;
        let mut dropped = 0;
        while shutdown.is_ok() && dropped < bytes_max && self.fill(due_ns, false).await.is_ok() {
            dropped += self.input.len();
            self.input.clear();
        }
    }

    fn poll_scratch(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Interrupted>> {
        let (waker, readiness) =
            Self::readiness(&mut self.readiness, &self.shard, self.slot, context);
        let mut scratch = self.shard.scratch.borrow_mut();
        let mut buffer = ReadBuf::new(&mut scratch);
        let mut stamping = Context::from_waker(waker);
        let polled = Pin::new(&mut self.stream).poll_read(&mut stamping, &mut buffer);
        // Not swapped: that would lock the bus, and only this thread writes it.
        let stamp_ns = readiness.at_ns.load(Ordering::Relaxed);
        readiness.at_ns.store(0, Ordering::Relaxed);
        self.shard.seen_ns.store(0, Ordering::Relaxed);
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(Interrupted::Failed(error))),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                Poll::Ready(Err(Interrupted::Closed))
            }
            Poll::Ready(Ok(())) => {
                self.readable_ns = if stamp_ns == 0 { clock::now_ns() } else { stamp_ns };
                if self.input.is_empty() {
                    self.input = self.shard.input.take();
                }
                self.input.extend_from_slice(buffer.filled());
                Poll::Ready(Ok(()))
            }
        }
    }

    /// The stamping waker of this task, made once: a task keeps its waker.
    fn readiness<'a>(
        made: &'a mut Option<(Waker, Arc<Readiness>)>,
        shard: &ShardIo,
        slot: usize,
        context: &Context<'_>,
    ) -> &'a (Waker, Arc<Readiness>) {
        if !made.as_ref().is_some_and(|(_, made)| made.task.will_wake(context.waker())) {
            shard.wakers.borrow_mut()[slot] = Some(context.waker().clone());
            let readiness = Arc::new(Readiness {
                at_ns: AtomicU64::new(0),
                seen_ns: Arc::clone(&shard.seen_ns),
                task: context.waker().clone(),
            });
            *made = Some((Waker::from(Arc::clone(&readiness)), readiness));
        }
        made.as_ref().expect("made above when it was absent")
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.shard.wakers.borrow_mut().try_remove(self.slot);
    }
}

impl Wake for Readiness {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let seen_ns = match self.seen_ns.load(Ordering::Relaxed) {
            0 => clock::now_ns(),
            seen_ns => seen_ns,
        };
        self.seen_ns.store(seen_ns, Ordering::Relaxed);
        self.at_ns.store(seen_ns, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

impl Timer {
    /// Ready when `due_ns` has passed. The sleep is left where it is while it fires no later than that.
    fn poll(&mut self, context: &mut Context<'_>, due_ns: u64) -> Poll<()> {
        loop {
            match &mut self.sleep {
                Some(sleep) if self.due_ns <= due_ns && !sleep.is_elapsed() => {
                    return Poll::Pending;
                }
                _ => {}
            }
            let now_ns = clock::now_ns();
            if now_ns >= due_ns {
                return Poll::Ready(());
            }
            let at = Instant::now() + Duration::from_nanos(due_ns - now_ns);
            let sleep = match &mut self.sleep {
                Some(sleep) => {
                    sleep.as_mut().reset(at);
                    sleep
                }
                none => none.insert(Box::pin(tokio::time::sleep_until(at))),
            };
            self.due_ns = due_ns;
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf;
    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::*;

    const NEVER: u64 = u64::MAX / 2;

    fn pair(shard: &Rc<ShardIo>) -> (Connection<DuplexStream>, DuplexStream) {
        let (ours, peer) = tokio::io::duplex(1024);
        (Connection::new(ours, shard), peer)
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    /// Lets it wait for bytes, of which there are none.
    async fn waits(connection: &mut Connection<DuplexStream>) {
        let mut fill = std::pin::pin!(connection.fill(NEVER, true));
        let pending = poll_fn(|context| Poll::Ready(fill.as_mut().poll(context).is_pending()));
        assert!(pending.await);
    }

    #[test]
    fn what_becomes_readable_together_has_one_time_and_what_comes_later_another() {
        run(async {
            let shard = ShardIo::new();
            let ((mut one, mut to_one), (mut other, mut to_other)) = (pair(&shard), pair(&shard));
            waits(&mut one).await;
            waits(&mut other).await;
            to_one.write_all(b"a").await.unwrap();
            to_other.write_all(b"b").await.unwrap();
            one.fill(NEVER, true).await.unwrap();
            other.fill(NEVER, true).await.unwrap();
            assert_eq!(one.readable_ns, other.readable_ns);
            let seen_ns = one.readable_ns;

            // The end of a stream is something to read too, and leaves no time behind for others.
            waits(&mut one).await;
            waits(&mut other).await;
            drop(to_one);
            assert!(matches!(one.fill(NEVER, true).await, Err(Interrupted::Closed)));
            let closed_ns = clock::now_ns();
            to_other.write_all(b"c").await.unwrap();
            other.fill(NEVER, true).await.unwrap();
            assert!(seen_ns < closed_ns && closed_ns <= other.readable_ns);
            assert_eq!(&other.input[..], b"bc");
        });
    }

    #[test]
    fn an_empty_input_goes_to_the_next_connection() {
        run(async {
            let shard = ShardIo::new();
            let ((mut one, mut to_one), (mut other, mut to_other)) = (pair(&shard), pair(&shard));
            to_one.write_all(&[b'x'; 300]).await.unwrap();
            one.fill(NEVER, true).await.unwrap();
            let place = one.input.as_ptr();
            one.give_input();
            assert_eq!(one.input.len(), 300, "what is in it stays");
            // All of it was read: the request filled the buffer to its end.
            one.input.advance(300);
            one.give_input();
            assert_eq!(one.input.capacity(), 0);
            one.give_input();
            to_other.write_all(b"y").await.unwrap();
            other.fill(NEVER, true).await.unwrap();
            assert_eq!((other.input.as_ptr(), &other.input[..]), (place, &b"y"[..]));
        });
    }
}
