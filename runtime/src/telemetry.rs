//! What the process knows of its own work: latency histograms and counters, kept by each shard for
//! itself and added up on the control thread when somebody asks.
//!
//! A shard records into its own [`ShardTelemetry`]; nothing is shared and nothing locked. To read, the
//! control thread sends an empty [`ShardRecord`] to the shard, the shard swaps it for its full one
//! without stopping, and [`Collected`] adds that one to the totals. Labels come from the configuration
//! only, never from a request, so the number of series is bounded.

mod backends;
pub mod bins;
pub mod clock;
pub mod collected;
mod exposition;
pub mod history;
pub mod kinds;
pub mod labels;
pub mod latency;
pub mod process;
pub mod prometheus;
pub mod record;
pub mod shard;
pub mod stretch;

pub use backends::BackendStatus;
pub use collected::Collected;
pub use kinds::{ConnectionEvent, FunctionFault, Outcome};
pub use labels::{Labels, RouteLabels, ServiceRoute};
pub use record::{Instances, OperationRecord, ShardRecord};
pub use shard::ShardTelemetry;
pub use stretch::{Capability, HostTimes, Phase, RequestTimes};
