//! A get or set of one key on each store. Each has the key before the first call.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_nats::{ConnectOptions, ServerAddr, jetstream};
use bytes::Bytes;
use redb::{Database, ReadableDatabase, TableDefinition};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use crate::calls::{KEY, SPACE, VALUE};

const TABLE: TableDefinition<&str, &[u8]> = TableDefinition::new(SPACE);

pub(super) struct Memory(papaya::HashMap<String, Bytes>);

impl Memory {
    pub(super) fn open() -> Memory {
        let memory = Memory(papaya::HashMap::new());
        memory.set();
        memory
    }

    fn set(&self) {
        self.0.pin().insert(KEY.to_owned(), Bytes::from_static(VALUE));
    }

    pub(super) fn call(&self, get: bool) -> Result<Bytes> {
        if !get {
            self.set();
            return Ok(Bytes::new());
        }
        self.0.pin().get(KEY).cloned().context("the key is missing")
    }
}

pub(super) struct Embedded(Arc<Database>);

impl Embedded {
    pub(super) fn open(file: &str) -> Result<Embedded> {
        let embedded = Embedded(Arc::new(Database::create(file)?));
        set(&embedded.0)?;
        Ok(embedded)
    }

    pub(super) async fn call(&self, get: bool) -> Result<Bytes> {
        if !get {
            let database = Arc::clone(&self.0);
            tokio::task::spawn_blocking(move || set(&database)).await??;
            return Ok(Bytes::new());
        }
        let table = self.0.begin_read()?.open_table(TABLE)?;
        let found = table.get(KEY)?.context("the key is missing")?;
        Ok(Bytes::copy_from_slice(found.value()))
    }
}

/// One transaction for each: that is what one gets without an own thread that gathers them.
fn set(database: &Database) -> Result<()> {
    let transaction = database.begin_write()?;
    transaction.open_table(TABLE)?.insert(KEY, VALUE)?;
    Ok(transaction.commit()?)
}

pub(super) struct Redis(MultiplexedConnection);

impl Redis {
    pub(super) async fn open(url: &str) -> Result<Redis> {
        let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        let () = connection.set(KEY, VALUE).await?;
        Ok(Redis(connection))
    }

    pub(super) async fn call(&self, get: bool) -> Result<Bytes> {
        let mut connection = self.0.clone();
        if !get {
            let () = connection.set(KEY, VALUE).await?;
            return Ok(Bytes::new());
        }
        let found: Vec<u8> = connection.get(KEY).await?;
        Ok(found.into())
    }
}

pub(super) struct Cassandra {
    session: Session,
    get: PreparedStatement,
    set: PreparedStatement,
}

impl Cassandra {
    pub(super) async fn open(address: &str) -> Result<Cassandra> {
        let (user, password) = airside_tests::harness::services::Cassandra::LOGIN;
        let session =
            SessionBuilder::new().known_node(address).user(user, password).build().await?;
        let keyspace = format!(
            "CREATE KEYSPACE IF NOT EXISTS {SPACE} WITH replication = \
             {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
        );
        session.query_unpaged(keyspace, ()).await?;
        let table =
            format!("CREATE TABLE IF NOT EXISTS {SPACE}.hord (key text PRIMARY KEY, data blob)");
        session.query_unpaged(table, ()).await?;
        let get = format!("SELECT data FROM {SPACE}.hord WHERE key = ?");
        let set = format!("INSERT INTO {SPACE}.hord (key, data) VALUES (?, ?)");
        let mut get = session.prepare(get).await?;
        let mut set = session.prepare(set).await?;
        get.set_consistency(Consistency::Quorum);
        set.set_consistency(Consistency::Quorum);
        let cassandra = Cassandra { session, get, set };
        cassandra.call(false).await?;
        Ok(cassandra)
    }

    pub(super) async fn call(&self, get: bool) -> Result<Bytes> {
        if !get {
            self.session.execute_unpaged(&self.set, (KEY, VALUE)).await?;
            return Ok(Bytes::new());
        }
        let rows = self.session.execute_unpaged(&self.get, (KEY,)).await?.into_rows_result()?;
        let (data,) = rows.first_row::<(Vec<u8>,)>()?;
        Ok(data.into())
    }
}

pub(super) struct Nats(jetstream::kv::Store);

impl Nats {
    pub(super) async fn open(url: &str) -> Result<Nats> {
        let server: ServerAddr = url.parse()?;
        // The driver takes no login out of a URL.
        let options = match (server.username(), server.password()) {
            (Some(user), Some(password)) => {
                ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
            }
            _ => ConnectOptions::new(),
        };
        let context = jetstream::new(options.connect(server).await?);
        let bucket = jetstream::kv::Config { bucket: SPACE.to_owned(), ..Default::default() };
        let store = match context.get_key_value(SPACE).await {
            Ok(store) => store,
            Err(_) => context.create_key_value(bucket).await?,
        };
        let nats = Nats(store);
        nats.call(false).await?;
        Ok(nats)
    }

    pub(super) async fn call(&self, get: bool) -> Result<Bytes> {
        if !get {
            self.0.put(KEY, Bytes::from_static(VALUE)).await?;
            return Ok(Bytes::new());
        }
        self.0.get(KEY).await?.context("the key is missing")
    }
}
