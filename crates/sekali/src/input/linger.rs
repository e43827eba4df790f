//! Live input: events that came through a pipe are sent soon, even if no others follow to fill
//! their batch.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc;

use super::Feed;
use sekali_client::Batches;

/// How long an event may wait for others to join its batch; it can be twice that before anybody
/// looks.
pub(super) const LINGER: Duration = Duration::from_millis(250);

/// Batches that are gathered by one thread and looked after by another.
pub(super) type Shared = Arc<Mutex<Batches>>;

/// Starts a thread that hands on what has waited too long. It ends with the reader that owns
/// `batches` and `sender`.
pub(super) fn look_after(batches: &Shared, sender: &mpsc::Sender<Feed>) {
    let (batches, sender) = (Arc::downgrade(batches), sender.downgrade());
    std::thread::spawn(move || while look(&batches, &sender) {});
}

/// Looks once; whether to look again.
fn look(batches: &Weak<Mutex<Batches>>, sender: &mpsc::WeakSender<Feed>) -> bool {
    std::thread::sleep(LINGER);
    let Some(batches) = batches.upgrade() else { return false };
    // The lock is let go before anybody waits for the receiver.
    let batch = batches.lock().unwrap_or_else(PoisonError::into_inner).take_after(LINGER);
    match (batch, sender.upgrade()) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(batch), Some(sender)) => sender.blocking_send(Feed::Batch(batch)).is_ok(),
    }
}
