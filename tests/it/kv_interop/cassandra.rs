//! Cassandra: one row per key in the table `hord` of the keyspace; the scylla driver is the other client.

use std::time::Duration;

use airside_tests::harness::services::{Backend, Cassandra, Settings};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::serialize::row::SerializeRow;
use tokio::runtime::Runtime;

use super::{VALUES, runtime, server};
use crate::it::wire::{delete, get, keys, set};

struct Cql {
    runtime: Runtime,
    session: Session,
}

impl Cql {
    fn connect(cassandra: &Cassandra) -> Cql {
        let runtime = runtime();
        let (user, password) = Cassandra::LOGIN;
        let address = cassandra.daemon().address();
        let mut session = SessionBuilder::new().known_node_addr(address).user(user, password);
        // Schemas of one node agree at once.
        session = session.schema_agreement_interval(Duration::from_millis(20));
        let session = runtime.block_on(session.build()).expect("a session");
        Cql { runtime, session }
    }

    fn run(&self, statement: &str, values: impl SerializeRow) {
        let run = self.session.query_unpaged(statement, values);
        self.runtime.block_on(run).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// The first column of each row that a statement finds.
    fn column<T>(&self, statement: &str, values: impl SerializeRow) -> Vec<T>
    where
        T: for<'f, 'm> scylla::deserialize::value::DeserializeValue<'f, 'm>,
    {
        let found = self.runtime.block_on(self.session.query_unpaged(statement, values));
        let found = found.unwrap_or_else(|error| panic!("{statement}: {error}"));
        let rows = found.into_rows_result().expect("rows");
        rows.rows::<(T,)>().expect("one column").map(|row| row.expect("of that type").0).collect()
    }
}

fn settings(keyspace: &str) -> Settings {
    let mut settings = Cassandra::shared().settings();
    settings.push(("cassandra_keyspace", keyspace.to_owned()));
    settings
}

#[test]
fn rows_that_were_there_are_read() {
    let cql = Cql::connect(Cassandra::shared());
    cql.run(
        "CREATE KEYSPACE of_tarmac \
         WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        (),
    );
    cql.run("CREATE TABLE of_tarmac.hord (key text PRIMARY KEY, data blob)", ());
    for (number, value) in VALUES.iter().enumerate() {
        let key = format!("key {number}");
        cql.run("INSERT INTO of_tarmac.hord (key, data) VALUES (?, ?)", (key, value.to_vec()));
    }
    let server = server(settings("of_tarmac"));
    let mut client = server.client();
    for (number, value) in VALUES.iter().enumerate() {
        assert_eq!(get(&mut client, &format!("key {number}")), Ok(value.to_vec()));
    }
    assert_eq!(keys(&mut client).map(|keys| keys.len()), Ok(VALUES.len()));
    assert_eq!(delete(&mut client, "key 0"), Ok(()));
    let left: Vec<String> = cql.column("SELECT key FROM of_tarmac.hord", ());
    assert_eq!(left.len(), VALUES.len() - 1, "{left:?}");
}

#[test]
fn the_table_is_made_as_tarmac_makes_it() {
    let server = server(settings("of_airside"));
    let mut client = server.client();
    for (number, value) in VALUES.iter().enumerate() {
        assert_eq!(set(&mut client, &format!("key {number}"), value), Ok(()));
    }
    let cql = Cql::connect(Cassandra::shared());
    for (number, value) in VALUES.iter().enumerate() {
        let key = format!("key {number}");
        let data: Vec<Vec<u8>> =
            cql.column("SELECT data FROM of_airside.hord WHERE key = ?", (key,));
        assert_eq!(data, [value.to_vec()]);
    }
    let columns = "SELECT type FROM system_schema.columns \
                   WHERE keyspace_name = 'of_airside' AND table_name = 'hord' AND column_name = ?";
    assert_eq!(cql.column::<String>(columns, ("key",)), ["text"]);
    assert_eq!(cql.column::<String>(columns, ("data",)), ["blob"]);
}
