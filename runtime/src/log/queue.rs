//! The queue between the threads that log and the one that writes: bounded in lines and in bytes.

use super::format::write_line;
use super::{Fields, Format, Level};
use crate::telemetry::clock;
use crossbeam::queue::ArrayQueue;
use futures_util::task::AtomicWaker;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::SystemTime;

/// Room for a burst: at 100,000 lines a second the writer may be 80 ms late.
pub(super) const LINES_MAX: usize = 8192;
/// Most memory that queued text takes. Guests choose the length of their lines.
pub(super) const BYTES_MAX: usize = 8 << 20;
/// Longer messages and field values are cut.
pub(super) const MESSAGE_BYTES_MAX: usize = 16 << 10;
/// A write takes about this much. Larger ones gain nothing and delay whoever else runs there.
const BATCH_BYTES: usize = 64 << 10;

/// A line before it has a format.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: SystemTime,
    pub(super) level: Level,
    /// Name of the function and the message after it: one allocation for both.
    text: Vec<u8>,
    /// Length of the name; none for a line of the server.
    function_len: Option<usize>,
    /// How many bytes of the message were cut off.
    pub(super) cut: usize,
    pub(super) fields: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub(super) struct Queue {
    entries: ArrayQueue<Entry>,
    /// Bytes of text in `entries`.
    bytes: AtomicUsize,
    dropped: AtomicU64,
    closed: AtomicBool,
    writer: AtomicWaker,
}

/// The writer's end of the queue. There is one: it alone may wait for lines.
#[derive(Debug)]
pub struct LogLines {
    queue: Arc<Queue>,
    format: Format,
    /// How many of the dropped lines the log has told of.
    reported: u64,
}

/// Whole lines, ready to be written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) text: Vec<u8>,
    lines: u64,
}

impl Entry {
    pub(super) fn guest(level: Level, function: &str, message: &[u8]) -> Entry {
        let kept = kept_bytes(message);
        let mut text = Vec::with_capacity(function.len() + kept);
        text.extend_from_slice(function.as_bytes());
        text.extend_from_slice(&message[..kept]);
        Entry {
            at: clock::wall_now(),
            level,
            text,
            function_len: Some(function.len()),
            cut: message.len() - kept,
            fields: Vec::new(),
        }
    }

    pub(super) fn event(level: Level, message: fmt::Arguments<'_>, fields: Fields<'_>) -> Entry {
        let mut text = message.to_string().into_bytes();
        let kept = kept_bytes(&text);
        let cut = text.len() - kept;
        text.truncate(kept);
        let fields = fields.iter().map(|(name, value)| {
            let mut value = value.to_string();
            value.truncate(kept_bytes(value.as_bytes()));
            (*name, value)
        });
        let fields = fields.collect();
        Entry { at: clock::wall_now(), level, text, function_len: None, cut, fields }
    }

    pub(super) fn function(&self) -> Option<&[u8]> {
        self.function_len.map(|len| &self.text[..len])
    }

    pub(super) fn message(&self) -> &[u8] {
        &self.text[self.function_len.unwrap_or(0)..]
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.fields.iter().map(|(_, value)| value.len()).sum::<usize>()
    }
}

/// How much of a message is kept: never a part of a UTF-8 character, if it is UTF-8.
fn kept_bytes(message: &[u8]) -> usize {
    if message.len() <= MESSAGE_BYTES_MAX {
        return message.len();
    }
    let begins_character = |&end: &usize| message[end] & 0b1100_0000 != 0b1000_0000;
    let ends = MESSAGE_BYTES_MAX - 3..=MESSAGE_BYTES_MAX;
    ends.rev().find(begins_character).unwrap_or(MESSAGE_BYTES_MAX)
}

impl Queue {
    pub(super) fn new() -> Queue {
        Queue {
            entries: ArrayQueue::new(LINES_MAX),
            bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            writer: AtomicWaker::new(),
        }
    }

    /// Queues a line, or drops it if there is no room.
    pub(super) fn push(&self, entry: Entry) {
        let bytes = entry.bytes();
        let queued = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let refused = self.closed.load(Ordering::Relaxed)
            || queued + bytes > BYTES_MAX
            || self.entries.push(entry).is_err();
        if refused {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        // After a drop too: the writer may have found the queue empty in between, and has to tell.
        self.writer.wake();
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.writer.wake();
    }

    fn pop(&self) -> Option<Entry> {
        let entry = self.entries.pop()?;
        self.bytes.fetch_sub(entry.bytes(), Ordering::Relaxed);
        Some(entry)
    }
}

impl LogLines {
    pub(super) fn new(queue: Arc<Queue>, format: Format) -> LogLines {
        LogLines { queue, format, reported: 0 }
    }

    /// Waits until there is something to write and puts it into the emptied `batch`; false when the
    /// log was closed and everything is written.
    pub(super) async fn next(&mut self, batch: &mut Batch) -> bool {
        batch.text.clear();
        batch.lines = 0;
        poll_fn(|context| self.poll_next(batch, context)).await
    }

    /// These lines could not be written.
    pub(super) fn lost(&self, batch: &Batch) {
        self.queue.dropped.fetch_add(batch.lines, Ordering::Relaxed);
    }

    fn poll_next(&mut self, batch: &mut Batch, context: &mut Context<'_>) -> Poll<bool> {
        // Both before the queue is looked at, so that neither a line nor the end can slip between.
        self.queue.writer.register(context.waker());
        let closed = self.queue.closed.load(Ordering::Acquire);
        self.fill(batch);
        match (batch.text.is_empty(), closed) {
            (false, _) => Poll::Ready(true),
            (true, true) => Poll::Ready(false),
            (true, false) => Poll::Pending,
        }
    }

    fn fill(&mut self, batch: &mut Batch) {
        while batch.text.len() < BATCH_BYTES {
            let Some(entry) = self.queue.pop() else { break };
            write_line(&mut batch.text, self.format, &entry);
            batch.lines += 1;
        }
        let dropped = self.queue.dropped();
        let unreported = dropped - self.reported;
        if unreported > 0 {
            self.reported = dropped;
            let entry =
                Entry::event(Level::Warn, format_args!("{unreported} log lines dropped"), &[]);
            write_line(&mut batch.text, self.format, &entry);
        }
    }
}
