//! The closed sets that telemetry counts by: outcomes, status classes, connection
//! events, faults, statuses.

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

    /// The class that the request's histograms belong to. What a function answers has status 200.
    pub fn status_class(self) -> StatusClass {
        match self {
            Outcome::Answered => StatusClass::Success,
            Outcome::GuestError | Outcome::Fault => StatusClass::ServerError,
            Outcome::Trap => StatusClass::Trap,
            Outcome::Timeout => StatusClass::Timeout,
            Outcome::Shed | Outcome::NoInstance => StatusClass::Shed,
            Outcome::NotFound | Outcome::MethodNotAllowed => StatusClass::ClientError,
            Outcome::Aborted => StatusClass::Aborted,
        }
    }
}

/// Where a histogram of requests belongs by how they ended: the status that the client saw, or why it saw none of the
/// function's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum StatusClass {
    Success,
    Redirect,
    ClientError,
    /// The function failed, or the server did, for a reason that has no class of its own.
    ServerError,
    /// Refused because there was no instance, at once or after waiting.
    Shed,
    Timeout,
    Trap,
    /// The client went away before it was answered.
    Aborted,
}

impl StatusClass {
    /// All of them, in the order of their indices.
    pub const ALL: [StatusClass; 8] = [
        StatusClass::Success,
        StatusClass::Redirect,
        StatusClass::ClientError,
        StatusClass::ServerError,
        StatusClass::Shed,
        StatusClass::Timeout,
        StatusClass::Trap,
        StatusClass::Aborted,
    ];

    /// Name in metrics and on the latency page.
    pub fn label(self) -> &'static str {
        match self {
            StatusClass::Success => "2xx",
            StatusClass::Redirect => "3xx",
            StatusClass::ClientError => "4xx",
            StatusClass::ServerError => "5xx",
            StatusClass::Shed => "shed",
            StatusClass::Timeout => "timeout",
            StatusClass::Trap => "trap",
            StatusClass::Aborted => "aborted",
        }
    }

    /// The class of a response that no function gave.
    pub fn of_status(status: u16) -> StatusClass {
        match status {
            0..300 => StatusClass::Success,
            300..400 => StatusClass::Redirect,
            400..500 => StatusClass::ClientError,
            500.. => StatusClass::ServerError,
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
