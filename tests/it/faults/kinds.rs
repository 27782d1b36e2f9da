//! The ways in which any back end fails.

use std::time::Duration;

use airside_tests::harness::services::Backend;
use airside_tests::harness::{Proxy, Traffic};

/// A way to fail.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) begin: fn(&dyn Backend, &Proxy),
    pub(super) end: fn(&dyn Backend, &Proxy),
    /// How long it goes on once it is noticed. Zero if it is over at once: no call has to wait for its end.
    pub(super) lasts: Duration,
}

/// Long enough for the outage to be seen to go on.
const A_WHILE: Duration = Duration::from_secs(1);

pub(super) const KILLED: Fault = Fault {
    name: "killed and started again",
    begin: |server, _| server.daemon().kill(),
    end: |server, _| server.daemon().restart(),
    lasts: A_WHILE,
};

/// Long enough for an attempt to connect to hang and be given up.
pub(super) const FROZEN: Fault = Fault {
    name: "frozen",
    begin: |server, _| server.daemon().freeze(),
    end: |server, _| server.daemon().thaw(),
    lasts: Duration::from_secs(3),
};

pub(super) const RESET: Fault = Fault {
    name: "its connections are reset",
    begin: |_, proxy| proxy.reset(),
    end: |_, _| {},
    lasts: Duration::ZERO,
};

pub(super) const CUT: Fault = Fault {
    name: "its connections are closed",
    begin: |_, proxy| proxy.cut(),
    end: |_, _| {},
    lasts: Duration::ZERO,
};

pub(super) const REFUSED: Fault = Fault {
    name: "the network refuses",
    begin: |_, proxy| {
        proxy.set(Traffic::Refused);
        proxy.reset();
    },
    end: |_, proxy| proxy.set(Traffic::Flows),
    lasts: A_WHILE,
};

pub(super) const SILENT: Fault = Fault {
    name: "the network is silent",
    begin: |_, proxy| proxy.set(Traffic::Stalls),
    end: |_, proxy| proxy.set(Traffic::Flows),
    lasts: A_WHILE,
};

pub(super) const SLOW: Fault = Fault {
    name: "answers come too late",
    begin: |_, proxy| proxy.set(Traffic::Slow(Duration::from_secs(3))),
    end: |_, proxy| proxy.set(Traffic::Flows),
    lasts: A_WHILE,
};

/// What every kind of back end must come out of. To a driver a silent network is like a frozen server.
pub(super) const USUAL: [Fault; 6] = [KILLED, FROZEN, RESET, CUT, REFUSED, SLOW];
