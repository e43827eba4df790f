//! A queue in which no client waits behind all that another one has queued.
//!
//! Items of one client keep their order. Between clients it is fair in bytes (self-clocked fair
//! queueing, Golestani 1994): an item ranks behind the one before it of its client, or behind the
//! last one taken, by its own size. So what is small and rare goes first, and what is large is not
//! put off for ever. As long as all is taken at a time, nothing is ranked.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Client;

/// Items of clients, in a fair order.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    /// Not ranked yet, in the order they came.
    arrived: VecDeque<Queued<T>>,
    /// By rank, and then in the order they came.
    ranked: BTreeMap<(u64, u64), Queued<T>>,
    /// The rank of the last item of each client.
    last: HashMap<Client, u64>,
    /// The rank of the last item that was taken.
    reached: u64,
    /// Items ranked so far.
    count: u64,
    /// Of all items.
    bytes: usize,
}

#[derive(Debug)]
struct Queued<T> {
    client: Client,
    bytes: usize,
    item: T,
}

/// How much is taken at a time, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portion {
    /// Items are taken up to and including the one that reaches this.
    pub(crate) bytes: usize,
    /// Behind them, those that are next and small, as long as they fit into this.
    pub(crate) small: usize,
    /// Most bytes of a small item.
    pub(crate) small_max: usize,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { arrived: VecDeque::new(), ranked: BTreeMap::new(), last: HashMap::new(), reached: 0, count: 0, bytes: 0 }
    }
}

impl<T> FairQueue<T> {
    /// Appends an item of this size.
    pub(crate) fn push(&mut self, client: Client, bytes: usize, item: T) {
        self.bytes += bytes;
        self.arrived.push_back(Queued { client, bytes, item });
    }

    /// Bytes of all items.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is no item.
    pub(crate) fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.ranked.is_empty()
    }

    /// Takes the next items.
    pub(crate) fn take(&mut self, portion: Portion) -> Vec<T> {
        if self.bytes <= portion.bytes {
            return self.take_all();
        }
        self.rank_arrived();
        let (mut taken, mut bytes, mut small) = (Vec::new(), 0, portion.small);
        while let Some(next) = self.ranked.first_entry() {
            let size = next.get().bytes;
            if bytes >= portion.bytes {
                if size > portion.small_max || size > small {
                    break;
                }
                small -= size;
            }
            self.reached = next.key().0;
            bytes += size;
            taken.push(next.remove().item);
        }
        self.bytes -= bytes;
        let reached = self.reached;
        self.last.retain(|_, last| *last > reached);
        taken
    }

    /// Takes everything.
    pub(crate) fn take_all(&mut self) -> Vec<T> {
        let ranked = std::mem::take(&mut self.ranked).into_values();
        let all = ranked.chain(self.arrived.drain(..)).map(|queued| queued.item).collect();
        self.last.clear();
        (self.reached, self.count, self.bytes) = (0, 0, 0);
        all
    }

    fn rank_arrived(&mut self) {
        for queued in self.arrived.drain(..) {
            let last = self.last.entry(queued.client.clone()).or_default();
            *last = (*last).max(self.reached) + queued.bytes.max(1) as u64;
            self.ranked.insert((*last, self.count), queued);
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items are the numbers of their clients, and their places among the client's.
    fn queue(items: &[(u8, usize)]) -> FairQueue<(u8, usize)> {
        let mut queue = FairQueue::default();
        push(&mut queue, items);
        queue
    }

    fn push(queue: &mut FairQueue<(u8, usize)>, items: &[(u8, usize)]) {
        for (at, &(number, bytes)) in items.iter().enumerate() {
            queue.push(Client::numbered(number), bytes, (number, at));
        }
    }

    fn take(queue: &mut FairQueue<(u8, usize)>, bytes: usize) -> Vec<(u8, usize)> {
        queue.take(Portion { bytes, small: 0, small_max: 0 })
    }

    #[test]
    fn what_fits_is_taken_in_the_order_it_came() {
        let mut queue = queue(&[(1, 50), (2, 1), (1, 49)]);
        assert_eq!(queue.bytes(), 100);
        assert_eq!(take(&mut queue, 100), [(1, 0), (2, 1), (1, 2)]);
        assert!(queue.is_empty() && queue.bytes() == 0);
        assert_eq!(take(&mut queue, 100), []);
    }

    #[test]
    fn a_newcomer_does_not_wait_behind_all_that_another_client_has_queued() {
        let mut queue = queue(&[(1, 40), (1, 40), (1, 40), (1, 40), (2, 1), (2, 1)]);
        assert_eq!(take(&mut queue, 40), [(2, 4), (2, 5), (1, 0)]);
        push(&mut queue, &[(3, 1), (1, 40), (2, 30)]);
        assert_eq!(take(&mut queue, 70), [(3, 0), (2, 2), (1, 1)]);
        assert_eq!(take(&mut queue, 40), [(1, 2)]);
        assert_eq!(take(&mut queue, 41), [(1, 3), (1, 1)], "the order of a client is kept");
        assert!(queue.is_empty() && queue.last.is_empty());
    }

    #[test]
    fn a_large_item_is_not_put_off_for_ever_by_small_ones() {
        let mut queue = queue(&[(1, 1_000)]);
        let mut rounds = 0;
        loop {
            push(&mut queue, &[(2, 10); 10]);
            let taken = take(&mut queue, 50);
            rounds += 1;
            if taken.contains(&(1, 0)) {
                break;
            }
            assert!(rounds < 30, "the small ones have had {} bytes", rounds * 50);
        }
        assert!(rounds >= 20, "the small ones come first: {rounds}");
    }

    #[test]
    fn small_items_that_are_next_still_go_along() {
        let portion = Portion { bytes: 40, small: 3, small_max: 2 };
        let mut queue = queue(&[(1, 90), (1, 90), (2, 89), (2, 1), (2, 1), (3, 91), (2, 2), (2, 1)]);
        assert_eq!(queue.take(portion), [(2, 2)]);
        push(&mut queue, &[(4, 1), (4, 2), (4, 1)]);
        assert_eq!(queue.take(Portion { bytes: 0, ..portion }), [], "the next is large");
        assert_eq!(queue.take(portion), [(1, 0), (2, 3), (4, 0), (2, 4)], "and no more than there is room for");
    }

    #[test]
    fn clients_that_have_nothing_queued_are_forgotten() {
        let mut queue = queue(&[(1, 10), (2, 10), (3, 30), (4, 40)]);
        take(&mut queue, 20);
        assert_eq!(queue.last.len(), 2);
        assert_eq!(queue.take_all(), [(3, 2), (4, 3)]);
        assert!(queue.last.is_empty() && queue.is_empty());
    }
}
