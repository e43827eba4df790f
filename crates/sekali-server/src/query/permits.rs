//! A bounded number of reads that go on for long. One that gets no permit is refused.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::QueryError;

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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_permit_is_refused_and_permits_come_back() {
        let reads = ReadPermits::new(1);
        let permit = reads.enter().unwrap();
        assert!(matches!(reads.enter(), Err(QueryError::Busy)));
        drop(permit);
        assert!(reads.enter().is_ok());
    }
}
