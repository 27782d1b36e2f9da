//! Back ends that fail under load, and what airside promises then: each host call ends within its timeout with an error that
//! names the back end, routes that do not use it go on, `/ready` tells the truth, an outage is one line of the log, and five
//! seconds after the back end's return all is as before.

mod http;
mod kinds;
mod load;
mod outage;
mod redis;
mod sql;
mod start;
mod stores;

use std::time::Duration;

/// What a host call may take here.
const CALL_TIMEOUT: Duration = Duration::from_secs(1);
/// For a busy machine; a call that hangs takes longer.
const SLACK: Duration = Duration::from_secs(1);
/// In which all is well again.
const RECOVERY_MAX: Duration = Duration::from_secs(5);
