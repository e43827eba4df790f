//! Readings from files: on threads that may block, and so many at a time.
//!
//! What finds no place is refused. If it waited, nothing would bound what waits, and its client would have gone by the
//! time it is read.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::blocking;
use super::error::{ApiError, Code};

/// Places for readings. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(super) struct Reads {
    free: Arc<Semaphore>,
}

/// The place of a reading. Free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Reads {
    /// So many at a time.
    pub(super) fn new(max: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(max)) }
    }

    /// Takes a place, or refuses.
    pub(super) fn enter(&self) -> Result<Place, ApiError> {
        let permit = Arc::clone(&self.free).try_acquire_owned();
        let permit = permit.map_err(|_| ApiError::new(Code::Overloaded, "too much is being read; try again"))?;
        Ok(Place { _permit: permit })
    }

    /// Reads, or refuses. The place is taken until the reading has ended, even if nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = self.enter()?;
        let read = move || {
            let outcome = read();
            drop(place);
            outcome
        };
        blocking::run(read).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_finds_no_place_is_refused_and_places_come_back() {
        let reads = Reads::new(1);
        let place = reads.enter().unwrap();
        let refused = reads.run(|| Ok(1)).await.unwrap_err();
        assert_eq!(refused.code, Code::Overloaded);
        drop(place);
        assert_eq!(reads.run(|| Ok(1)).await.unwrap(), 1);
        assert!(reads.run(|| Err::<(), _>(ApiError::new(Code::NotFound, "no"))).await.is_err());
        assert_eq!(reads.free.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_reading_that_nobody_waits_for_keeps_its_place_until_it_ends() {
        let reads = Reads::new(1);
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let waiting = tokio::spawn({
            let reads = reads.clone();
            async move { reads.run(move || Ok(wait.recv().is_ok())).await }
        });
        while reads.free.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        assert!(waiting.await.is_err());
        assert!(reads.enter().is_err());
        go_on.send(()).unwrap();
        while reads.free.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
    }
}
