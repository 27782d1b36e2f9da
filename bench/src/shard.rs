//! A shard without thread and listener: one function on one route, called directly or through a connection in memory, and
//! one more that it may call.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use airside::config::{HttpConfig, Isolation, ModuleSource};
use airside::guest::artifact::ArtifactCache;
use airside::guest::epoch::EpochTicker;
use airside::guest::prepare::{self, Definition};
use airside::guest::{CallTimes, Guests, Surroundings, engine};
use airside::net::balance;
use airside::router::{HttpRoute, Router};
use airside::shard::Shard;
use airside::telemetry::{Labels, RouteLabels, ShardTelemetry};
use airside::{admin, log};
use airside_capabilities::functions::FunctionIndex;
use airside_capabilities::{Capabilities, Operation};
use anyhow::{Context, anyhow};
use bytes::Bytes;
use tokio::io::DuplexStream;
use tokio::runtime::LocalRuntime;

use crate::requests::LIMITS;
use crate::{guests, kv, reactor};

const FUNCTION: &str = "function";
/// The function that [`FUNCTION`] may call, under this name.
pub const CALLEE: &str = "callee";
/// Longer than any run takes: no timer fires.
const NEVER: Duration = Duration::from_secs(3600);
/// The request and response bytes that may be under way in memory, as much as a shard reads at once.
const STREAM_BYTES: usize = 64 * 1024;

/// The parts live on the thread that made them. Instances are dropped before what advances their epoch.
#[derive(Debug)]
pub struct LoneShard {
    pub shard: Rc<Shard>,
    pub reactor: LocalRuntime,
    _ticker: EpochTicker,
}

impl LoneShard {
    /// A shard whose only function is this guest, for GET and POST of `/`.
    pub fn new(wat: &str) -> anyhow::Result<LoneShard> {
        LoneShard::with(&[(FUNCTION, wat)])
    }

    /// The same with one more function, [`CALLEE`], which no route leads to.
    pub fn with_callee(wat: &str, callee: &str) -> anyhow::Result<LoneShard> {
        LoneShard::with(&[(FUNCTION, wat), (CALLEE, callee)])
    }

    fn with(functions: &[(&str, &str)]) -> anyhow::Result<LoneShard> {
        let reactor = reactor::build()?;
        let routes = [HttpRoute {
            pattern: String::from("/"),
            methods: vec![String::from("GET"), String::from("POST")],
            function: 0,
            origin: String::from("bench"),
        }];
        let telemetry = Rc::new(ShardTelemetry::new(&labels(functions, &routes[0])));
        let (guests, ticker) = reactor.block_on(load(functions, &telemetry))?;
        let router = Router::build(&routes).map_err(|error| anyhow!("{error:?}"))?;
        let (log, _) = log::open(log::Options { least: None, format: log::Format::Text });
        let admin = admin::queue().0;
        let (seat, _) = balance::seats(1).pop().context("a seat for the one shard")?;
        let shard = Shard::new(&http(), seat, Arc::new(router), vec![0], guests, admin, log);
        Ok(LoneShard { shard, reactor, _ticker: ticker })
    }

    /// Calls the function as a request does; gives the answer to `read`.
    ///
    /// # Panics
    /// When the guest fails.
    pub async fn invoke<R>(&self, payload: Bytes, read: impl FnOnce(&[u8]) -> R) -> R {
        let guests = &self.shard.guests;
        let mut response = guests.take_buffer();
        let mut times = CallTimes::default();
        guests.invoke(0, payload, &mut response, &mut times).await.expect("the guest answers");
        let result = read(&response);
        guests.give_buffer(response);
        result
    }

    /// The client's end of a new connection.
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(STREAM_BYTES);
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        self.reactor.block_on(async { self.shard.admit(server, peer) });
        client
    }
}

fn http() -> HttpConfig {
    HttpConfig {
        server_name: String::from("airside"),
        connections_max: 1,
        idle_timeout: NEVER,
        header_timeout: NEVER,
        body_timeout: NEVER,
        write_timeout: NEVER,
        limits: LIMITS,
    }
}

fn labels(functions: &[(&str, &str)], route: &HttpRoute) -> Labels {
    Labels {
        functions: functions.iter().map(|(name, _)| String::from(*name)).collect(),
        routes: vec![RouteLabels {
            function: String::from(FUNCTION),
            pattern: route.pattern.clone(),
        }],
        operations: &Operation::LABELS,
        service_routes: Vec::new(),
    }
}

/// Compiles the guests as the server does at start, and warms the one instance of each.
async fn load(
    functions: &[(&str, &str)],
    telemetry: &Rc<ShardTelemetry>,
) -> anyhow::Result<(Rc<Guests>, EpochTicker)> {
    let dir = tempfile::tempdir()?;
    let definitions = functions.iter().map(|(name, wat)| define(dir.path(), name, wat));
    let definitions = definitions.collect::<anyhow::Result<Vec<_>>>()?;
    let (cache, _) = ArtifactCache::open(&dir.path().join("artifacts"))?;
    let prepared =
        prepare::prepare(&definitions, &cache, 1, 1).map_err(|errors| anyhow!("{errors:?}"))?;
    let engine = engine::shard(prepared.pool).map_err(|error| anyhow!("{error:#}"))?;
    let ticker = EpochTicker::start(vec![engine.clone()])?;
    let names = (0..).map(FunctionIndex).zip(functions).map(|(index, (name, _))| (*name, index));
    let surroundings = Surroundings {
        capabilities: Capabilities {
            functions: names.collect(),
            ..kv::capabilities(kv::store().await?)
        },
        backends: Vec::new(),
        telemetry: Rc::clone(telemetry),
        log: kv::logger(),
        epoch: ticker.handle(0).context("the ticker has one shard")?,
        depth_max: 1,
    };
    let guests = Guests::load(&engine, &prepared.functions, surroundings).await?;
    Ok((guests, ticker))
}

/// A function whose module is written into `dir`.
fn define(dir: &Path, name: &str, wat: &str) -> anyhow::Result<Definition> {
    let module = dir.join(name).with_extension("wasm");
    std::fs::write(&module, guests::compile(wat)?)?;
    Ok(Definition {
        name: String::from(name),
        source: ModuleSource::File(module),
        instances: 1,
        queue_max: 1,
        wait: NEVER,
        timeout: NEVER,
        memory_bytes_max: 128 << 20,
        isolation: Isolation::Reuse,
    })
}
