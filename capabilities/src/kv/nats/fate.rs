//! What becomes of a connection, as the driver tells it: lost, or a permission denied. Calls that
//! wait for an answer learn here that none will come, which the driver itself does not tell them:
//! it keeps them waiting over a reconnect that their answers do not survive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_nats::{Event, ServerError};
use tokio::sync::Notify;

use super::errors::{Failure, refused};
use crate::backend::FailureKind;

/// Of one connection. The driver's callback wants `Send`, so there are atomics here; all of it
/// happens on one thread.
#[derive(Debug, Default)]
pub(super) struct Fate {
    lost: AtomicBool,
    /// What the server last said no to.
    denied: Mutex<Option<String>>,
    changed: Notify,
}

impl Fate {
    pub(super) fn event(&self, event: Event) {
        match event {
            Event::Disconnected | Event::Closed => self.lost.store(true, Ordering::Relaxed),
            Event::ServerError(ServerError::Other(text)) => *self.lock() = Some(text),
            _ => return,
        }
        self.changed.notify_waiters();
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Returns when an answer to a request on `subject` will not come any more. One that ends with a
    /// dot stands for all that begin with it.
    pub(super) async fn no_answer(&self, subject: &str) -> Failure {
        loop {
            let changed = self.changed.notified();
            if self.is_lost() {
                return (FailureKind::Connection, String::from("the connection was lost"));
            }
            changed.await;
            // The server names the subject in quotes.
            let denied = self.lock().as_ref().filter(|text| names(text, subject)).cloned();
            if let Some(text) = denied {
                return refused(text);
            }
        }
    }

    /// Returns when the server has denied anything at all.
    pub(super) async fn denial(&self) -> String {
        loop {
            let changed = self.changed.notified();
            if let Some(text) = self.lock().clone() {
                return text;
            }
            changed.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn names(text: &str, subject: &str) -> bool {
    let all_below = subject.ends_with('.');
    text.split('"').any(|part| part == subject || (all_below && part.starts_with(subject)))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn said(text: &str) -> Event {
        Event::ServerError(ServerError::Other(String::from(text)))
    }

    #[test]
    fn who_waits_for_an_answer_learns_of_the_loss() {
        let fate = Fate::default();
        let mut waiting = std::pin::pin!(fate.no_answer("a"));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        fate.event(Event::Connected);
        assert_eq!(waiting.as_mut().now_or_never(), None);
        fate.event(Event::Disconnected);
        let (kind, _) = waiting.now_or_never().unwrap();
        assert_eq!(kind, FailureKind::Connection);
        assert!(fate.no_answer("b").now_or_never().is_some());
    }

    #[test]
    fn a_subject_that_ends_with_a_dot_stands_for_those_below() {
        let text = "Permissions Violation for Publish to \"a.b.c\"";
        for (subject, named) in [("a.b.c", true), ("a.b", false), ("a.b.", true), ("a.b.c.", false)]
        {
            assert_eq!(names(text, subject), named, "{subject}");
        }
    }

    #[test]
    fn a_denial_concerns_the_subject_that_it_names() {
        let fate = Fate::default();
        let mut a = std::pin::pin!(fate.no_answer("$KV.b.a"));
        let mut ab = std::pin::pin!(fate.no_answer("$KV.b.a.b"));
        assert!(a.as_mut().now_or_never().is_none() && ab.as_mut().now_or_never().is_none());
        fate.event(said("Permissions Violation for Publish to \"$KV.b.a\""));
        assert_eq!(ab.as_mut().now_or_never(), None);
        let (kind, reason) = a.now_or_never().unwrap();
        assert_eq!(kind, FailureKind::Refused);
        assert!(reason.starts_with("Permissions Violation"), "{reason}");
        assert_eq!(fate.denial().now_or_never(), Some(reason));
    }
}
