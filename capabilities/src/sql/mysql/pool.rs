//! [`Pool`]: a shard's connections to MySQL, each lent to one query at a time.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::connect::Server;
use super::failure::Failure;
use crate::backend::link::{ConnectError, Driver};
use crate::sql::sessions::Sessions;

/// An idle connection answers a ping at once, or it is dead. Together with an attempt to replace it,
/// this is less than a probe may take.
const PING_MAX: Duration = Duration::from_millis(900);

/// Connects and watches.
pub(super) struct MysqlDriver {
    server: Rc<Server>,
    connections_max: usize,
}

pub(super) struct Pool {
    server: Rc<Server>,
    sessions: Sessions<Conn>,
}

impl MysqlDriver {
    pub(super) fn new(server: Rc<Server>, connections_max: usize) -> MysqlDriver {
        MysqlDriver { server, connections_max }
    }
}

impl Driver for MysqlDriver {
    type Connection = Pool;

    async fn connect(&self) -> Result<Pool, ConnectError> {
        let conn = self.server.open().await?;
        let sessions = Sessions::new(self.connections_max);
        sessions.put(conn);
        Ok(Pool { server: Rc::clone(&self.server), sessions })
    }

    /// Pings what is idle. A busy connection has a call that finds out, and that is bounded.
    async fn probe(&self, pool: &Pool) -> Result<(), String> {
        drop(pool.sessions.take_old());
        let mut places = Vec::new();
        let mut dead = None;
        let mut alive = Vec::new();
        while let Some(place) = pool.sessions.try_place() {
            places.push(place);
            let Some(mut conn) = pool.sessions.take() else { break };
            // The first that does not answer in time speaks for the others.
            let wait = if dead.is_some() { Duration::ZERO } else { PING_MAX };
            match timeout(wait, conn.ping()).await {
                Ok(Ok(())) => alive.push(conn),
                Ok(Err(error)) => dead = Some(error.to_string()),
                Err(_) => dead = Some(format!("no answer within {} ms", PING_MAX.as_millis())),
            }
        }
        let healthy = dead.is_none() && (!alive.is_empty() || pool.sessions.busy() > places.len());
        alive.into_iter().rev().for_each(|conn| pool.sessions.put(conn));
        if healthy {
            return Ok(());
        }
        match timeout(PING_MAX, self.server.open()).await {
            Ok(Ok(conn)) => {
                pool.sessions.put(conn);
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => {
                Err(dead
                    .unwrap_or_else(|| format!("no connection within {} ms", PING_MAX.as_millis())))
            }
        }
    }

    fn connections(&self, pool: &Pool) -> u64 {
        pool.sessions.open() as u64
    }
}

impl Pool {
    /// Waits for a connection, and opens one if there is none to wait for.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, Failure> {
        let place = self.sessions.place().await;
        let conn = match self.sessions.take() {
            Some(conn) => conn,
            None => {
                let opened = self.server.open().await;
                opened.map_err(|error| Failure::Connection(error.to_string()))?
            }
        };
        Ok(Lease { pool: self, conn: Some(conn), _place: place })
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// A connection lent to a query. It must be given back; dropped before, its query is ended and it is
/// closed.
pub(super) struct Lease<'p> {
    pool: &'p Pool,
    conn: Option<Conn>,
    _place: Option<SemaphorePermit<'p>>,
}

impl Lease<'_> {
    /// The connection, until it is given back.
    pub(super) fn conn(&mut self) -> Option<&mut Conn> {
        self.conn.as_mut()
    }

    /// `lingers`: the query may have left something behind in the session, which goes now.
    pub(super) async fn give_back(mut self, lingers: bool) {
        let Some(conn) = self.conn.as_mut() else { return };
        // A server that cannot do it has the connection closed, and the session ends with it.
        let clean = !lingers || matches!(conn.reset().await, Ok(true));
        let Some(conn) = self.conn.take() else { return };
        if clean {
            self.pool.sessions.put(conn);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        let (server, id) = (Rc::clone(&self.pool.server), conn.id());
        // The driver closes it when the server has answered, which it does when it is told to end.
        drop(conn);
        tokio::task::spawn_local(async move { server.kill(id).await });
    }
}
