//! A session, the statements that it prepares, and how it is probed.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::speculative_execution::SimpleSpeculativeExecutionPolicy;
use scylla::policies::timestamp_generator::MonotonicTimestampGenerator;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use super::errors::{call_failed, not_connected, not_prepared};
use super::schema::Schema;
use super::{CassandraConfig, CassandraConsistency};
use crate::backend::link::{ConnectError, Driver};
use crate::backend::{BackendTimes, Network};
use crate::tls::Hosts;

/// To reach one node. Less than an attempt to connect may take, so that a node that is not there
/// leaves time for the others.
const NODE_MAX: Duration = Duration::from_millis(750);
/// Between two looks whether all nodes know a table that was made.
const AGREEMENT_EVERY: Duration = Duration::from_millis(50);
/// A node that has not answered a probe by then is not waited for: another is asked too.
const NEXT_NODE_AFTER: Duration = Duration::from_millis(500);
const NEXT_NODES_MAX: usize = 2;
/// An idle connection is tried this often and given this long, so that a node that is frozen, in a
/// cluster that is not, is left out.
const KEEPALIVE: Duration = Duration::from_secs(2);
/// Keys that one answer brings.
const KEYS_PER_PAGE: i32 = 5000;

/// The nodes of the settings, and all that is needed to connect to them.
pub(super) struct Nodes {
    config: CassandraConfig,
    network: Network,
    times: BackendTimes,
    /// Of writes, as Tarmac's driver sets it: writes by one client through nodes whose clocks
    /// differ keep their order. Outlives the sessions, so that it never goes back.
    timestamps: Arc<MonotonicTimestampGenerator>,
}

/// A session with what calls need.
pub(super) struct Connection {
    pub(super) session: Session,
    pub(super) get: PreparedStatement,
    pub(super) set: PreparedStatement,
    pub(super) delete: PreparedStatement,
    pub(super) keys: PreparedStatement,
    probe: PreparedStatement,
}

impl Nodes {
    pub(super) fn new(config: &CassandraConfig, network: &Network, times: BackendTimes) -> Nodes {
        Nodes {
            config: config.clone(),
            network: network.clone(),
            times,
            timestamps: Arc::new(MonotonicTimestampGenerator::new()),
        }
    }

    /// The addresses of the hosts that have one, and what their certificates must be for.
    async fn resolve(&self) -> Result<(Vec<SocketAddr>, Hosts), ConnectError> {
        let mut addresses = Vec::new();
        let mut hosts = Hosts::default();
        let mut unknown = String::from("no host is configured");
        for host in &self.config.hosts {
            match self.network.resolver.resolve(&host.host, host.port).await {
                Ok(found) => {
                    hosts.add(&host.host, &found).map_err(ConnectError::Refused)?;
                    addresses.extend(found);
                }
                Err(error) => unknown = error.to_string(),
            }
        }
        match addresses.is_empty() {
            true => Err(ConnectError::Unreachable(unknown)),
            false => Ok((addresses, hosts)),
        }
    }

    /// By one node, which tells of the others. The driver would take all addresses and try them
    /// itself, but says of them only why the last one failed: that nobody listens at `::1`, not that
    /// `127.0.0.1` refuses the password.
    async fn session(&self, schema: &Schema) -> Result<Session, ConnectError> {
        let (mut addresses, hosts) = self.resolve().await?;
        fastrand::shuffle(&mut addresses);
        let mut failed = ConnectError::Unreachable(String::from("no host is configured"));
        for address in addresses {
            match self.session_by(address, &hosts, schema).await {
                Ok(session) => return Ok(session),
                // A node that refuses us is more to the point than one that is not there.
                Err(error) if matches!(failed, ConnectError::Unreachable(_)) => failed = error,
                Err(_) => {}
            }
        }
        Err(failed)
    }

    async fn session_by(
        &self,
        address: SocketAddr,
        hosts: &Hosts,
        schema: &Schema,
    ) -> Result<Session, ConnectError> {
        let CassandraConfig { user, password, tls, verify, .. } = &self.config;
        // The driver's own limit comes first: it frees what the call holds.
        let profile = ExecutionProfile::builder()
            .request_timeout(Some(self.times.call.mul_f64(0.95)))
            .build();
        let mut builder = SessionBuilder::new()
            .known_node_addr(address)
            .pool_size(PoolSize::PerHost(NonZeroUsize::MIN))
            .disallow_shard_aware_port(true)
            .connection_timeout(self.times.connect.min(NODE_MAX))
            .keepalive_interval(KEEPALIVE)
            .keepalive_timeout(KEEPALIVE)
            .default_execution_profile_handle(profile.into_handle())
            .timestamp_generator(Arc::clone(&self.timestamps) as _)
            .keyspaces_to_fetch([&schema.keyspace])
            .fetch_full_schema_metadata(false)
            .metadata_request_clientside_timeout(self.times.connect)
            .schema_agreement_interval(AGREEMENT_EVERY)
            .schema_agreement_timeout(self.times.connect)
            // The nodes tell of a table that was made; reading all of it again takes the longest.
            .refresh_metadata_on_auto_schema_agreement(false)
            .driver_config_reporting(false);
        if let Some(user) = user {
            let password = password.as_ref().map_or("", |password| password.reveal());
            builder = builder.user(user, password);
        }
        if *tls {
            let config = self.network.roots.client_of(verify.then(|| hosts.clone()));
            builder = builder.tls_context(Some(Arc::new(config)));
        }
        builder.build().await.map_err(|error| not_connected(&error))
    }
}

impl Driver for Nodes {
    type Connection = Connection;

    /// A session takes some twenty round trips, and a Cassandra that has just started answers each
    /// of them slowly.
    const ATTEMPT_MAX: Duration = Duration::from_secs(4);

    async fn connect(&self) -> Result<Connection, ConnectError> {
        let schema = Schema::new(&self.config)?;
        let session = self.session(&schema).await?;
        schema.make(&session, self.times.connect).await?;
        Connection::prepare(session, &schema.table(), self.config.consistency).await
    }

    async fn probe(&self, connection: &Connection) -> Result<(), String> {
        let Connection { session, probe, .. } = connection;
        session.execute_unpaged(probe, ()).await.map_err(|error| call_failed(error).1)?;
        Ok(())
    }
}

impl Connection {
    async fn prepare(
        session: Session,
        table: &str,
        consistency: CassandraConsistency,
    ) -> Result<Connection, ConnectError> {
        let statement = async |text: String, consistency| {
            let prepared = session.prepare(text).await.map_err(not_prepared);
            prepared.map(|mut statement| {
                statement.set_consistency(consistency);
                statement
            })
        };
        let (reads, writes) = (of_reads(consistency), of_writes(consistency));
        let get = format!("SELECT data FROM {table} WHERE key = ?");
        let set = format!("UPDATE {table} SET data = ? WHERE key = ?");
        let delete = format!("DELETE FROM {table} WHERE key = ?");
        let keys = format!("SELECT key FROM {table}");
        let probe = String::from("SELECT key FROM system.local");
        let (mut get, set, delete, mut keys, mut probe) = tokio::try_join!(
            statement(get, reads),
            statement(set, writes),
            statement(delete, writes),
            statement(keys, reads),
            statement(probe, Consistency::One),
        )?;
        for read in [&mut get, &mut keys, &mut probe] {
            read.set_is_idempotent(true);
        }
        keys.set_page_size(KEYS_PER_PAGE);
        let next_node = SimpleSpeculativeExecutionPolicy {
            max_retry_count: NEXT_NODES_MAX,
            retry_interval: NEXT_NODE_AFTER,
        };
        let profile = ExecutionProfile::builder()
            .speculative_execution_policy(Some(Arc::new(next_node)))
            .build();
        probe.set_execution_profile_handle(Some(profile.into_handle()));
        Ok(Connection { session, get, set, delete, keys, probe })
    }
}

/// Cassandra reads with every consistency but `ANY`; one replica is the nearest to it.
fn of_reads(consistency: CassandraConsistency) -> Consistency {
    match consistency {
        CassandraConsistency::Any => Consistency::One,
        other => of_writes(other),
    }
}

fn of_writes(consistency: CassandraConsistency) -> Consistency {
    match consistency {
        CassandraConsistency::Any => Consistency::Any,
        CassandraConsistency::One => Consistency::One,
        CassandraConsistency::Two => Consistency::Two,
        CassandraConsistency::Three => Consistency::Three,
        CassandraConsistency::Quorum => Consistency::Quorum,
        CassandraConsistency::All => Consistency::All,
        CassandraConsistency::LocalQuorum => Consistency::LocalQuorum,
        CassandraConsistency::EachQuorum => Consistency::EachQuorum,
        CassandraConsistency::LocalOne => Consistency::LocalOne,
    }
}
