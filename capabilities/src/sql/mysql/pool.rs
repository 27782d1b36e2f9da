//! [`Pool`]: a shard's connections to MySQL, each lent to one query at a time.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};

use super::connect::Server;
use super::failure::Failure;
use crate::backend::link::{ConnectError, Driver};
use crate::sql::sessions::Sessions;

/// An idle connection answers a ping at once, or it is dead. Together with an attempt to replace it,
/// this is less than a probe may take.
const PING_MAX: Duration = Duration::from_millis(900);

/// With nothing idle and no query answered for this long, the server is asked for a connection.
const QUIET_MAX: Duration = Duration::from_secs(1);

/// Connects and watches.
pub(super) struct MysqlDriver {
    server: Rc<Server>,
    connections_max: usize,
}

pub(super) struct Pool {
    server: Rc<Server>,
    sessions: Sessions<Conn>,
    /// When a query was answered.
    moved: Cell<Instant>,
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
        let moved = Cell::new(Instant::now());
        Ok(Pool { server: Rc::clone(&self.server), sessions, moved })
    }

    /// Pings what is idle. If all are busy and none has been answered for long, queries may be slow:
    /// then the server must at least take a further connection.
    async fn probe(&self, pool: &Pool) -> Result<(), String> {
        drop(pool.sessions.take_old());
        let mut places = Vec::new();
        let mut alive = Vec::new();
        let mut dead = false;
        while let Some(place) = pool.sessions.try_place() {
            places.push(place);
            let Some(mut conn) = pool.sessions.take() else { break };
            // The first that does not answer speaks for the others.
            if !dead && matches!(timeout(PING_MAX, conn.ping()).await, Ok(Ok(()))) {
                alive.push(conn);
            } else {
                dead = true;
            }
        }
        let answered =
            pool.sessions.busy() > places.len() && pool.moved.get().elapsed() < QUIET_MAX;
        let healthy = !dead && (!alive.is_empty() || answered);
        alive.into_iter().rev().for_each(|conn| pool.sessions.put(conn));
        if healthy {
            return Ok(());
        }
        let opened = timeout(PING_MAX, self.server.open()).await;
        let late = format!("no connection within {} ms", PING_MAX.as_millis());
        let conn = opened.map_err(|_| late)?.map_err(|error| error.to_string())?;
        match places.is_empty() {
            true => drop(conn),
            false => pool.sessions.put(conn),
        }
        Ok(())
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
        self.pool.moved.set(Instant::now());
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
