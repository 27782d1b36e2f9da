//! A select by primary key on each database. Each has the table before the first call.

use anyhow::{Context, Result};
use bytes::Bytes;
use mysql_async::prelude::Queryable;
use tokio_postgres::{Client, NoTls, Statement};

use crate::calls::SELECT;

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS loadtest (id integer PRIMARY KEY, name varchar(100))";
const ROWS: i32 = 100;

pub(super) struct Postgres {
    client: Client,
    select: Statement,
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<Postgres> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        // Its end shows in the calls.
        tokio::spawn(connection);
        client.batch_execute(TABLE).await?;
        for id in 0..ROWS {
            let row =
                format!("INSERT INTO loadtest VALUES ({id}, 'name {id}') ON CONFLICT DO NOTHING");
            client.batch_execute(&row).await?;
        }
        let select = client.prepare(SELECT).await?;
        Ok(Postgres { client, select })
    }

    pub(super) async fn select(&self) -> Result<Bytes> {
        let row = self.client.query_one(&self.select, &[]).await?;
        Ok(row.try_get::<_, String>(0)?.into())
    }
}

pub(super) struct Mysql(mysql_async::Pool);

impl Mysql {
    pub(super) async fn open(url: &str) -> Result<Mysql> {
        let pool = mysql_async::Pool::from_url(url)?;
        let mut connection = pool.get_conn().await?;
        connection.query_drop(TABLE).await?;
        for id in 0..ROWS {
            let row = format!("INSERT IGNORE INTO loadtest VALUES ({id}, 'name {id}')");
            connection.query_drop(row).await?;
        }
        drop(connection);
        Ok(Mysql(pool))
    }

    pub(super) async fn select(&self) -> Result<Bytes> {
        let mut connection = self.0.get_conn().await?;
        let name: Option<String> = connection.query_first(SELECT).await?;
        Ok(name.context("the row is missing")?.into())
    }
}
