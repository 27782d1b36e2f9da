//! Which shard serves a new connection: the one that accepted it, unless another has fewer.
//!
//! SO_REUSEPORT spreads connections by a hash of their addresses. Of thousands each shard gets its share; of four, all
//! can end up on one core while the others idle. So a shard that has more than its share gives a connection away, once,
//! between accept and the first byte. From then on it stays where it is.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam::utils::CachePadded;
use tokio::sync::mpsc;

/// Connections on their way to a shard. One that finds no place stays where it was accepted.
const ARRIVALS_MAX: usize = 256;
/// Shards that are looked at for a better place: with more, the look would cost more than the accept.
const CANDIDATES_MAX: usize = 16;
/// Connections may differ by one part in so many before one is given away: with many of them evenness gains nothing, and
/// each move wakes another core.
const SLACK_PARTS: usize = 8;

/// A connection that another shard accepted. Its place is counted already.
pub type Arrival = (TcpStream, SocketAddr);

/// One shard's view of all: its own connections and the ways to the others.
#[derive(Debug)]
pub struct Seat {
    index: usize,
    seats: Arc<[Place]>,
}

#[derive(Debug)]
struct Place {
    /// Connections that this shard serves or that are on their way to it.
    open: CachePadded<AtomicUsize>,
    arrivals: mpsc::Sender<Arrival>,
}

/// A seat for each shard, with the end where connections arrive.
pub fn seats(shards: usize) -> Vec<(Seat, mpsc::Receiver<Arrival>)> {
    let (places, arrivals): (Vec<_>, Vec<_>) = (0..shards)
        .map(|_| {
            let (sender, receiver) = mpsc::channel(ARRIVALS_MAX);
            (Place { open: CachePadded::new(AtomicUsize::new(0)), arrivals: sender }, receiver)
        })
        .unzip();
    let seats: Arc<[Place]> = places.into();
    let seat = |(index, arrivals)| (Seat { index, seats: Arc::clone(&seats) }, arrivals);
    arrivals.into_iter().enumerate().map(seat).collect()
}

impl Seat {
    /// Connections of this shard.
    pub fn open(&self) -> usize {
        self.seats[self.index].open.load(Ordering::Relaxed)
    }

    /// One more connection of this shard.
    pub fn opened(&self) {
        self.seats[self.index].open.fetch_add(1, Ordering::Relaxed);
    }

    /// One connection less.
    pub fn closed(&self) {
        self.seats[self.index].open.fetch_sub(1, Ordering::Relaxed);
    }

    /// The shard that a connection accepted here should go to; none if it may as well stay.
    pub fn better(&self) -> Option<usize> {
        let count = self.seats.len();
        // Each shard begins with its neighbour, so that they do not all find the same one.
        let candidates = (1..count.min(CANDIDATES_MAX + 1)).map(|step| (self.index + step) % count);
        let open = |index: usize| self.seats[index].open.load(Ordering::Relaxed);
        let (least, index) = candidates.map(|index| (open(index), index)).min()?;
        (self.open() > least + least / SLACK_PARTS).then_some(index)
    }

    /// Gives a connection to another shard.
    ///
    /// # Errors
    /// The connection, if that shard takes no more.
    pub fn give(&self, to: usize, arrival: Arrival) -> Result<(), Arrival> {
        let place = &self.seats[to];
        place.open.fetch_add(1, Ordering::Relaxed);
        place.arrivals.try_send(arrival).map_err(|refused| {
            place.open.fetch_sub(1, Ordering::Relaxed);
            match refused {
                mpsc::error::TrySendError::Full(arrival)
                | mpsc::error::TrySendError::Closed(arrival) => arrival,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CANDIDATES_MAX, Seat, seats};
    use std::net::{TcpListener, TcpStream};

    /// Seats whose shards have so many connections.
    fn with(open: &[usize]) -> Vec<Seat> {
        let seats: Vec<Seat> = seats(open.len()).into_iter().map(|(seat, _)| seat).collect();
        for (seat, &open) in seats.iter().zip(open) {
            (0..open).for_each(|_| seat.opened());
        }
        seats
    }

    #[test]
    fn a_connection_goes_where_there_are_clearly_fewer() {
        for (open, from, to) in [
            (&[0][..], 0, None),
            (&[5], 0, None),
            (&[0, 0], 0, None),
            (&[1, 0], 0, Some(1)),
            (&[1, 0], 1, None),
            (&[2, 1], 0, Some(1)),
            (&[3, 2, 1, 2], 0, Some(2)),
            (&[9, 8], 0, None),
            (&[10, 8], 0, Some(1)),
            (&[800, 720], 0, None),
            (&[811, 720], 0, Some(1)),
        ] {
            assert_eq!(with(open)[from].better(), to, "{open:?} from {from}");
        }
    }

    #[test]
    fn only_so_many_shards_are_looked_at() {
        let mut open = vec![3; CANDIDATES_MAX + 2];
        open[CANDIDATES_MAX + 1] = 0;
        assert_eq!(with(&open)[0].better(), None);
    }

    #[test]
    fn what_a_shard_does_not_take_comes_back_uncounted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let peer = stream.local_addr().unwrap();
        let mut all = seats(2);
        let (second, mut arrivals) = all.pop().unwrap();
        let (first, _) = all.pop().unwrap();
        first.give(1, (stream, peer)).unwrap();
        assert_eq!(second.open(), 1);
        arrivals.close();
        let arrival = arrivals.try_recv().unwrap();
        first.give(1, arrival).unwrap_err();
        assert_eq!(second.open(), 1);
        second.closed();
        assert_eq!(second.open(), 0);
    }
}
