//! The handle that marks how far the log of a partition is durable.

use std::sync::Arc;

use super::shared::Shared;
use crate::error::Result;

/// Writes down, beside the commits, how far the log is durable. Cheap to clone.
///
/// To be called about once a second, also under load: whatever is then lost of the end of the log
/// before a mark is found to be damage, where it would otherwise look like an unfinished commit.
#[derive(Debug, Clone)]
pub struct Marker {
    shared: Arc<Shared>,
}

impl Marker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Marks everything as durable that has been synced, unless that is known. Costs a write and a
    /// sync of a small file of its own; no commit waits for it.
    ///
    /// # Errors
    /// I/O errors. Nothing that was answered is at stake, and a later call may succeed.
    pub fn mark(&self) -> Result<()> {
        match self.shared.manifest.noted() {
            Some(place) => self.shared.mark.write(place),
            None => Ok(()),
        }
    }
}
