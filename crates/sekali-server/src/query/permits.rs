//! Reads of files: on threads that may block, and a bounded number at a time.
//!
//! A read that gets no permit is refused. Nothing would bound a queue of reads, and the client
//! would have gone by the time its turn came.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{QueryError, off_thread};

/// ReadPermits for readings. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct ReadPermits {
    free: Arc<Semaphore>,
}

/// The permit of one read. Free again when dropped.
#[derive(Debug)]
pub struct ReadPermit {
    _permit: OwnedSemaphorePermit,
}

impl ReadPermits {
    /// At most `max` reads at a time.
    pub fn new(max: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(max)) }
    }

    /// Takes a permit.
    ///
    /// # Errors
    /// [`QueryError::Busy`]: there is none left.
    pub fn enter(&self) -> Result<ReadPermit, QueryError> {
        let permit = Arc::clone(&self.free).try_acquire_owned();
        let permit = permit.map_err(|_| QueryError::Busy)?;
        Ok(ReadPermit { _permit: permit })
    }

    /// Runs `read` on a thread that may block. The permit is held until the read ends, even if its
    /// client has gone.
    pub async fn run<T: Send + 'static, E: From<QueryError> + Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let permit = self.enter()?;
        let read = move || {
            let outcome = read();
            drop(permit);
            outcome
        };
        off_thread(read).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_finds_no_permit_is_refused_and_permits_come_back() {
        let reads = ReadPermits::new(1);
        let permit = reads.enter().unwrap();
        let refused = reads.run::<_, QueryError>(|| Ok(1)).await.unwrap_err();
        assert!(matches!(refused, QueryError::Busy));
        drop(permit);
        assert_eq!(reads.run::<_, QueryError>(|| Ok(1)).await.unwrap(), 1);
        assert!(reads.run(|| Err::<(), _>(QueryError::InvalidCursor)).await.is_err());
        assert_eq!(reads.free.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_reading_that_nobody_waits_for_keeps_its_permit_until_it_ends() {
        let reads = ReadPermits::new(1);
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let waiting = tokio::spawn({
            let reads = reads.clone();
            async move { reads.run::<_, QueryError>(move || Ok(wait.recv().is_ok())).await }
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
