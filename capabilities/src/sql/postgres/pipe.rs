//! [`Pipe`]: one connection, which carries any number of queries at once: the server answers them in
//! their order.
//!
//! Who stops waiting for an answer leaves a query behind that others queue up behind. Such a pipe is
//! retired: it gets no further queries, the server is told to end that one, and when the others have
//! their answers it is closed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

use super::connect::{Place, Server};
use super::statements::Statements;

/// How often a query that nobody waits for looks whether those before it are answered.
const TURN_EVERY: Duration = Duration::from_millis(20);
/// An idle connection answers an empty query at once, or it is dead. A busy one that has answered
/// nothing for as long may have a slow query; then its server at least takes a knock.
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
    /// The calls under way, by number, oldest first.
    calls: RefCell<VecDeque<u64>>,
    next_call: Cell<u64>,
    /// When a call was done, or the first of those under way began.
    moved: Cell<Instant>,
    retired: Cell<bool>,
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
            moved: Cell::new(Instant::now()),
            retired: Cell::new(false),
        })
    }

    /// Whether it takes further queries.
    pub(super) fn is_open(&self) -> bool {
        !self.retired.get() && !self.client.is_closed()
    }

    /// How many calls are under way.
    pub(super) fn load(&self) -> usize {
        self.calls.borrow().len()
    }

    /// Notes a call. It must be told when it is done; dropped before, it is abandoned.
    pub(super) fn begin(self: &Rc<Pipe>) -> Call {
        if self.load() == 0 {
            self.moved.set(Instant::now());
        }
        let number = self.next_call.get();
        self.next_call.set(number + 1);
        self.calls.borrow_mut().push_back(number);
        Call { pipe: Rc::clone(self), number, done: false }
    }

    /// Whether the connection is of use: an idle one is asked, a busy one has a call that finds out
    /// in the end, and whose server must be there meanwhile.
    pub(super) async fn check(&self) -> Result<(), String> {
        if !self.is_open() {
            return Err(String::from("the connection was closed"));
        }
        let asked = async {
            if self.load() == 0 {
                self.client.batch_execute("").await.map_err(|error| error.to_string())
            } else if self.moved.get().elapsed() > PING_MAX {
                self.server.knock(&self.place).await.map_err(|error| error.to_string())
            } else {
                Ok(())
            }
        };
        let late = |_| Err(format!("no answer within {} ms", PING_MAX.as_millis()));
        timeout(PING_MAX, asked).await.unwrap_or_else(late)
    }

    /// Ends the query of an abandoned call once it is its turn. The empty query behind it is answered
    /// when it is over, so that no later one is hit.
    async fn end(self: Rc<Pipe>, number: u64) {
        let over = async { drop(self.client.batch_execute("").await) };
        let cancel = async {
            while self.calls.borrow().front().is_some_and(|&first| first < number) {
                sleep(TURN_EVERY).await;
            }
            self.server.cancel(&self.place, &self.client.cancel_token()).await;
        };
        tokio::select! {
            biased;
            () = over => {}
            () = cancel => {}
        }
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
    /// The server has nothing more to say to it.
    pub(super) fn done(mut self) {
        self.pipe.moved.set(Instant::now());
        self.done = true;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.pipe.calls.borrow_mut().retain(|&call| call != self.number);
        if self.done || self.pipe.client.is_closed() {
            return;
        }
        self.pipe.retired.set(true);
        tokio::task::spawn_local(Rc::clone(&self.pipe).end(self.number));
    }
}
