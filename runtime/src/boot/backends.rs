//! What functions may reach: made once by the main thread, opened by each shard on its own thread.

use std::rc::Rc;
use std::sync::Arc;

use airside_capabilities::backend::{Backend, BackendError, BackendTimes, Network, ShardBackend};
use airside_capabilities::dns::{DnsConfig, DnsError, Resolver};
use airside_capabilities::http_client::{HttpClient, HttpClientConfig};
use airside_capabilities::kv::cassandra::{Cassandra, CassandraConfig};
use airside_capabilities::kv::nats::{Nats, NatsConfig};
use airside_capabilities::kv::redis::{Redis, RedisConfig};
use airside_capabilities::kv::{Embedded, EmbeddedConfig, Kv, Memory, OpenError};
use airside_capabilities::sql::{Sql, SqlConfig};
use airside_capabilities::tls::{self, Roots, RootsError};

use crate::config::{Config, KvConfig};
use crate::control::Dependency;
use crate::log::Log;
use crate::telemetry::Capability;

/// Why what the settings name cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum BackendsError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("cannot read authorities (backend_ca_file): {0}")]
    Roots(#[from] RootsError),
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// Trying again would not help: wrong credentials, certificates, names.
    #[error(transparent)]
    Refused(#[from] BackendError),
}

/// All of them. Shared by the shards, which only read it.
#[derive(Debug)]
pub(super) struct Backends {
    local: Option<LocalStore>,
    server: Option<(StoreServer, BackendTimes, Arc<Backend>)>,
    database: Option<(SqlConfig, Arc<Backend>)>,
    http: (HttpClientConfig, Arc<Backend>),
    times: BackendTimes,
    dns: DnsConfig,
    roots: Roots,
}

/// A key-value store within the process: there is one, and shards have clones of it.
#[derive(Debug)]
enum LocalStore {
    Memory(Memory),
    Embedded(Embedded),
}

/// A key-value store to which each shard connects by itself.
#[derive(Debug)]
enum StoreServer {
    Redis(RedisConfig),
    Cassandra(CassandraConfig),
    Nats(NatsConfig),
}

/// A shard's own handles.
pub(super) struct Handles {
    pub(super) kv: Option<Kv>,
    pub(super) sql: Option<Sql>,
    pub(super) http: HttpClient,
    /// What the shard counts of each back end, in the order of [`Backends::dependencies`].
    pub(super) counted: Vec<Rc<ShardBackend>>,
}

impl Backends {
    /// Opens the embedded store and reads the machine's files about names and authorities; connects to nothing yet.
    pub(super) fn new(
        config: &Config,
        shards: usize,
        log: &Log,
    ) -> Result<Backends, BackendsError> {
        tls::install_provider();
        let backend =
            |name, target: String| Backend::new(name, &target, shards, Arc::new(log.clone()));
        let times = config.backends.times;
        let server = config.kv.as_ref().and_then(|kv| store_server(kv, times));
        let database = config.sql.clone();
        Ok(Backends {
            local: config.kv.as_ref().map_or(Ok(None), local_store)?,
            server: server.map(|(server, times)| {
                let backend = backend(server.name(), server.target());
                (server, times, backend)
            }),
            database: database.map(|config| {
                let backend = backend(config.kind.name(), config.target());
                (config, backend)
            }),
            http: (config.http_client, Backend::without_health("http", Arc::new(log.clone()))),
            times,
            dns: DnsConfig::from_system(),
            roots: Roots::load(config.backends.ca_file.as_deref())?,
        })
    }

    /// What the control thread is to know of each back end.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        let server = self.server.as_ref().map(|(.., backend)| (Capability::Kvstore, backend));
        let database = self.database.as_ref().map(|(_, backend)| (Capability::Sql, backend));
        let all = [server, database, Some((Capability::Httpclient, &self.http.1))];
        let dependency = |(capability, backend): (_, &Arc<Backend>)| Dependency {
            capability,
            backend: Arc::clone(backend),
        };
        all.into_iter().flatten().map(dependency).collect()
    }

    /// The embedded store, whose health is not that of a back end.
    pub(super) fn embedded(&self) -> Option<Embedded> {
        match &self.local {
            Some(LocalStore::Embedded(embedded)) => Some(embedded.clone()),
            _ => None,
        }
    }

    /// Opens the handles of one shard, on its thread and all at the same time.
    pub(super) async fn open(&self) -> Result<Handles, BackendsError> {
        let resolver = Resolver::new(&self.dns)?;
        let network = Network { resolver, roots: self.roots.clone() };
        let mut counted = Vec::new();
        let mut count = |backend| {
            let shard_backend = ShardBackend::new(backend);
            counted.push(Rc::clone(&shard_backend));
            shard_backend
        };
        let server = self
            .server
            .as_ref()
            .map(|(server, times, backend)| server.open(&network, count(backend), *times));
        let database = self
            .database
            .as_ref()
            .map(|(config, backend)| Sql::open(config, &network, count(backend), self.times));
        let http = HttpClient::new(&self.http.0, &network, count(&self.http.1));
        let (server, sql) = tokio::try_join!(if_any(server), if_any(database))?;
        let kv = server.or_else(|| self.local.as_ref().map(LocalStore::kv));
        Ok(Handles { kv, sql, http, counted })
    }
}

impl LocalStore {
    fn kv(&self) -> Kv {
        match self {
            LocalStore::Memory(memory) => Kv::Memory(memory.clone()),
            LocalStore::Embedded(embedded) => Kv::Embedded(embedded.clone()),
        }
    }
}

impl StoreServer {
    fn name(&self) -> &'static str {
        match self {
            StoreServer::Redis(_) => "redis",
            StoreServer::Cassandra(_) => "cassandra",
            StoreServer::Nats(_) => "nats",
        }
    }

    fn target(&self) -> String {
        match self {
            StoreServer::Redis(config) => config.target(),
            StoreServer::Cassandra(config) => config.target(),
            StoreServer::Nats(config) => config.target(),
        }
    }

    async fn open(
        &self,
        network: &Network,
        backend: Rc<ShardBackend>,
        times: BackendTimes,
    ) -> Result<Kv, BackendError> {
        match self {
            StoreServer::Redis(config) => {
                Redis::open(config, network, backend, times).await.map(Kv::Redis)
            }
            StoreServer::Cassandra(config) => {
                Cassandra::open(config, network, backend, times).await.map(Kv::Cassandra)
            }
            StoreServer::Nats(config) => {
                Nats::open(config, network, backend, times).await.map(Kv::Nats)
            }
        }
    }
}

fn local_store(config: &KvConfig) -> Result<Option<LocalStore>, OpenError> {
    Ok(match config {
        KvConfig::Memory => Some(LocalStore::Memory(Memory::new(None))),
        KvConfig::Embedded { path, bucket, permissions, timeout } => {
            Some(LocalStore::Embedded(Embedded::open(&EmbeddedConfig {
                path: path.clone(),
                bucket: bucket.clone(),
                permissions: *permissions,
                open_timeout: *timeout,
            })?))
        }
        KvConfig::Redis(..) | KvConfig::Cassandra(_) | KvConfig::Nats(_) => None,
    })
}

/// The server, and the times that it is given.
fn store_server(config: &KvConfig, times: BackendTimes) -> Option<(StoreServer, BackendTimes)> {
    match config.clone() {
        KvConfig::Memory | KvConfig::Embedded { .. } => None,
        KvConfig::Redis(config, own_times) => Some((StoreServer::Redis(config), own_times)),
        KvConfig::Cassandra(config) => Some((StoreServer::Cassandra(config), times)),
        KvConfig::Nats(config) => Some((StoreServer::Nats(config), times)),
    }
}

async fn if_any<T, E>(opening: Option<impl Future<Output = Result<T, E>>>) -> Result<Option<T>, E> {
    match opening {
        Some(opening) => opening.await.map(Some),
        None => Ok(None),
    }
}
