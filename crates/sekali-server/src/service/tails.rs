//! Live tails: events as they become durable, to as many clients as wait for them.
//!
//! ```text
//!  committers ──▶ Board ──▶ hub thread ──▶ TailGroup: reads once, gives each tail its events
//!                   ▲                        │ a client that takes none, or a tail too far behind
//!                   └── stream task ◀────────┘
//!                       reads from the store by itself until it has caught up
//! ```
//!
//! A tail that has caught up is an entry of the hub: it has no thread, no timer, and reads nothing.
//! The hub is woken by commits, reads what is new once for all tails, and only if a commit has
//! topics that one of them wants. A client that does not take its events in time goes back to its
//! own reading, at its own pace; nothing is ever left out.

mod board;
mod catch_up;
mod group;
mod hub;
mod interest;
mod output;
mod position;
mod stream;
mod tail;
mod wait;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use sekali_store::{Partition, Reader};
use tokio::sync::watch;

use crate::clients::Client;
use crate::clients::{FairShares, HeldShare};
use crate::limits::TAILS_MAX;
use crate::query::QueryError;
use board::{Board, BoardListener};
use hub::Hub;
pub(crate) use output::{OutputParts, TailLayout, TailOutput};
pub(crate) use position::TailPosition;
pub(crate) use stream::stream;
pub(crate) use tail::Tail;
pub(crate) use wait::Wait;

/// The live tails of a store. Cheap to clone; clones share. They end with [`Tails::close`], or the
/// last clone.
#[derive(Clone)]
pub(crate) struct Tails {
    shared: Arc<Shared>,
}

struct Shared {
    board: Arc<Board>,
    places: FairShares,
    closing: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Tails {
    /// Starts the hub of these partitions.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(super) fn start(partitions: &[Partition], readers: &Arc<[Reader]>) -> std::io::Result<Self> {
        let board = Arc::new(Board::new(partitions.len()));
        for (number, partition) in partitions.iter().enumerate() {
            partition.listen(Arc::new(BoardListener::new(number, Arc::clone(&board))));
        }
        let hub = Hub::new(Arc::clone(&board), Arc::clone(readers));
        let thread = thread::Builder::new().name("tail".to_owned()).spawn(move || hub.run())?;
        let (closing, _) = watch::channel(false);
        let (places, thread) = (FairShares::places(TAILS_MAX), Mutex::new(Some(thread)));
        Ok(Self { shared: Arc::new(Shared { board, places, closing, thread }) })
    }

    /// A place for a tail of `client`.
    ///
    /// # Errors
    /// [`QueryError::Busy`]: there are too many, in all or of this client.
    pub(crate) fn enter(&self, client: Client) -> Result<HeldShare, QueryError> {
        let mut place = self.shared.places.hold(client);
        if place.resize(1) { Ok(place) } else { Err(QueryError::Busy) }
    }

    /// Places that are taken.
    pub(super) fn open(&self) -> usize {
        self.shared.places.used()
    }

    /// Waits among the live tails. Returns the tail when it cannot stay there: its client takes no
    /// more, it is too far behind, or, without an output, an event has come for it. `None` where it
    /// has ended.
    async fn wait(&self, tail: Tail) -> Option<Tail> {
        self.shared.board.join(tail).await.ok()
    }

    /// Whether there are to be no more tails.
    pub(crate) fn is_closed(&self) -> bool {
        *self.shared.closing.borrow()
    }

    /// Waits until [`Tails::close`].
    async fn closed(&self) {
        // An error here is a service that is gone.
        let _ = self.shared.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Ends all tails, each with its cursor.
    pub(crate) fn close(&self) {
        self.shared.closing.send_replace(true);
        self.shared.board.close();
    }

    /// Waits until the hub has ended, which it does once it is closed. Blocks.
    pub(crate) fn join(&self) {
        self.shared.join();
    }
}

impl Shared {
    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // After a panic there is nothing left to do.
        thread.map(JoinHandle::join).map(drop).unwrap_or_default();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The hub has readers, and with them the lock of the store.
        self.board.close();
        self.join();
    }
}
