//! The stretches of time that are measured: the phases of a request, and what calls of each capability took of it.

/// The parts of a request, and the whole. Queue, guest, host and write follow each other; what is missing to the total
/// is time in which the client's own bytes were awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Phase {
    /// From the first readable byte of the request to the end of the write of its response.
    Total,
    /// From the first readable byte until the guest starts, less the time in which the rest of the request was awaited:
    /// for the core, for earlier requests of the connection, for an instance; parsing and routing are in it. Of a call
    /// by another function: the wait for an instance.
    Queue,
    /// In the guest, host calls excluded. Only if the guest started.
    Guest,
    /// The sum of all host calls that the guest made. Only if it made one.
    Host,
    /// From the guest's answer to the end of the write: encoding, the requests that are answered by the same write, and
    /// a socket that takes no more. Calls by another function have none.
    Write,
}

impl Phase {
    /// All of them, in the order of their indices.
    pub const ALL: [Phase; 5] =
        [Phase::Total, Phase::Queue, Phase::Guest, Phase::Host, Phase::Write];

    /// Name in metrics and on the latency page.
    pub fn label(self) -> &'static str {
        match self {
            Phase::Total => "total",
            Phase::Queue => "queue",
            Phase::Guest => "guest",
            Phase::Host => "host",
            Phase::Write => "write",
        }
    }
}

/// What answers host calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Capability {
    Kvstore,
    Sql,
    Httpclient,
    Logger,
    Metrics,
    Function,
}

impl Capability {
    /// All of them, in the order of their indices.
    pub const ALL: [Capability; 6] = [
        Capability::Kvstore,
        Capability::Sql,
        Capability::Httpclient,
        Capability::Logger,
        Capability::Metrics,
        Capability::Function,
    ];

    /// Name on the latency page: the first part of the labels of its operations.
    pub fn label(self) -> &'static str {
        match self {
            Capability::Kvstore => "kvstore",
            Capability::Sql => "sql",
            Capability::Httpclient => "httpclient",
            Capability::Logger => "logger",
            Capability::Metrics => "metrics",
            Capability::Function => "function",
        }
    }

    /// The capability of an operation's label, such as `kvstore:get`.
    pub fn of_operation(label: &str) -> Option<Capability> {
        let name = label.split(':').next().unwrap_or(label);
        Capability::ALL.into_iter().find(|capability| capability.label() == name)
    }
}

/// One histogram of a request: a phase, or the part of [`Phase::Host`] that one capability took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    Phase(Phase),
    HostOf(Capability),
}

impl Stretch {
    pub(super) const COUNT: usize = Phase::ALL.len() + Capability::ALL.len();

    pub(super) fn index(self) -> usize {
        match self {
            Stretch::Phase(phase) => phase as usize,
            Stretch::HostOf(capability) => Phase::ALL.len() + capability as usize,
        }
    }

    /// The inverse of [`Stretch::index`].
    ///
    /// # Panics
    /// At an index that it does not give.
    pub(super) fn from_index(index: usize) -> Stretch {
        match Phase::ALL.get(index) {
            Some(&phase) => Stretch::Phase(phase),
            None => Stretch::HostOf(Capability::ALL[index - Phase::ALL.len()]),
        }
    }

    /// All of them, in the order of their indices.
    pub(super) fn all() -> impl Iterator<Item = Stretch> {
        (0..Stretch::COUNT).map(Stretch::from_index)
    }

    /// The phase, or the one that this is a part of.
    pub fn phase(self) -> Phase {
        match self {
            Stretch::Phase(phase) => phase,
            Stretch::HostOf(_) => Phase::Host,
        }
    }

    pub fn capability(self) -> Option<Capability> {
        match self {
            Stretch::Phase(_) => None,
            Stretch::HostOf(capability) => Some(capability),
        }
    }
}

/// How long the host calls of one invocation took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostTimes {
    total_ns: u64,
    ns: [u64; Capability::ALL.len()],
    /// One bit for each capability that was called, since a call may take no time that the clock can tell.
    called: u8,
}

impl HostTimes {
    /// One call is over.
    #[inline]
    pub fn add(&mut self, capability: Capability, elapsed_ns: u64) {
        self.total_ns += elapsed_ns;
        self.ns[capability as usize] += elapsed_ns;
        self.called |= 1 << capability as usize;
    }

    /// All calls together, in nanoseconds.
    #[inline]
    pub fn total_ns(&self) -> u64 {
        self.total_ns
    }

    /// Whether there was a call.
    #[inline]
    pub fn any(&self) -> bool {
        self.called != 0
    }

    /// The capabilities that were called, each with the time of its calls in nanoseconds.
    #[inline]
    pub(super) fn by_capability(&self) -> impl Iterator<Item = (Capability, u64)> {
        let mut left = self.called;
        std::iter::from_fn(move || {
            let capability = *Capability::ALL.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some((capability, self.ns[capability as usize]))
        })
    }
}

/// How long the stretches of one request took, in nanoseconds. [`Phase`] says what each one is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestTimes {
    pub total_ns: u64,
    pub queue_ns: u64,
    /// None if the guest did not start.
    pub guest_ns: Option<u64>,
    pub host: HostTimes,
    /// None for a call by another function.
    pub write_ns: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::{Capability, HostTimes, Stretch};

    #[test]
    fn stretches_are_numbered_in_order() {
        assert!(Stretch::all().map(Stretch::index).eq(0..Stretch::COUNT));
    }

    #[test]
    fn operations_belong_to_capabilities() {
        let check = |label, expected| assert_eq!(Capability::of_operation(label), expected);
        check("kvstore:get", Some(Capability::Kvstore));
        check("httpclient:call", Some(Capability::Httpclient));
        check("function", Some(Capability::Function));
        check("kv:get", None);
        check("", None);
    }

    #[test]
    fn host_times_add_up_by_capability() {
        let mut times = HostTimes::default();
        assert!(!times.any() && times.total_ns() == 0);
        times.add(Capability::Logger, 0);
        times.add(Capability::Kvstore, 5);
        times.add(Capability::Kvstore, 7);
        assert!(times.any() && times.total_ns() == 12);
        let by: Vec<_> = times.by_capability().collect();
        assert_eq!(by, [(Capability::Kvstore, 12), (Capability::Logger, 0)]);
    }
}
