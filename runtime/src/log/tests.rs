//! Lines from the queue to the writer: formats, forged lines, lost lines, wake-ups.

use super::queue::{BYTES_MAX, LINES_MAX, MESSAGE_BYTES_MAX};
use super::{Format, Level, Log, Options, open, write_lines};
use airside_capabilities::logger::LogSink;
use serde_json::Value;
use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

const JSON: Options = Options { least: Some(Level::Trace), format: Format::Json };
const TEXT: Options = Options { least: Some(Level::Trace), format: Format::Text };

/// What a log wrote after it was given these lines and closed.
fn written(options: Options, log_lines: impl FnOnce(&Log)) -> String {
    let (log, lines) = open(options);
    log_lines(&log);
    log.close();
    let mut out = Vec::new();
    finish(write_lines(lines, &mut out, async || {}));
    String::from_utf8(out).unwrap()
}

/// Runs a future that can always go on.
fn finish(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let turns = (0..100_000).find(|_| future.as_mut().poll(&mut context).is_ready());
    assert!(turns.is_some(), "the writer waits although the log is closed");
}

#[track_caller]
fn check_json(message: &[u8], expected: &str) {
    let text = written(JSON, |log| log.log(Level::Info, "hello", message));
    let line = text.strip_suffix('\n').unwrap();
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{202E}'), "{line}");
    let entry: Value = serde_json::from_str(line).unwrap();
    assert_eq!(entry["msg"], expected);
    assert_eq!((&entry["level"], &entry["function"]), (&"INFO".into(), &"hello".into()));
    assert!(humantime::parse_rfc3339(entry["time"].as_str().unwrap()).is_ok());
    assert_eq!(entry.as_object().unwrap().len(), 4);
}

#[test]
fn no_message_leaves_its_line() {
    check_json(b"plain", "plain");
    check_json(b"", "");
    check_json(b"two\nlines\r\n\ttab", "two\nlines\r\n\ttab");
    check_json(b"\"}\n{\"level\":\"ERROR\"", "\"}\n{\"level\":\"ERROR\"");
    check_json(b"back\\slash \\n", "back\\slash \\n");
    check_json(b"\0\x1b[2J\x7f\xc2\x85", "\0\x1b[2J\x7f\u{85}");
    check_json("line\u{2028}end \u{202E}drawkcab".as_bytes(), "line\u{2028}end \u{202E}drawkcab");
    check_json(b"bad \xff\xfe utf-8 \xe2\x82", "bad \u{FFFD}\u{FFFD} utf-8 \u{FFFD}");
    check_json("gr\u{fc}n \u{1F680}".as_bytes(), "gr\u{fc}n \u{1F680}");
}

#[test]
fn text_has_the_same_as_pairs() {
    let text = written(TEXT, |log| {
        log.log(Level::Warn, "hello", b"a \"b\"\n");
        log.event(
            Level::Error,
            format_args!("accept failed"),
            &[("shard", &1), ("why", &"EMFILE")],
        );
    });
    let lines: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].1, r#"level=WARN msg="a \"b\"\n" function="hello""#);
    assert_eq!(lines[1].1, r#"level=ERROR msg="accept failed" shard="1" why="EMFILE""#);
    for (time, _) in lines {
        assert!(humantime::parse_rfc3339(time.strip_prefix("time=").unwrap()).is_ok());
    }
}

#[test]
fn json_has_the_fields_of_events() {
    let text =
        written(JSON, |log| log.event(Level::Info, format_args!("up"), &[("peer", &"[::1]:9")]));
    let entry: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&entry["msg"], &entry["peer"]), (&"up".into(), &"[::1]:9".into()));
    assert_eq!(entry.get("function"), None);
}

#[test]
fn long_messages_are_cut_between_characters() {
    let check = |message: String, kept: usize, cut: usize| {
        let text = written(JSON, |log| log.log(Level::Info, "f", message.as_bytes()));
        let entry: Value = serde_json::from_str(&text).unwrap();
        let mark = if cut > 0 { format!(" [{cut} bytes cut]") } else { String::new() };
        assert_eq!(entry["msg"], format!("{}{mark}", &message[..kept]));
    };
    check("x".repeat(MESSAGE_BYTES_MAX), MESSAGE_BYTES_MAX, 0);
    check("x".repeat(MESSAGE_BYTES_MAX + 1), MESSAGE_BYTES_MAX, 1);
    let rockets = format!("x{}", "\u{1F680}".repeat(MESSAGE_BYTES_MAX / 4));
    check(rockets, MESSAGE_BYTES_MAX - 3, 4);
}

#[test]
fn levels_are_filtered() {
    let check = |least, expected: &[&str]| {
        let text = written(Options { least, format: Format::Text }, |log| {
            for level in [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace] {
                log.log(level, "f", b"");
                log.event(level, format_args!(""), &[]);
            }
        });
        let levels: Vec<_> = text.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
        let twice: Vec<_> = expected.iter().flat_map(|level| [*level, *level]).collect();
        assert_eq!(levels, twice);
    };
    check(None, &[]);
    check(Some(Level::Error), &["level=ERROR"]);
    check(Some(Level::Info), &["level=ERROR", "level=WARN", "level=INFO"]);
}

#[test]
fn lines_without_room_are_dropped_and_told_once() {
    let check = |message: Vec<u8>, room: usize| {
        let sent = room + 5;
        let text = written(TEXT, |log| {
            (0..sent).for_each(|_| log.log(Level::Info, "f", &message));
            assert_eq!(log.dropped(), 5);
        });
        let told: Vec<_> = text.lines().filter(|line| line.contains("dropped")).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("level=WARN msg=\"5 log lines dropped\""), "{}", told[0]);
        assert_eq!(text.lines().count(), room + 1);
    };
    check(b"short".to_vec(), LINES_MAX);
    check(vec![b'x'; MESSAGE_BYTES_MAX], BYTES_MAX / (MESSAGE_BYTES_MAX + 1));
}

#[test]
fn a_closed_log_takes_no_lines() {
    let (log, _lines) = open(JSON);
    log.close();
    log.log(Level::Info, "f", b"late");
    assert_eq!(log.dropped(), 1);
}

/// Counts how often the writer is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Takes some writes, refuses the others.
struct Flaky<'o> {
    out: &'o Mutex<Vec<u8>>,
    refuses: usize,
}

impl Write for Flaky<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.refuses > 0 {
            self.refuses -= 1;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.out.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_waiting_writer_is_woken_and_writes_at_once() {
    let (log, lines) = open(TEXT);
    let out = Mutex::new(Vec::new());
    let mut writer = pin!(write_lines(lines, Flaky { out: &out, refuses: 0 }, async || {}));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    assert!(writer.as_mut().poll(&mut context).is_pending());
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    (0..3).for_each(|_| log.log(Level::Info, "f", b"line"));
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "one wake for all lines of a burst");
    assert!(writer.as_mut().poll(&mut context).is_pending());
    assert_eq!(String::from_utf8_lossy(&out.lock().unwrap()).lines().count(), 3);
    log.close();
    let ends = (0..10).any(|_| writer.as_mut().poll(&mut context) == Poll::Ready(()));
    assert!(ends, "closed and empty");
}

#[test]
fn lines_that_could_not_be_written_are_told_of_later() {
    let (log, lines) = open(TEXT);
    let out = Mutex::new(Vec::new());
    log.log(Level::Info, "f", b"lost");
    log.log(Level::Info, "f", b"lost");
    log.close();
    finish(write_lines(lines, Flaky { out: &out, refuses: 1 }, async || {}));
    assert_eq!(log.dropped(), 2);
    let text = String::from_utf8(out.into_inner().unwrap()).unwrap();
    assert!(text.contains("2 log lines dropped") && !text.contains("msg=\"lost\""), "{text}");
}

#[test]
fn threads_log_at_the_same_time() {
    let (log, lines) = open(TEXT);
    let out = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                for line in 0..1_000 {
                    log.event(Level::Info, format_args!("{thread} {line}"), &[]);
                }
            });
        }
    });
    log.close();
    finish(write_lines(lines, Flaky { out: &out, refuses: 0 }, async || {}));
    let text = String::from_utf8(out.into_inner().unwrap()).unwrap();
    assert_eq!((text.lines().count(), log.dropped()), (4_000, 0));
}
