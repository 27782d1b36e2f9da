//! What every shard is built from, and how a shard builds itself on its own thread.

use std::convert::Infallible;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use airside_capabilities::functions::{FunctionIndex, FunctionNames};
use airside_capabilities::logger::{LevelFilter, Logger};
use airside_capabilities::metrics::{MetricNames, Reserved, ShardMetrics};
use airside_capabilities::{Capabilities, Operation};
use tokio::sync::{mpsc, oneshot};

use super::BootError;
use super::backends::{Backends, Handles};
use crate::admin::AdminQueue;
use crate::config::{Config, HttpRoute, LogConfig};
use crate::guest::epoch::EpochHandle;
use crate::guest::{Engine, FunctionSpec, Guests, Surroundings};
use crate::log::{self, Level, Log};
use crate::net::balance::{Arrival, Seat};
use crate::router::Router;
use crate::shard::{Shard, ShardMessage};
use crate::telemetry::{Labels, RouteLabels, ShardTelemetry, prometheus};

/// Names that guests of one process may give to metrics of their own.
const METRIC_NAMES_MAX: usize = 10_000;

/// The same for all shards, and only read once they run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) labels: Arc<Labels>,
    router: Arc<Router>,
    config: Config,
    functions: Vec<FunctionSpec>,
    metric_names: Arc<MetricNames>,
    backends: Backends,
    log: Log,
    admin: AdminQueue,
}

/// What one shard has to itself.
pub(super) struct ShardStart {
    pub(super) index: usize,
    pub(super) listener: TcpListener,
    pub(super) seat: Seat,
    pub(super) arrivals: mpsc::Receiver<Arrival>,
    pub(super) engine: Engine,
    pub(super) epoch: EpochHandle,
    pub(super) inbox: mpsc::Receiver<ShardMessage>,
    /// Dropped when the shard ends, which tells the control thread.
    pub(super) alive: oneshot::Sender<Infallible>,
    pub(super) ready: mpsc::Sender<Result<(), BootError>>,
}

impl Plan {
    pub(super) fn new(
        config: &Config,
        functions: Vec<FunctionSpec>,
        router: Router,
        backends: Backends,
        log: Log,
        admin: AdminQueue,
    ) -> Plan {
        let reserved = Reserved {
            names: prometheus::RESERVED_NAMES.map(String::from).into(),
            prefixes: prometheus::RESERVED_PREFIXES.map(String::from).into(),
        };
        Plan {
            labels: Arc::new(labels(config)),
            router: Arc::new(router),
            config: config.clone(),
            functions,
            metric_names: Arc::new(MetricNames::new(METRIC_NAMES_MAX, reserved)),
            backends,
            log,
            admin,
        }
    }

    /// Opens what the shard's guests may reach, loads the guests, and puts the shard together.
    async fn build(
        &self,
        engine: &Engine,
        epoch: EpochHandle,
        seat: Seat,
    ) -> Result<Rc<Shard>, BootError> {
        // Boxed, since the drivers' start-up code is tens of kilobytes of state that is needed once.
        let handles = Box::pin(self.backends.open()).await?;
        let surroundings = self.surroundings(handles, epoch);
        let guests = Guests::load(engine, &self.functions, surroundings).await?;
        let functions = self.config.routes.iter().map(|route| route.function).collect();
        let (router, admin, log) = (Arc::clone(&self.router), self.admin.clone(), self.log.clone());
        Ok(Shard::new(&self.config.http, seat, router, functions, guests, admin, log))
    }

    fn surroundings(&self, handles: Handles, epoch: EpochHandle) -> Surroundings {
        let callable = self.config.functions.iter().enumerate().filter(|(_, f)| f.callable);
        let names: FunctionNames = callable
            .map(|(index, f)| {
                (f.name.as_str(), FunctionIndex(u32::try_from(index).unwrap_or(u32::MAX)))
            })
            .collect();
        let filter = Arc::new(LevelFilter::new(log_options(&self.config.log).least));
        let logger = Logger::new(Arc::new(self.log.clone()), filter);
        let metrics = ShardMetrics::new(Arc::clone(&self.metric_names));
        Surroundings {
            capabilities: Capabilities {
                kv: handles.kv,
                sql: handles.sql,
                http: Some(handles.http),
                logger: logger.clone(),
                metrics,
                functions: names,
            },
            telemetry: Rc::new(ShardTelemetry::new(&self.labels)),
            backends: handles.counted,
            log: logger,
            epoch,
            depth_max: self.config.guests.depth_max,
        }
    }
}

impl ShardStart {
    /// The life of a shard, on its own thread.
    pub(super) async fn run(mut self, plan: Arc<Plan>) {
        let built = tokio::select! {
            built = plan.build(&self.engine, self.epoch, self.seat) => built,
            // Told to drain before it has anything, or nobody is left to tell.
            _ = self.inbox.recv() => return,
        };
        let shard = match built {
            Ok(shard) => shard,
            Err(error) => return drop(self.ready.try_send(Err(error))),
        };
        // A receiver that has gone has given up the start for another shard's sake.
        let _ = self.ready.try_send(Ok(()));
        drop(self.ready);
        let log = plan.log.clone();
        drop(plan);
        if let Err(error) = shard.run(self.listener, self.inbox, self.arrivals).await {
            let index = self.index;
            log.event(Level::Error, format_args!("shard {index} cannot serve: {error}"), &[]);
        }
        drop(self.alive);
    }
}

pub(super) fn log_options(config: &LogConfig) -> log::Options {
    log::Options {
        least: (!config.disabled).then_some(config.level),
        format: if config.json { log::Format::Json } else { log::Format::Text },
    }
}

fn labels(config: &Config) -> Labels {
    let function = |index: usize| config.functions[index].name.clone();
    let route = |route: &HttpRoute| RouteLabels {
        function: function(route.function),
        pattern: route.pattern.clone(),
    };
    Labels {
        functions: config.functions.iter().map(|f| f.name.clone()).collect(),
        routes: config.routes.iter().map(route).collect(),
        operations: &Operation::LABELS,
        service_routes: config.service_routes.clone(),
    }
}

#[cfg(test)]
mod tests;
