//! The keyspace and the table, made when they are absent.

use std::time::Duration;

use scylla::client::session::Session;
use scylla::statement::Statement;
use tokio::sync::Mutex;

use super::CassandraConfig;
use super::errors::{is_unknown, not_executed, not_prepared};
use crate::backend::link::ConnectError;

/// One shard of the process at a time: nodes that make one table at the same moment can disagree
/// about it for good. Held at connecting only, never by a request.
static MAKING: Mutex<()> = Mutex::const_new(());

/// Longest name of a keyspace (`SchemaConstants.NAME_LENGTH`).
const KEYSPACE_BYTES_MAX: usize = 48;

/// The names in the settings, checked, as they stand in statements.
pub(super) struct Schema {
    /// In small letters, as Cassandra reads a name without quotes, which is how Tarmac writes it.
    pub(super) keyspace: String,
    strategy: String,
    replicas: u8,
}

impl Schema {
    pub(super) fn new(config: &CassandraConfig) -> Result<Schema, ConnectError> {
        let CassandraConfig { keyspace, replication_strategy: strategy, replicas, .. } = config;
        let is_name = |name: &str, more: &[char]| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(&c);
            !name.is_empty() && name.chars().all(fits)
        };
        if !is_name(keyspace, &[]) || keyspace.len() > KEYSPACE_BYTES_MAX {
            return Err(ConnectError::Refused(format!(
                "keyspace {keyspace:?} must be 1 to {KEYSPACE_BYTES_MAX} letters, digits and _"
            )));
        }
        if !is_name(strategy, &['.']) {
            return Err(ConnectError::Refused(format!(
                "replication strategy {strategy:?} must be letters, digits, _ and ."
            )));
        }
        Ok(Schema {
            keyspace: keyspace.to_ascii_lowercase(),
            strategy: strategy.clone(),
            replicas: *replicas,
        })
    }

    /// Makes what is absent. A user who may not create anything is no trouble where all is there.
    pub(super) async fn make(
        &self,
        session: &Session,
        limit: Duration,
    ) -> Result<(), ConnectError> {
        if self.is_there(session).await? {
            return Ok(());
        }
        let _making = MAKING.lock().await;
        if self.is_there(session).await? {
            return Ok(());
        }
        for text in [self.create_keyspace(), self.create_table()] {
            let mut statement = Statement::new(text);
            statement.set_request_timeout(Some(limit));
            session.query_unpaged(statement, ()).await.map_err(not_executed)?;
        }
        Ok(())
    }

    /// Whether a statement on the table can be prepared. `system_schema.tables` has a table a moment
    /// before the node knows it.
    async fn is_there(&self, session: &Session) -> Result<bool, ConnectError> {
        match session.prepare(format!("SELECT key FROM {}", self.table())).await {
            Ok(_) => Ok(true),
            Err(error) if is_unknown(&error) => Ok(false),
            Err(error) => Err(not_prepared(error)),
        }
    }

    fn create_keyspace(&self) -> String {
        let Schema { keyspace, strategy, replicas } = self;
        format!(
            "CREATE KEYSPACE IF NOT EXISTS \"{keyspace}\" WITH replication = \
             {{'class': '{strategy}', 'replication_factor': {replicas}}}"
        )
    }

    fn create_table(&self) -> String {
        format!("CREATE TABLE IF NOT EXISTS {} (key text PRIMARY KEY, data blob)", self.table())
    }

    /// The table, with its keyspace.
    pub(super) fn table(&self) -> String {
        format!("\"{}\".hord", self.keyspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::HostPort;
    use crate::kv::cassandra::CassandraConsistency;

    fn config(keyspace: &str, strategy: &str) -> CassandraConfig {
        CassandraConfig {
            hosts: vec![HostPort { host: String::from("127.0.0.1"), port: 9042 }],
            keyspace: String::from(keyspace),
            consistency: CassandraConsistency::Quorum,
            replication_strategy: String::from(strategy),
            replicas: 1,
            user: None,
            password: None,
            tls: false,
            verify: true,
        }
    }

    #[test]
    fn only_names_get_into_statements() {
        let long = "a".repeat(49);
        for (keyspace, strategy, ok) in [
            ("tarmac", "SimpleStrategy", true),
            ("Tarmac_2", "org.apache.cassandra.locator.SimpleStrategy", true),
            ("", "SimpleStrategy", false),
            (&*long, "SimpleStrategy", false),
            ("a\" WITH", "SimpleStrategy", false),
            ("a.b", "SimpleStrategy", false),
            ("a", "", false),
            ("a", "Simple', 'x': '", false),
        ] {
            assert_eq!(Schema::new(&config(keyspace, strategy)).is_ok(), ok, "{keyspace}");
        }
    }

    #[test]
    fn names_are_in_small_letters() {
        let schema = Schema::new(&config("Tarmac", "SimpleStrategy")).unwrap();
        assert_eq!(schema.table(), "\"tarmac\".hord");
    }
}
