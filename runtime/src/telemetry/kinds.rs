//! The closed sets that telemetry counts by: outcomes, phases, connection events, faults, statuses.

/// How a request on a route ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Outcome {
    /// The function answered.
    Answered,
    /// The function returned an error.
    GuestError,
    /// The guest trapped or ran into a limit.
    Trap,
    /// The guest ran past its deadline.
    Timeout,
    /// The server failed: no instance could be made, or a connection's task panicked.
    Fault,
    /// Refused at once: the queue of the function was full.
    Shed,
    /// Refused after waiting: no instance became free in time.
    NoInstance,
    /// The path matched no route.
    NotFound,
    /// The path matched, the method did not.
    MethodNotAllowed,
    /// The client went away before it could be answered.
    Aborted,
}

impl Outcome {
    /// All of them, in the order of their indices.
    pub const ALL: [Outcome; 10] = [
        Outcome::Answered,
        Outcome::GuestError,
        Outcome::Trap,
        Outcome::Timeout,
        Outcome::Fault,
        Outcome::Shed,
        Outcome::NoInstance,
        Outcome::NotFound,
        Outcome::MethodNotAllowed,
        Outcome::Aborted,
    ];

    /// Name in metrics and on the latency page.
    pub fn label(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::GuestError => "guest_error",
            Outcome::Trap => "trap",
            Outcome::Timeout => "timeout",
            Outcome::Fault => "fault",
            Outcome::Shed => "shed",
            Outcome::NoInstance => "no_instance",
            Outcome::NotFound => "not_found",
            Outcome::MethodNotAllowed => "method_not_allowed",
            Outcome::Aborted => "aborted",
        }
    }

    /// Whether a function ran and did not answer; such requests have a histogram of their own.
    pub fn is_failure(self) -> bool {
        matches!(self, Outcome::GuestError | Outcome::Trap | Outcome::Timeout | Outcome::Fault)
    }
}

/// The stretches of a request that have a histogram. The first four hold answered requests only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Phase {
    /// From the first readable byte of the request to its answer.
    Total,
    /// Waiting for an instance.
    Wait,
    /// In the guest, host calls excluded.
    Guest,
    /// The sum of all host calls of the invocation; only invocations that made one.
    Host,
    /// The total of requests whose function failed, see [`Outcome::is_failure`].
    Failed,
}

impl Phase {
    /// All of them, in the order of their indices.
    pub const ALL: [Phase; 5] =
        [Phase::Total, Phase::Wait, Phase::Guest, Phase::Host, Phase::Failed];

    /// Name in metrics and on the latency page.
    pub fn label(self) -> &'static str {
        match self {
            Phase::Total => "total",
            Phase::Wait => "wait",
            Phase::Guest => "guest",
            Phase::Host => "host",
            Phase::Failed => "failed",
        }
    }
}

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum ConnectionEvent {
    /// Accepted and served from here on.
    Accepted,
    /// An accepted connection ended, for whatever reason.
    Closed,
    /// An accepted connection was closed because it idled or stalled; it also counts as closed.
    TimedOut,
    /// Accepted and closed at once because of the connection cap; counts neither as accepted nor as closed.
    Refused,
    /// The listener's accept failed.
    AcceptFailed,
    /// The task of an accepted connection panicked; the connection also counts as closed.
    Panicked,
}

impl ConnectionEvent {
    pub(super) const COUNT: usize = 6;
}

/// Why an invocation cost its instance, whatever caused the invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum FunctionFault {
    /// The guest trapped.
    Trap,
    /// The guest ran past its deadline.
    Timeout,
    /// The guest wanted more memory than its limit; it usually traps next, which counts apart.
    MemoryLimit,
}

impl FunctionFault {
    pub(super) const COUNT: usize = 3;
}

/// The statuses that a request can be rejected with before it has a route; others count under 0.
pub const REJECT_STATUSES: [u16; 12] = [400, 405, 408, 411, 413, 414, 415, 417, 431, 501, 505, 0];
