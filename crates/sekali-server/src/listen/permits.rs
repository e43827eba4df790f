//! How many connections there may be, in all and from one address.
//!
//! One client cannot keep all others out by opening connections. A loopback address may have all of
//! them: the clients behind it (proxies, port forwarding) cannot be told apart.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clients::network;
use crate::limits::CONNECTIONS_SHARE_OF_ADDRESS;

/// The places for connections.
#[derive(Debug)]
pub(super) struct ConnectionPermits {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address_max: usize,
}

/// A free permit, for the next client.
#[derive(Debug)]
pub(super) struct FreePermit(OwnedSemaphorePermit);

/// The place of a connection. Free again when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    network: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionPermits {
    /// At most `max` connections.
    pub(super) fn new(max: usize) -> Self {
        let per_address_max = (max / CONNECTIONS_SHARE_OF_ADDRESS).max(1);
        Self { free: Arc::new(Semaphore::new(max)), taken: Arc::default(), per_address_max }
    }

    /// Waits for a place.
    pub(super) async fn wait(&self) -> Option<FreePermit> {
        // The only error is that of a semaphore that was closed, which this one never is.
        Arc::clone(&self.free).acquire_owned().await.ok().map(FreePermit)
    }

    /// Gives `place` to a client, unless it has too many.
    pub(super) fn take(&self, place: FreePermit, client: IpAddr) -> Option<ConnectionPermit> {
        let network = network(client);
        let mut taken = lock(&self.taken);
        let count = taken.entry(network).or_default();
        if *count >= self.per_address_max && !network.is_loopback() {
            return None;
        }
        *count += 1;
        Some(ConnectionPermit { network, taken: Arc::clone(&self.taken), _permit: place.0 })
    }
}

impl ConnectionPermit {
    /// The network of its client.
    pub(super) fn network(&self) -> IpAddr {
        self.network
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

/// Nothing panics while this is held, and the counts are right even if something did.
fn lock(taken: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `clients` get a place where there are eight, two for each address, and what they
    /// hold.
    fn admitted(places: &ConnectionPermits, clients: &[&str]) -> Vec<ConnectionPermit> {
        let take = |client: &&str| {
            let free = Arc::clone(&places.free).try_acquire_owned().unwrap();
            places.take(FreePermit(free), client.parse().unwrap())
        };
        clients.iter().filter_map(take).collect()
    }

    #[test]
    fn one_address_cannot_take_the_places_of_all_others() {
        let places = ConnectionPermits::new(8);
        let mut held = admitted(&places, &["10.0.0.1", "10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"]);
        assert_eq!(held.len(), 3);
        assert_eq!(places.free.available_permits(), 5, "who is turned away takes no place");
        drop(held.remove(0));
        held.extend(admitted(&places, &["10.0.0.1", "10.0.0.1"]));
        assert_eq!(held.len(), 3);
        held.clear();
        assert_eq!(lock(&places.taken).len(), 0, "nothing is remembered of clients that are gone");
        assert_eq!(places.free.available_permits(), 8);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let places = ConnectionPermits::new(8);
        let one_network = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::3"];
        let held = admitted(&places, &one_network);
        assert_eq!(held.len(), 2);
        assert_eq!(admitted(&places, &["2001:db8:1:3::1"]).len(), 1);
    }

    #[test]
    fn this_machine_may_have_all_places() {
        for loopback in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(admitted(&ConnectionPermits::new(8), &[loopback; 8]).len(), 8, "{loopback}");
        }
    }
}
