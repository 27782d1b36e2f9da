//! Writes log lines out, the only place that does.

use super::format::write_line;
use super::queue::{Batch, Entry, LogLines};
use super::{Fields, Level, Options};
use std::fmt;
use std::io::{self, Write};

/// Writes lines as they come, many at once when they come fast, until the log is closed and empty.
///
/// Runs on any executor and may block in `out`, so it belongs on the disk executor. Lines that `out`
/// does not take count as dropped; writing goes on with the next ones. After each batch it rests for
/// `pause`: waking this executor costs a shard 17 us, which a burst then pays once and not per line.
pub async fn write_lines(mut lines: LogLines, mut out: impl Write, pause: impl AsyncFn()) {
    let mut batch = Batch::default();
    while lines.next(&mut batch).await {
        if out.write_all(&batch.text).and_then(|()| out.flush()).is_err() {
            lines.lost(&batch);
        }
        pause().await;
    }
}

/// Writes one line to standard error at once. For the time before the disk executor is up and after it
/// is gone; blocks, so never on a shard.
pub fn write_now(options: &Options, level: Level, message: fmt::Arguments<'_>, fields: Fields<'_>) {
    if options.enables(level) {
        let mut line = Vec::new();
        write_line(&mut line, options.format, &Entry::event(level, message, fields));
        // There is nowhere to report that the place for reports is gone.
        let _ = io::stderr().lock().write_all(&line);
    }
}
