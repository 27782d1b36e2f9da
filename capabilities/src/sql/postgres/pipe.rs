//! [`Pipe`]: one connection, which carries any number of queries at once: the server answers them in
//! their order.
//!
//! Who stops waiting for an answer leaves a query behind that others queue up behind. The server is
//! told to end it, and until it has, other connections are preferred. A cancel request names a
//! connection, not a query: it is sent when that query is the one that the server is at.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

use super::connect::{Place, Server};
use super::statements::Statements;

/// How often a query that nobody waits for looks whether it is its turn to be ended.
const TURN_EVERY: Duration = Duration::from_millis(10);
/// A server ends a query at once, or not at all; a request that came too early is made again.
const END_MAX: Duration = Duration::from_millis(500);
const END_TRIES: usize = 4;
/// By when a server has acted on a cancel request. It says nothing when it has.
const LATE_MAX: Duration = Duration::from_secs(5);
/// An idle connection answers an empty query at once, or it is dead. A busy one that has answered
/// nothing since the last check may have a slow query; then its server at least takes a knock.
const PING_MAX: Duration = Duration::from_secs(1);

pub(super) struct Pipe {
    server: Rc<Server>,
    place: Place,
    pub(super) client: Client,
    driver: AbortHandle,
    pub(super) statements: RefCell<Statements>,
    /// The session's zone is UTC.
    pub(super) utc: bool,
    /// Sessions write dates in a style of their own unless told otherwise.
    pub(super) foreign_dates: bool,
    /// The calls whose queries the server has not answered, in their order.
    calls: RefCell<VecDeque<u64>>,
    next_call: Cell<u64>,
    /// How many of them nobody waits for.
    abandoned: Cell<usize>,
    /// When the server was last told to end a query.
    cancelled: Cell<Option<Instant>>,
    /// Goes up when a call is done, and when the first of those under way begins.
    moves: Cell<u64>,
    /// What it was at the last check.
    checked: Cell<u64>,
    /// It has a query that cannot be ended, so it takes no further ones.
    stuck: Cell<bool>,
}

impl Pipe {
    pub(super) fn new(
        server: Rc<Server>,
        place: Place,
        client: Client,
        driver: impl Future<Output = ()> + 'static,
        utc: bool,
        foreign_dates: bool,
    ) -> Rc<Pipe> {
        let driver = tokio::task::spawn_local(driver).abort_handle();
        Rc::new(Pipe {
            server,
            place,
            client,
            driver,
            statements: RefCell::default(),
            utc,
            foreign_dates,
            calls: RefCell::default(),
            next_call: Cell::new(0),
            abandoned: Cell::new(0),
            cancelled: Cell::new(None),
            moves: Cell::new(0),
            checked: Cell::new(0),
            stuck: Cell::new(false),
        })
    }

    /// Whether it takes further queries.
    pub(super) fn is_open(&self) -> bool {
        !self.stuck.get() && !self.client.is_closed()
    }

    /// How many queries nobody waits for, and how many there are: less is better.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.abandoned.get(), self.calls.borrow().len())
    }

    /// Notes a call. It must be told when it is done; dropped before, it is abandoned.
    pub(super) fn begin(self: &Rc<Pipe>) -> Call {
        let number = self.next_call.get();
        self.next_call.set(number + 1);
        let mut calls = self.calls.borrow_mut();
        if calls.is_empty() {
            self.has_moved();
        }
        calls.push_back(number);
        Call { pipe: Rc::clone(self), number, done: false }
    }

    /// Whether a cancel request may have come so late that it hit another query than was meant.
    pub(super) fn cancelled_lately(&self) -> bool {
        self.cancelled.get().is_some_and(|at| at.elapsed() < LATE_MAX)
    }

    fn has_moved(&self) {
        self.moves.set(self.moves.get() + 1);
    }

    fn forget(&self, number: u64) {
        let mut calls = self.calls.borrow_mut();
        // They are answered in their order.
        if calls.front() == Some(&number) {
            calls.pop_front();
        } else {
            calls.retain(|&call| call != number);
        }
    }

    /// Whether the connection is of use: an idle one is asked, a busy one has a call that finds out
    /// in the end, and whose server must be there meanwhile.
    pub(super) async fn check(&self) -> Result<(), String> {
        let moves = self.moves.get();
        let has_moved = self.checked.replace(moves) != moves;
        if !self.is_open() {
            return Err(String::from("the connection was closed"));
        }
        let asked = async {
            if self.calls.borrow().is_empty() {
                self.client.batch_execute("").await.map_err(|error| error.to_string())
            } else if !has_moved {
                self.server.knock(&self.place).await.map_err(|error| error.to_string())
            } else {
                Ok(())
            }
        };
        let late = |_| Err(format!("no answer within {} ms", PING_MAX.as_millis()));
        timeout(PING_MAX, asked).await.unwrap_or_else(late)
    }

    /// Has the server end an abandoned call's query, unless it answers before its turn.
    async fn end(self: Rc<Pipe>, number: u64, mut over: Pin<Box<dyn Future<Output = ()>>>) {
        let turn = async {
            while self.calls.borrow().front() != Some(&number) {
                sleep(TURN_EVERY).await;
            }
        };
        tokio::select! {
            biased;
            () = &mut over => {}
            () = turn => {
                let mut tries = 0..END_TRIES;
                let ended = loop {
                    if tries.next().is_none() {
                        break false;
                    }
                    self.cancelled.set(Some(Instant::now()));
                    self.server.cancel(&self.place, &self.client.cancel_token()).await;
                    if timeout(END_MAX, &mut over).await.is_ok() {
                        break true;
                    }
                };
                self.stuck.set(!ended);
            }
        }
        self.abandoned.set(self.abandoned.get() - 1);
        self.forget(number);
        self.has_moved();
    }
}

impl Drop for Pipe {
    /// The driver would otherwise wait for answers that nobody reads.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").field("load", &self.load()).finish_non_exhaustive()
    }
}

/// A call under way on a pipe.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) pipe: Rc<Pipe>,
    number: u64,
    done: bool,
}

impl Call {
    /// Another query is about to be sent for it, which takes its place behind those of others.
    pub(super) fn again(&self) {
        let mut calls = self.pipe.calls.borrow_mut();
        if calls.back() != Some(&self.number) {
            calls.retain(|&call| call != self.number);
            calls.push_back(self.number);
        }
    }

    /// The server has nothing more to say to it.
    pub(super) fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let pipe = &self.pipe;
        if self.done || pipe.client.is_closed() {
            pipe.has_moved();
            return pipe.forget(self.number);
        }
        pipe.abandoned.set(pipe.abandoned.get() + 1);
        // The answer to an empty query right behind it, before any later call's, tells that it is
        // over. Polled once, it is sent.
        let behind = Rc::clone(pipe);
        let empty = async move { drop(behind.client.batch_execute("").await) };
        let mut over: Pin<Box<dyn Future<Output = ()>>> = Box::pin(empty);
        let sent = (&mut over).now_or_never();
        let over = if sent.is_some() { Box::pin(std::future::ready(())) } else { over };
        tokio::task::spawn_local(Rc::clone(pipe).end(self.number, over));
    }
}
