//! The log: lines of the server and of guests on standard error, as JSON or text.
//!
//! A shard copies its line into a bounded queue and goes on; [`write_lines`] runs on the disk executor,
//! formats and writes. When that cannot keep up, lines are dropped and counted, and the count is
//! logged. Nothing in a message can end its line, so a guest cannot forge one.

mod format;
mod queue;
mod writer;

pub use queue::LogLines;
pub use writer::{write_lines, write_now};

pub use airside_capabilities::logger::Level;

use airside_capabilities::backend::BackendLog;
use airside_capabilities::logger::LogSink;
use queue::{Entry, Queue};
use std::fmt::{self, Display};
use std::sync::Arc;

/// What is logged and how.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The least grave level that is logged; none turns the log off.
    pub least: Option<Level>,
    pub format: Format,
}

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object with `time`, `level`, `msg`, for guests `function`, and the fields.
    Json,
    /// The same as `name=value` pairs.
    Text,
}

/// Fields of a line of the server: constant names, other than `time`, `level`, `msg`, `function`.
pub type Fields<'f> = &'f [(&'static str, &'f dyn Display)];

/// Takes log lines on any thread and never blocks.
#[derive(Debug, Clone)]
pub struct Log {
    options: Options,
    queue: Arc<Queue>,
}

/// A log and the lines that [`write_lines`] takes from it.
pub fn open(options: Options) -> (Log, LogLines) {
    let queue = Arc::new(Queue::new());
    (Log { options, queue: Arc::clone(&queue) }, LogLines::new(queue, options.format))
}

/// Name of a level in log lines.
fn label(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARN",
        Level::Info => "INFO",
        Level::Debug => "DEBUG",
        Level::Trace => "TRACE",
    }
}

impl Options {
    /// Whether lines of this level are logged.
    pub fn enables(&self, level: Level) -> bool {
        self.least.is_some_and(|least| level <= least)
    }
}

impl Log {
    /// Whether lines of this level are logged, for callers whose message is dear to make.
    pub fn enables(&self, level: Level) -> bool {
        self.options.enables(level)
    }

    /// A line of the server itself.
    pub fn event(&self, level: Level, message: fmt::Arguments<'_>, fields: Fields<'_>) {
        if self.enables(level) {
            self.queue.push(Entry::event(level, message, fields));
        }
    }

    /// Number of lines lost so far.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Makes [`write_lines`] end once it has written what is queued. Later lines are dropped.
    pub fn close(&self) {
        self.queue.close();
    }
}

impl LogSink for Log {
    fn log(&self, level: Level, function: &str, message: &[u8]) {
        if self.enables(level) {
            self.queue.push(Entry::guest(level, function, message));
        }
    }
}

impl BackendLog for Log {
    fn event(&self, level: Level, message: fmt::Arguments<'_>) {
        Log::event(self, level, message, &[]);
    }
}

#[cfg(test)]
mod tests;
