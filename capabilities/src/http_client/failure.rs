//! Why a call over HTTP failed, in words close to those of Go's client.

use std::error::Error;
use std::io;

use super::HttpResponse;
use crate::backend::FailureKind;

/// A call that did not bring a whole answer.
#[derive(Debug)]
pub(crate) enum HttpFailure {
    /// The request cannot be made: its method or its URL is wrong.
    Create(String),
    /// No answer came.
    Execute(String),
    /// The answer's head came, but not all of its body.
    Body { partial: Box<HttpResponse>, reason: String },
}

/// A connection that was not made or did not hold.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) kind: FailureKind,
    pub(super) reason: String,
}

impl Broken {
    pub(super) fn new(kind: FailureKind, reason: impl Into<String>) -> Broken {
        Broken { kind, reason: reason.into() }
    }

    pub(super) fn of(error: &hyper::Error) -> Broken {
        if error.is_parse() {
            return Broken::new(FailureKind::Refused, format!("malformed HTTP response: {error}"));
        }
        Broken::new(FailureKind::Connection, text(error, "EOF"))
    }

    /// The same for an error in the middle of a body.
    pub(super) fn in_body(error: &hyper::Error) -> Broken {
        Broken::new(FailureKind::Connection, text(error, "unexpected EOF"))
    }
}

/// `ended` is for a connection that the other side closed.
fn text(error: &hyper::Error, ended: &str) -> String {
    if error.is_incomplete_message() {
        return ended.to_owned();
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return io_text(error);
        }
        if inner.source().is_none() {
            return inner.to_string();
        }
        cause = inner.source();
    }
    match error.is_closed() || error.is_canceled() {
        true => String::from("http: server closed idle connection"),
        false => error.to_string(),
    }
}

/// The operating system's errors by their names, without numbers.
pub(super) fn io_text(error: &io::Error) -> String {
    let name = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset by peer",
        io::ErrorKind::BrokenPipe => "broken pipe",
        io::ErrorKind::HostUnreachable => "no route to host",
        io::ErrorKind::NetworkUnreachable => "network is unreachable",
        io::ErrorKind::TimedOut => "connection timed out",
        io::ErrorKind::UnexpectedEof => "unexpected EOF",
        _ => return error.to_string(),
    };
    name.to_owned()
}
