//! The logger capability: a guest's line, with its level, to wherever the runtime writes its log.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How grave a line is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    /// Lower-case name, as in the operations `logger/error` and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// Takes log lines. `log` runs on a shard, so it must neither block nor wait: a sink that cannot
/// keep up drops lines.
pub trait LogSink: Send + Sync {
    /// `function` is the name of the function whose guest said `message`, which may be any bytes.
    fn log(&self, level: Level, function: &str, message: &[u8]);
}

/// The least grave level that is logged, or none. Shared by all shards and changed while they run.
#[derive(Debug)]
pub struct LevelFilter(AtomicU8);

impl LevelFilter {
    /// `None` turns logging off.
    pub fn new(least: Option<Level>) -> Self {
        LevelFilter(AtomicU8::new(Self::levels_logged(least)))
    }

    pub fn set(&self, least: Option<Level>) {
        self.0.store(Self::levels_logged(least), Ordering::Relaxed);
    }

    pub fn enables(&self, level: Level) -> bool {
        (level as u8) < self.0.load(Ordering::Relaxed)
    }

    fn levels_logged(least: Option<Level>) -> u8 {
        least.map_or(0, |level| level as u8 + 1)
    }
}

/// Filters lines by level before anything is done with them.
#[derive(Clone)]
pub struct Logger {
    sink: Arc<dyn LogSink>,
    filter: Arc<LevelFilter>,
}

impl Logger {
    pub fn new(sink: Arc<dyn LogSink>, filter: Arc<LevelFilter>) -> Self {
        Logger { sink, filter }
    }

    pub fn log(&self, level: Level, function: &str, message: &[u8]) {
        if self.filter.enables(level) {
            self.sink.log(level, function, message);
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").field("filter", &self.filter).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_passes_the_level_and_graver_ones() {
        let check = |least: Option<Level>, passed: &[Level]| {
            let filter = LevelFilter::new(Some(Level::Trace));
            filter.set(least);
            let all = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];
            let enabled: Vec<Level> =
                all.into_iter().filter(|&level| filter.enables(level)).collect();
            assert_eq!(enabled, passed, "{least:?}");
        };
        check(None, &[]);
        check(Some(Level::Error), &[Level::Error]);
        check(Some(Level::Info), &[Level::Error, Level::Warn, Level::Info]);
        check(
            Some(Level::Trace),
            &[Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace],
        );
    }
}
