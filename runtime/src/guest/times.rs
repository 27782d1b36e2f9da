//! [`CallTimes`]: when an invocation ran, for whoever asked for it.

use crate::telemetry::{HostTimes, RequestTimes};

/// When an invocation ran, in monotonic nanoseconds, and what it spent elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallTimes {
    /// How long it waited for an instance.
    pub wait_ns: u64,
    /// When the guest started; none if it never did.
    pub started_ns: Option<u64>,
    /// When the guest, or the wait for it, ended.
    pub ended_ns: u64,
    pub host: HostTimes,
}

impl CallTimes {
    /// How long the guest ran, its host calls excluded; none if it never started.
    pub fn guest_ns(&self) -> Option<u64> {
        let ran_ns = self.ended_ns.saturating_sub(self.started_ns?);
        Some(ran_ns.saturating_sub(self.host.total_ns()))
    }

    /// The times of a call that no request made, so that it begins with the wait for an instance.
    pub(super) fn of_call(&self) -> RequestTimes {
        let guest_ns = self.guest_ns();
        RequestTimes {
            total_ns: self.wait_ns + guest_ns.unwrap_or(0) + self.host.total_ns(),
            queue_ns: self.wait_ns,
            guest_ns,
            host: self.host,
            write_ns: None,
        }
    }
}
