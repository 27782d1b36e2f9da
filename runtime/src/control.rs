//! The control thread: everything that is not a request. It hears signals, collects what the shards counted, renders the
//! admin pages, and tells the shards to drain.
//!
//! A shard waits for it only to answer an admin page and shares no memory with it: records are swapped through the
//! shard's inbox, so that no shard stops for a scrape.

mod backends;

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::process;
use std::task::Poll;
use std::time::Duration;

use airside_capabilities::backend::BackendError;
use airside_capabilities::kv::Embedded;
use airside_capabilities::metrics::{CollectedMetrics, MetricsRecord, SampleValue};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

pub use backends::{BackendWatch, Dependency};

use crate::admin::{self, AdminRequest, AdminState};
use crate::log::{Level, Log};
use crate::shard::ShardMessage;
use crate::telemetry::latency::Followers;
use crate::telemetry::prometheus::{Extras, GuestMetric, GuestValue};
use crate::telemetry::{Collected, clock, process as process_facts};

/// Exit code of a process that a signal ended, less the signal's number.
const EXIT_BY_SIGNAL: i32 = 128;

/// How often the shards' records are collected, so that the last seconds can be looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// A running shard, as the control thread sees it.
#[derive(Debug)]
pub struct ShardHandle {
    pub inbox: mpsc::Sender<ShardMessage>,
    /// Closed when the shard has ended, whichever way.
    pub ended: oneshot::Receiver<std::convert::Infallible>,
}

/// What the control thread works with.
#[derive(Debug)]
pub struct Control {
    pub pages: mpsc::Receiver<AdminRequest>,
    pub shards: Vec<ShardHandle>,
    pub collected: Collected,
    pub backends: BackendWatch,
    /// The embedded store, if there is one: its health counts too.
    pub embedded: Option<Embedded>,
    pub log: Log,
    pub maintenance: bool,
    pub debug_remote: bool,
    pub grace_period: Duration,
}

/// Why the control thread gave up.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
    #[error("shard {shard} ended without being told to")]
    ShardEnded { shard: usize },
    /// It has been down since the start.
    #[error("{0}; backend_start_timeout_ms is over and it was never reached")]
    NeverReached(BackendError),
}

/// The signals that end the server.
#[derive(Debug)]
pub struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl Control {
    /// Waits until the shards have `started`, then works until a signal says to end, then has the shards drain. A signal
    /// during the start ends it the same way: a shard that was quicker than the others may have requests already. A second
    /// signal ends the process at once.
    ///
    /// # Errors
    /// What `started` ends with; when a shard ended by itself or a back end was never reached. The (other) shards have
    /// drained then, or do so at once when the start failed.
    pub async fn run<E: From<ControlError>>(
        mut self,
        mut signals: EndSignals,
        started: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let ended = tokio::select! {
            signal = signals.next() => {
                self.say_draining(signal);
                Ok(())
            }
            started = started => {
                started?;
                self.work(&mut signals).await
            }
        };
        // Pages asked for from here on are answered 503 by the shards themselves, and those that go on end.
        drop(self.pages);
        for shard in &self.shards {
            // A shard that has ended needs no message.
            let _ = shard.inbox.send(ShardMessage::Drain { grace: self.grace_period }).await;
        }
        tokio::select! {
            () = all_ended(self.shards) => Ok(ended?),
            signal = signals.next() => {
                process::exit(EXIT_BY_SIGNAL + signal.number());
            }
        }
    }

    /// Answers and collects until a signal says to end, or something is wrong.
    async fn work(&mut self, signals: &mut EndSignals) -> Result<(), ControlError> {
        let mut guest_metrics = CollectedMetrics::default();
        let mut followers = Followers::default();
        let mut interval = tokio::time::interval_at(Instant::now() + INTERVAL, INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut given_up = pin!(self.backends.given_up());
        loop {
            tokio::select! {
                Some(request) = self.pages.recv() => {
                    self.answer(request, &mut guest_metrics, &mut followers).await;
                }
                _ = interval.tick() => {
                    self.collect(&mut guest_metrics).await;
                    self.collected.close_interval(clock::now_ns());
                    followers.interval_ended(&self.collected);
                }
                signal = signals.next() => {
                    self.say_draining(signal);
                    return Ok(());
                }
                shard = any_ended(&mut self.shards) => {
                    return Err(ControlError::ShardEnded { shard });
                }
                error = &mut given_up => {
                    self.log.event(Level::Error, format_args!("{error}: giving up"), &[]);
                    return Err(ControlError::NeverReached(error));
                }
            }
        }
    }

    fn say_draining(&self, signal: EndSignal) {
        self.log.event(Level::Info, format_args!("{signal} received: draining"), &[]);
    }

    async fn answer(
        &mut self,
        request: AdminRequest,
        guest_metrics: &mut CollectedMetrics,
        followers: &mut Followers,
    ) {
        let AdminRequest { request, reply } = request;
        let is_open = admin::is_open(request.page, request.peer, self.debug_remote);
        if admin::shows_records(request.page) && is_open {
            self.collect(guest_metrics).await;
        }
        let shows_process = admin::shows_process(request.page) && is_open;
        let state = AdminState {
            maintenance: self.maintenance,
            failing: self.failing(),
            debug_remote: self.debug_remote,
            extras: Extras {
                process: shows_process.then(process_facts::read).unwrap_or_default(),
                log_lines_dropped: self.log.dropped(),
                backends: self.backends.statuses(),
                guest_metrics: exposed(guest_metrics),
            },
        };
        // A client that has gone needs no answer.
        let _ = reply.send(admin::answer(&request, &state, &mut self.collected, followers));
    }

    /// What functions cannot reach, each with the reason.
    fn failing(&self) -> Vec<String> {
        let embedded = self.embedded.as_ref().and_then(|embedded| embedded.health().err());
        let embedded = embedded.map(|error| format!("key-value store: {error}"));
        embedded.into_iter().chain(self.backends.failing().map(|e| e.to_string())).collect()
    }

    /// Takes what every shard has counted since the last time. All are asked before the first answer is waited for, so
    /// that they count the same stretch of time.
    async fn collect(&mut self, guest_metrics: &mut CollectedMetrics) {
        let mut answers = Vec::with_capacity(self.shards.len());
        for shard in &self.shards {
            let (reply, answer) = oneshot::channel();
            let spare = self.collected.spare();
            let message =
                ShardMessage::Snapshot { spare, metrics_spare: MetricsRecord::default(), reply };
            if shard.inbox.send(message).await.is_ok() {
                answers.push(answer);
            }
        }
        let now_ns = clock::now_ns();
        for (shard, answer) in answers.into_iter().enumerate() {
            if let Ok(mut snapshot) = answer.await {
                self.collected.add(shard, snapshot.record);
                self.backends.count(shard, snapshot.backends);
                guest_metrics.merge(&mut snapshot.metrics, now_ns);
            }
        }
    }
}

impl EndSignals {
    /// From now on the signals no longer end the process by themselves. Must be called within the control thread's
    /// runtime.
    pub fn listen() -> Result<EndSignals, ControlError> {
        let listen = |kind| signal(kind).map_err(ControlError::Signals);
        Ok(EndSignals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> EndSignal {
        tokio::select! {
            _ = self.terminate.recv() => EndSignal::Terminate,
            _ = self.interrupt.recv() => EndSignal::Interrupt,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum EndSignal {
    Terminate,
    Interrupt,
}

impl EndSignal {
    fn number(self) -> i32 {
        let kind = match self {
            EndSignal::Terminate => SignalKind::terminate(),
            EndSignal::Interrupt => SignalKind::interrupt(),
        };
        kind.as_raw_value()
    }
}

impl std::fmt::Display for EndSignal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            EndSignal::Terminate => "SIGTERM",
            EndSignal::Interrupt => "SIGINT",
        })
    }
}

/// Nothing is ever sent: the channel closes when the shard's future is gone.
async fn any_ended(shards: &mut [ShardHandle]) -> usize {
    poll_fn(|context| {
        let ended = shards
            .iter_mut()
            .position(|shard| std::pin::Pin::new(&mut shard.ended).poll(context).is_ready());
        ended.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

async fn all_ended(shards: Vec<ShardHandle>) {
    for shard in shards {
        let _ = shard.ended.await;
    }
}

fn exposed(metrics: &CollectedMetrics) -> Vec<GuestMetric<'_>> {
    let samples = metrics.iter(clock::now_ns());
    samples
        .map(|sample| GuestMetric {
            name: sample.name,
            value: match sample.value {
                SampleValue::Counter(value) => GuestValue::Counter(value as f64),
                SampleValue::Gauge(value) => GuestValue::Gauge(value as f64),
                SampleValue::Summary { quantiles, sum, count } => {
                    GuestValue::Summary { count, sum, quantiles: quantiles.to_vec() }
                }
            },
        })
        .collect()
}
