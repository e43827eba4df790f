//! Bytes that requests take for a moment, without waiting, and of which no client can take all.
//!
//! As long as little is in use, nobody counts for whom: then a client may hold as much as is still
//! free. Nothing is evicted, since nothing here waits for its client; see
//! [`FairShares`](super::FairShares) for what does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Client;

/// While at most this part is in use, nobody counts for whom: a quarter.
const UNCOUNTED_PART: usize = 4;

/// Bytes that may be in use at a time. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(crate) struct Rooms {
    state: Arc<RoomState>,
}

#[derive(Debug)]
struct RoomState {
    max: usize,
    used: AtomicUsize,
    /// Of clients that are counted.
    held: Mutex<HashMap<Client, usize>>,
}

/// Bytes of a request, given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    state: Arc<RoomState>,
    bytes: usize,
    /// The client that they count for.
    client: Option<Client>,
}

impl Rooms {
    /// Room for `max` bytes.
    pub(crate) fn new(max: usize) -> Self {
        Self { state: Arc::new(RoomState { max, used: AtomicUsize::new(0), held: Mutex::default() }) }
    }

    /// Takes `bytes` for a client, if it then holds no more than was free.
    pub(crate) fn reserve(&self, client: impl FnOnce() -> Client, bytes: usize) -> Option<Room> {
        let max = self.state.max;
        let fits = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= max);
        let used = self.state.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        let mut room = Room { state: Arc::clone(&self.state), bytes, client: None };
        if used + bytes > max / UNCOUNTED_PART {
            let client = client();
            let mut held = self.state.lock();
            let own = held.get(&client).copied().unwrap_or(0) + bytes;
            if own > max - used {
                // Unlocked first: to drop the room may lock.
                drop(held);
                return None;
            }
            held.insert(client.clone(), own);
            room.client = Some(client);
        }
        Some(room)
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.state.used.load(Ordering::Relaxed)
    }
}

impl RoomState {
    /// Nothing panics while this is held.
    fn lock(&self) -> MutexGuard<'_, HashMap<Client, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.state.used.fetch_sub(self.bytes, Ordering::Relaxed);
        let Some(client) = self.client.take() else { return };
        let mut held = self.state.lock();
        let Some(own) = held.get_mut(&client) else { return };
        *own -= self.bytes;
        if *own == 0 {
            held.remove(&client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes pieces of `bytes` for a client for as long as it may.
    fn flood(rooms: &Rooms, number: u8, bytes: usize) -> Vec<Room> {
        std::iter::from_fn(|| rooms.reserve(|| Client::numbered(number), bytes)).collect()
    }

    #[test]
    fn however_much_one_client_takes_there_is_room_for_another() {
        let rooms = Rooms::new(128);
        let greedy = flood(&rooms, 1, 1);
        assert!(greedy.len() <= 128 * 5 / 8, "{}", greedy.len());
        let large = flood(&rooms, 2, 38);
        assert_eq!(large.len(), 1, "the largest request");
        let others: Vec<_> = (3..6).map(|number| flood(&rooms, number, 1)).collect();
        assert!(others.iter().all(|taken| !taken.is_empty()), "{others:?}");
        drop((greedy, large, others));
        assert_eq!(rooms.used(), 0);
        assert!(rooms.state.lock().is_empty(), "clients that hold nothing are forgotten");
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let rooms = Rooms::new(100);
        let held = flood(&rooms, 1, 60);
        assert_eq!((held.len(), rooms.used()), (1, 60));
        assert!(flood(&rooms, 1, 30).is_empty() && flood(&rooms, 2, usize::MAX).is_empty());
        assert_eq!(rooms.used(), 60);
    }
}
