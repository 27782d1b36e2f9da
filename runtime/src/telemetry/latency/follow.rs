//! [`Followers`]: clients that read an interval log as it is made.
//!
//! Each gets its lines through a short channel. One that does not read fast enough gets intervals that are merged, as long
//! as all of its last ones are still kept by the second; then it is dropped, and its response ends.

use super::dimension::Values;
use super::format::Format;
use super::query::{Query, QueryError};
use super::window::View;
use super::{Page, hlog};
use crate::telemetry::collected::Collected;
use std::time::Duration;
use tokio::sync::mpsc;

/// Each costs the control thread what a page costs, each second.
pub const FOLLOWERS_MAX: usize = 8;
/// Texts that wait for a follower's connection.
const WAITING_MAX: usize = 2;
/// How far behind a follower may fall: what is older may have been merged into longer intervals.
const BEHIND_MAX: Duration = Duration::from_secs(10);
/// An interval ends when a timer fires, a little more or less than a second after the last.
const SLACK: Duration = Duration::from_millis(100);

/// Why a client cannot follow.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("{FOLLOWERS_MAX} clients follow already")]
    TooMany,
}

/// The clients that follow.
#[derive(Debug, Default)]
pub struct Followers(Vec<Follower>);

#[derive(Debug)]
struct Follower {
    query: Query,
    every: Duration,
    /// End of the last interval that was sent, in nanoseconds of the monotonic clock.
    sent_ns: u64,
    lines: mpsc::Sender<String>,
}

impl Followers {
    /// Whether a query asks to follow, and its client's lines from now on if so: the header first. The lines end when the
    /// client is too slow, or when the server ends.
    ///
    /// # Errors
    /// When the query names something that there is not, or too many follow already.
    pub fn add(
        &mut self,
        collected: &Collected,
        query: &str,
    ) -> Result<Option<mpsc::Receiver<String>>, FollowError> {
        let values = Values::of(collected.labels(), collected.shards());
        let query = Query::parse(query, Format::Hlog, &values)?;
        let Some(every) = query.follow else { return Ok(None) };
        self.0.retain(|follower| !follower.lines.is_closed());
        if self.0.len() >= FOLLOWERS_MAX {
            return Err(FollowError::TooMany);
        }
        let (lines, receiver) = mpsc::channel(WAITING_MAX);
        let sent_ns = collected.history().closed_ns();
        let header = hlog::header(collected.date_of(sent_ns), &query, &values);
        // The channel is empty and its other end is here.
        let _ = lines.try_send(header);
        self.0.push(Follower { query, every, sent_ns, lines });
        Ok(Some(receiver))
    }

    /// Sends what is due. To be called when an interval has ended.
    pub fn interval_ended(&mut self, collected: &Collected) {
        if self.0.is_empty() {
            return;
        }
        let values = Values::of(collected.labels(), collected.shards());
        let end_ns = collected.history().closed_ns();
        self.0.retain_mut(|follower| {
            let behind = Duration::from_nanos(end_ns.saturating_sub(follower.sent_ns));
            if behind + SLACK < follower.every {
                return !follower.lines.is_closed();
            }
            match follower.lines.try_reserve() {
                Ok(place) => {
                    let view = View::since(collected, follower.sent_ns);
                    let mut text = String::new();
                    let page = Page::of(view, &follower.query, &values, collected.shards());
                    hlog::write_interval(&mut text, &page);
                    place.send(text);
                    follower.sent_ns = end_ns;
                    true
                }
                Err(mpsc::error::TrySendError::Full(())) => behind < BEHIND_MAX,
                Err(mpsc::error::TrySendError::Closed(())) => false,
            }
        });
    }
}
