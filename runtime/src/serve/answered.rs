//! What is remembered of a request between its answer and the end of the write, when it is recorded.

use crate::guest::CallTimes;
use crate::http::Status;
use crate::router::RouteId;
use crate::shard::Shard;
use crate::telemetry::{Outcome, RequestTimes};

/// A request to be recorded when its response is written.
pub(super) struct Answered {
    pub(super) started_ns: u64,
    pub(super) by: AnsweredBy,
}

pub(super) enum AnsweredBy {
    Function {
        route: RouteId,
        outcome: Outcome,
        times: CallTimes,
        /// How long the rest of the request was awaited after its first byte.
        awaited_ns: u64,
    },
    Admin {
        status: Status,
    },
    /// No route: the status says why.
    Nobody {
        status: Status,
    },
}

impl Answered {
    /// An answer that could not be written was no answer.
    pub(super) fn record(self, shard: &Shard, ended_ns: u64, written: bool) {
        let total_ns = ended_ns.saturating_sub(self.started_ns);
        match self.by {
            AnsweredBy::Function { route, outcome, times, awaited_ns } => {
                let began_ns = times.started_ns.unwrap_or(times.ended_ns);
                let times = RequestTimes {
                    total_ns,
                    queue_ns: began_ns.saturating_sub(self.started_ns + awaited_ns),
                    guest_ns: times.guest_ns(),
                    host: times.host,
                    write_ns: Some(ended_ns.saturating_sub(times.ended_ns)),
                };
                let outcome = if written { outcome } else { Outcome::Aborted };
                shard.telemetry.request(usize::from(route.0), outcome, &times);
            }
            AnsweredBy::Admin { status } => shard.telemetry.admin(status.code(), total_ns),
            AnsweredBy::Nobody { status } => shard.telemetry.unrouted(status.code(), total_ns),
        }
    }
}
