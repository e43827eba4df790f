//! Bytes or places that all requests share, and of which no client can take all.
//!
//! A client may hold as much as is still free: one alone half of it, two a third each. So there is
//! room for a client that holds nothing yet. What is small has a reserve of its own. If a request
//! finds no room all the same, the slowest one of the client that holds the most is evicted for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Client;

/// Marks a slot that does not wait for its client.
const NOT_WAITING: u64 = u64::MAX;

/// A shared amount. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(crate) struct FairShares {
    pool: Arc<Pool>,
}

/// The sizes of [`FairShares`], in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShareSizes {
    /// For what is larger than `small_max`.
    pub(crate) large: usize,
    /// For what is not.
    pub(crate) small: usize,
    /// Most bytes that count as small.
    pub(crate) small_max: usize,
}

#[derive(Debug)]
struct Pool {
    started: Instant,
    patience: Duration,
    small_max: usize,
    tiers: Mutex<[Tier; 2]>,
}

#[derive(Debug)]
struct Tier {
    max: usize,
    used: usize,
    shares: HashMap<Client, Share>,
}

/// The slots of a client, and their sum.
#[derive(Debug, Default)]
struct Share {
    used: usize,
    slots: Vec<Arc<Slot>>,
}

/// The bytes of a request.
#[derive(Debug)]
struct Slot {
    /// Changed under the lock only.
    bytes: AtomicUsize,
    /// Milliseconds from the start of the pool to the moment at which its client will have been too
    /// slow.
    deadline_ms: AtomicU64,
    is_evicted: AtomicBool,
    evicted: Notify,
}

/// The share of one request, given back when dropped.
#[derive(Debug)]
pub(crate) struct HeldShare {
    pool: Arc<Pool>,
    client: Client,
    slot: Arc<Slot>,
    tier: usize,
}

impl FairShares {
    /// Shares of these sizes, for requests whose clients may be late by `patience`.
    pub(crate) fn new(sizes: ShareSizes, patience: Duration) -> Self {
        let tier = |max| Tier { max, used: 0, shares: HashMap::new() };
        let tiers = Mutex::new([tier(sizes.small), tier(sizes.large)]);
        let ShareSizes { small_max, .. } = sizes;
        Self { pool: Arc::new(Pool { started: Instant::now(), patience, small_max, tiers }) }
    }

    /// A number of places instead of bytes. None of them is ever evicted.
    pub(crate) fn places(count: usize) -> Self {
        Self::new(ShareSizes { large: count, small: 0, small_max: 0 }, Duration::ZERO)
    }

    /// Nothing yet, for a request of this client.
    pub(crate) fn hold(&self, client: Client) -> HeldShare {
        let slot = Slot {
            bytes: AtomicUsize::new(0),
            deadline_ms: AtomicU64::new(NOT_WAITING),
            is_evicted: AtomicBool::new(false),
            evicted: Notify::new(),
        };
        HeldShare { pool: Arc::clone(&self.pool), client, slot: Arc::new(slot), tier: 0 }
    }

    /// Bytes held by all.
    pub(crate) fn used(&self) -> usize {
        self.pool.lock().iter().map(|tier| tier.used).sum()
    }
}

impl Pool {
    /// Nothing panics while this is held, and the sums are right even if something did.
    fn lock(&self) -> MutexGuard<'_, [Tier; 2]> {
        self.tiers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ms_until(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.started).as_millis()).unwrap_or(NOT_WAITING)
    }

    /// The latest deadline, in milliseconds, of a client that is stalled now: it is behind by a
    /// tenth of its time.
    fn stalled_ms(&self) -> u64 {
        self.ms_until(Instant::now() + self.patience.saturating_sub(self.patience / 10))
    }
}

impl HeldShare {
    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.slot.bytes.load(Ordering::Relaxed)
    }

    /// The client that it counts for.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Holds `bytes` instead of what it held. `false`, and nothing has changed, if there is no room
    /// for more, or if it was evicted.
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        let held = self.bytes();
        if bytes == held {
            return !self.is_evicted();
        }
        let stalled_ms = self.pool.stalled_ms();
        let mut tiers = self.pool.lock();
        // Asked under the lock, under which it would be evicted.
        if self.is_evicted() {
            return false;
        }
        if self.tier == 0 && bytes > self.pool.small_max {
            let [small, large] = &mut *tiers;
            if !large.take(&self.client, &self.slot, bytes, stalled_ms) {
                return false;
            }
            small.give_back(&self.client, held);
            small.forget(&self.client, &self.slot);
            self.tier = 1;
        } else if let Some(tier) = tiers.get_mut(self.tier) {
            match bytes.checked_sub(held) {
                Some(more) if !tier.take(&self.client, &self.slot, more, stalled_ms) => return false,
                Some(_) => {}
                None => tier.give_back(&self.client, held - bytes),
            }
        }
        self.slot.bytes.store(bytes, Ordering::Relaxed);
        true
    }

    /// Notes that the request waits for its client, who will have been too slow at `deadline`.
    /// Until [`HeldShare::works`] it may be evicted.
    pub(crate) fn waits(&self, deadline: Instant) {
        self.slot.deadline_ms.store(self.pool.ms_until(deadline), Ordering::Relaxed);
    }

    /// Notes that its client waits for the server.
    pub(crate) fn works(&self) {
        self.slot.deadline_ms.store(NOT_WAITING, Ordering::Relaxed);
    }

    /// Whether others needed the memory more.
    pub(crate) fn is_evicted(&self) -> bool {
        self.slot.is_evicted.load(Ordering::Relaxed)
    }

    /// Waits until it is evicted.
    pub(crate) async fn evicted(&self) {
        // A permit is stored if this begins too late.
        self.slot.evicted.notified().await;
    }
}

impl Drop for HeldShare {
    fn drop(&mut self) {
        let mut tiers = self.pool.lock();
        if let Some(tier) = tiers.get_mut(self.tier) {
            tier.give_back(&self.client, self.slot.bytes.swap(0, Ordering::Relaxed));
            tier.forget(&self.client, &self.slot);
        }
    }
}

impl Tier {
    /// Takes `more` bytes for a slot of `client`, evicting slots as long as that helps.
    fn take(&mut self, client: &Client, slot: &Arc<Slot>, more: usize, stalled_ms: u64) -> bool {
        while !self.fits(client, more) {
            let Some((other, slowest)) = self.victim(client, slot, more, stalled_ms) else { return false };
            self.evict(&other, &slowest);
        }
        self.used += more;
        let share = self.shares.entry(client.clone()).or_default();
        share.used += more;
        if !share.slots.iter().any(|known| Arc::ptr_eq(known, slot)) {
            share.slots.push(Arc::clone(slot));
        }
        true
    }

    /// Whether the client would hold no more than is free now.
    fn fits(&self, client: &Client, more: usize) -> bool {
        let free = self.max.saturating_sub(self.used);
        self.held_by(client).checked_add(more).is_some_and(|sum| sum <= free)
    }

    fn held_by(&self, client: &Client) -> usize {
        self.shares.get(client).map_or(0, |share| share.used)
    }

    /// The slot that is to make room for `more` bytes: the slowest of the client that holds the
    /// most. Of the requests of one client only one that is stalled makes room for another.
    fn victim(&self, client: &Client, own: &Arc<Slot>, more: usize, stalled_ms: u64) -> Option<(Client, Arc<Slot>)> {
        let wanted = self.held_by(client) + more;
        let greedier = self.shares.iter().filter(|(other, share)| *other != client && share.used > wanted);
        if let Some((other, share)) = greedier.max_by_key(|(_, share)| share.used) {
            return Some((other.clone(), share.slowest(own)?));
        }
        let slowest = self.shares.get(client)?.slowest(own)?;
        (slowest.deadline_ms.load(Ordering::Relaxed) <= stalled_ms).then(|| (client.clone(), slowest))
    }

    fn evict(&mut self, client: &Client, slot: &Arc<Slot>) {
        self.give_back(client, slot.bytes.swap(0, Ordering::Relaxed));
        self.forget(client, slot);
        slot.is_evicted.store(true, Ordering::Relaxed);
        slot.evicted.notify_one();
    }

    fn give_back(&mut self, client: &Client, bytes: usize) {
        self.used -= bytes;
        if let Some(share) = self.shares.get_mut(client) {
            share.used -= bytes;
        }
    }

    /// Forgets a slot that holds nothing, and its client with the last one.
    fn forget(&mut self, client: &Client, slot: &Arc<Slot>) {
        let Some(share) = self.shares.get_mut(client) else { return };
        share.slots.retain(|known| !Arc::ptr_eq(known, slot));
        if share.slots.is_empty() {
            self.shares.remove(client);
        }
    }
}

impl Share {
    /// The slot, other than `own`, whose client is closest to being too slow.
    fn slowest(&self, own: &Arc<Slot>) -> Option<Arc<Slot>> {
        let deadline_ms = |slot: &&Arc<Slot>| slot.deadline_ms.load(Ordering::Relaxed);
        let waiting = self.slots.iter().filter(|slot| !Arc::ptr_eq(slot, own) && deadline_ms(slot) != NOT_WAITING);
        waiting.min_by_key(deadline_ms).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn memory() -> FairShares {
        FairShares::new(ShareSizes { large: 100, small: 20, small_max: 4 }, PATIENCE)
    }

    /// Holds so many bytes for this client, if there is room.
    fn hold(memory: &FairShares, number: u8, bytes: usize) -> Option<HeldShare> {
        let mut held = memory.hold(Client::numbered(number));
        held.resize(bytes).then_some(held)
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_leaves_room_for_another() {
        let memory = memory();
        let held: Vec<_> = (0..10).filter_map(|_| hold(&memory, 1, 10)).collect();
        assert_eq!(held.len(), 5, "half of it");
        assert!(hold(&memory, 2, 50).is_some());
        let small: Vec<_> = (0..10).filter_map(|_| hold(&memory, 1, 4)).collect();
        assert_eq!(small.len(), 3, "what is small has a reserve, of which the same is true");
        assert!(hold(&memory, 2, 4).is_some());
        drop((held, small));
        assert_eq!(memory.used(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_grows_leaves_the_reserve_of_the_small() {
        let memory = memory();
        let mut held = hold(&memory, 1, 4).unwrap();
        assert!(held.resize(30) && held.resize(20));
        let tiers = memory.pool.lock().each_ref().map(|tier| tier.used);
        assert_eq!((tiers, held.bytes()), ([0, 20], 20));
        assert!(!held.resize(101));
        assert_eq!(held.bytes(), 20);
        drop(held);
        assert_eq!(memory.used(), 0);
        assert!(memory.pool.lock().iter().all(|tier| tier.shares.is_empty()), "clients that are gone are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_of_the_greediest_client_makes_room_for_others() {
        let memory = memory();
        let mut greedy: Vec<_> = (0..5).map(|_| hold(&memory, 1, 10).unwrap()).collect();
        let others: Vec<_> = (2..5).map(|number| hold(&memory, number, 12).unwrap()).collect();
        assert!(hold(&memory, 5, 15).is_none(), "none of them waits for its client");
        for (number, held) in (1..).zip(&greedy) {
            held.waits(Instant::now() + PATIENCE * number / 10);
        }
        greedy[0].works();
        let newcomer = hold(&memory, 5, 15).unwrap();
        assert_eq!(greedy.iter().map(HeldShare::is_evicted).collect::<Vec<_>>(), [false, true, false, false, false]);
        greedy[1].evicted().await;
        assert!(!greedy[1].resize(1) && greedy[1].bytes() == 0, "it gets nothing more");
        assert!(others.iter().all(|held| !held.is_evicted()));
        drop((greedy, others, newcomer));
        assert_eq!(memory.used(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn among_the_requests_of_a_client_only_stalled_ones_make_room() {
        let memory = memory();
        let held: Vec<_> = (0..5).map(|_| hold(&memory, 1, 10).unwrap()).collect();
        held.iter().for_each(|held| held.waits(Instant::now() + PATIENCE));
        assert!(hold(&memory, 1, 10).is_none(), "all of them are as fast as can be");
        tokio::time::advance(PATIENCE / 5).await;
        assert!(hold(&memory, 1, 10).is_some());
        assert_eq!(held.iter().filter(|held| held.is_evicted()).count(), 1);
    }
}
