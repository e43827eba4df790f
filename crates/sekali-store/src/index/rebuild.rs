//! Builds an index anew from its entries.

use std::path::PathBuf;
use std::sync::Arc;

use super::entry::Entry;
use super::handle::Index;
use super::open::remove_leftovers;
use super::options::IndexOptions;
use crate::disk::Disk;
use crate::error::Result;
use crate::manifest::{Manifest, ManifestFile};

/// Entries inserted at a time.
const BATCH: usize = 10_000;

impl Index {
    /// Makes the manifest forget every run, so that the next start finds an empty index and fills
    /// it from the log. This index still serves look-ups, but writes nothing any more. For a caller
    /// that has found it damaged.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn forget(&self) -> Result<()> {
        // A step in progress ends first: it must not add to a manifest that has forgotten the rest.
        let _progress = self.core.progress();
        self.core.signals.close();
        self.core.manifest.update(Manifest::forget_runs)
    }

    /// Lets the next start check every run, and mend those that are damaged. For a caller that has
    /// found one.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn distrust(&self) -> Result<()> {
        self.core.manifest.update(|manifest| manifest.rebuild_index = true)
    }

    /// Forgets all runs and builds new ones from `entries`, which are all entries of the store in
    /// order of seq, in bounded memory, and on a full disk in the space of the old runs. After an
    /// interruption the runs made so far are live, and [`Index::covered_seq`] tells how far they
    /// reach.
    ///
    /// # Errors
    /// The first error among `entries`, and I/O errors.
    pub(crate) fn rebuild(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        manifest: Arc<ManifestFile>,
        options: IndexOptions,
        entries: impl IntoIterator<Item = Result<Entry>>,
    ) -> Result<Self> {
        match manifest.update(Manifest::forget_runs) {
            Err(error) if error.is_full() => {
                // The old runs have the space that is needed. After an interruption they are
                // missing, and the next start forgets them.
                remove_leftovers(&*disk, &dir, &[])?;
                manifest.update(Manifest::forget_runs)?;
            }
            forgotten => forgotten.and_then(|()| remove_leftovers(&*disk, &dir, &[]))?,
        }
        let index = Self::open(disk, dir, manifest, options)?;
        let mut batch = Vec::with_capacity(BATCH);
        for entry in entries {
            batch.push(entry?);
            if batch.len() == BATCH {
                index.health()?;
                index.insert(&batch)?;
                batch.clear();
            }
        }
        index.insert(&batch)?;
        index.flush()?;
        Ok(index)
    }
}
