//! What becomes of an instance whose call failed: the memory it dirtied goes back to the kernel in short turns of the slow
//! lane, and only then is the instance dropped.
//!
//! Dropping it alone gives the memory back in one go: 128 MiB hold the shard for 5 to 12 ms, in which every other request
//! waits.

use std::time::Duration;

use wasmtime::Store;

use super::engine::KEEP_RESIDENT_BYTES;
use super::instance::HostState;
use crate::telemetry::clock;

mod discard;

/// What is given back between two looks at the clock: 512 pages of 4 KiB, which take about 0.1 ms, or one huge page.
const PIECE_BYTES: usize = 2 * 1024 * 1024;
/// A turn ends with the piece in which this much of it has passed, so that it is no longer than a guest's.
const TURN_NS: u64 = 100_000;

/// Whether the drop of this store would hold the shard longer than a turn does.
pub(super) fn takes_long(store: &mut Store<HostState>) -> bool {
    returnable(store).len() > PIECE_BYTES
}

/// Gives back the memory of a store that is about to be dropped. Its guest must not run again.
pub(super) async fn give_back(store: &mut Store<HostState>) {
    let (mut done, mut used) = (0, Duration::ZERO);
    while done < returnable(store).len() {
        let Some(guests) = store.data().guests.upgrade() else { return };
        guests.lane.turn(used).await;
        let began_ns = clock::now_ns();
        done += give_back_a_turn(store, done, began_ns);
        used = Duration::from_nanos(clock::now_ns() - began_ns);
    }
}

/// Goes on after the first `done` bytes; answers how many more are done.
fn give_back_a_turn(store: &mut Store<HostState>, done: usize, began_ns: u64) -> usize {
    let mut rest = returnable(store).get_mut(done..).unwrap_or_default();
    let before = rest.len();
    while !rest.is_empty() {
        // Up to the next boundary, so that a huge page is given back whole.
        let len = rest.len().min(PIECE_BYTES - rest.as_ptr().addr() % PIECE_BYTES);
        let (piece, after) = rest.split_at_mut(len);
        discard::discard(piece);
        rest = after;
        if clock::now_ns() - began_ns >= TURN_NS {
            break;
        }
    }
    before - rest.len()
}

/// The memory without its first part, which wasmtime keeps for the slot's next instance.
fn returnable(store: &mut Store<HostState>) -> &mut [u8] {
    match store.data().memory {
        Some(memory) => memory.data_mut(store).get_mut(KEEP_RESIDENT_BYTES..).unwrap_or_default(),
        None => &mut [],
    }
}
