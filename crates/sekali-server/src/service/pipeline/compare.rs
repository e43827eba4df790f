//! Compares the events of batches that were set aside with what is stored, beside the committers.

use std::io;

use sekali_store::{Batch, Preview, Reader};
use tracing::error;

use super::CommitError;
use crate::clients::{Client, Rooms, Workers};
use crate::limits::{COMPARED_BYTES_MAX, COMPARISONS_MAX};
use crate::spent::Stage;

/// Compares some batches at a time. Others wait, and clients take turns.
#[derive(Debug)]
pub(super) struct Comparer {
    /// One for every partition, by number.
    readers: Vec<Reader>,
    workers: Workers,
    rooms: Rooms,
}

impl Comparer {
    pub(super) fn start(readers: Vec<Reader>) -> io::Result<Self> {
        let workers = Workers::start_threads("compare", Stage::LookUp, usize::MAX, COMPARISONS_MAX)?;
        Ok(Self { readers, workers, rooms: Rooms::new(COMPARED_BYTES_MAX) })
    }

    /// Compares the events of a batch, so that the next commit can decide it. A caller that has
    /// gone ends it before its turn.
    pub(super) async fn compare(&self, client: &Client, partition: u32, batch: Batch) -> Result<Batch, CommitError> {
        self.take_turn(client, partition, batch, |reader, mut batch| reader.compare(&mut batch).map(|()| batch)).await
    }

    /// The outcomes that the events of a batch would have.
    pub(super) async fn preview(
        &self,
        client: &Client,
        partition: u32,
        batch: Batch,
        received_at_ns: i64,
    ) -> Result<Vec<Preview>, CommitError> {
        let preview = move |reader: Reader, mut batch| reader.preview(&mut batch, received_at_ns);
        self.take_turn(client, partition, batch, preview).await
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        client: &Client,
        partition: u32,
        batch: Batch,
        work: impl FnOnce(Reader, Batch) -> sekali_store::Result<T> + Send + 'static,
    ) -> Result<T, CommitError> {
        let room = self.rooms.reserve(|| client.clone(), batch.bytes()).ok_or(CommitError::Overloaded)?;
        let reader = self.readers.get(partition as usize).cloned().ok_or(CommitError::ShuttingDown)?;
        let compare = move || {
            let _held = room;
            work(reader, batch)
        };
        let compared = self.workers.run_always(client.clone(), compare).await;
        compared.map_err(|_| CommitError::ShuttingDown)?.map_err(|error| {
            error!(error = &error as &dyn std::error::Error, "publishing refused: stored events cannot be compared");
            CommitError::Unreadable(error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Condvar, Mutex};

    use sekali_store::disk::memory::MemoryDisk;
    use sekali_store::{ContentRules, EventRef, HashKey, Outcome, StoreMeta, StoreOptions};

    use crate::service::Service;

    use super::*;

    /// Whether payloads may be compared.
    static IS_OPEN: Mutex<bool> = Mutex::new(true);
    static OPENED: Condvar = Condvar::new();

    const RULES: ContentRules = ContentRules {
        canonical: |payload| {
            drop(OPENED.wait_while(IS_OPEN.lock().unwrap(), |is_open| !*is_open).unwrap());
            Some(payload.trim_ascii().to_vec())
        },
        ..ContentRules::BYTES
    };

    #[tokio::test]
    async fn a_request_that_must_be_compared_holds_up_no_other() {
        let new = StoreMeta { store_id: 1, hash_key: HashKey([1; 32]), partitions: 1 };
        let options = StoreOptions::new().disk(Arc::new(MemoryDisk::new())).rules(RULES);
        let store = options.open_or_create(Path::new("/store"), &new).unwrap();
        let hasher = store.hasher();
        let batch = |event_id: &str, payload: &[u8]| {
            let mut batch = Batch::new();
            batch.push(&hasher, &EventRef { topic: "t", event_id, timestamp_ns: 0, source: "", payload });
            vec![(0, batch)]
        };
        let (service, committers, _) = Service::start(store).unwrap();
        let pipeline = service.pipeline().clone();
        assert_eq!(
            pipeline.commit(Client::numbered(1), batch("k", b"p")).await,
            Ok(vec![vec![Outcome::Stored { seq: 1 }]])
        );
        *IS_OPEN.lock().unwrap() = false;
        // More than are compared at a time.
        let compared: Vec<_> = [&b" p"[..], b"p ", b"q", b" p "]
            .into_iter()
            .map(|payload| {
                let (pipeline, batch) = (pipeline.clone(), batch("k", payload));
                tokio::spawn(async move { pipeline.commit(Client::numbered(1), batch).await })
            })
            .collect();
        for seq in 2..20 {
            let stored = pipeline.commit(Client::numbered(1), batch(&seq.to_string(), b"p")).await;
            assert_eq!(stored, Ok(vec![vec![Outcome::Stored { seq }]]));
        }
        assert!(compared.iter().all(|task| !task.is_finished()));
        *IS_OPEN.lock().unwrap() = true;
        OPENED.notify_all();
        let mut outcomes = Vec::new();
        for task in compared {
            outcomes.extend(task.await.unwrap().unwrap().concat());
        }
        let duplicate = Outcome::Duplicate { seq: 1 };
        assert_eq!(outcomes, [duplicate, duplicate, Outcome::Conflict { seq: 1 }, duplicate]);
        pipeline.close();
        tokio::task::spawn_blocking(|| committers.join()).await.unwrap();
    }
}
