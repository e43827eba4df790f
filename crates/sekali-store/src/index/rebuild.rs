//! Builds an index afresh from the entries themselves.

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
    /// Lets the manifest forget every run, so that the next start finds an empty index and fills it from the log. This
    /// index answers as before, but writes nothing any more. For an owner who has found it damaged.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn forget(&self) -> Result<()> {
        // A step in flight ends first: it must not add to a manifest that has forgotten what came before.
        let _progress = self.core.progress();
        self.core.signals.close();
        self.core.manifest.update(Manifest::forget_runs)
    }

    /// Forgets all runs and builds new ones from `entries`, which are all entries of the store with ascending seqs, in
    /// bounded memory, and on a full disk in the space of the old ones. If it is cut short, the runs made so far are live, and
    /// [`Index::covered_seq`] says how far they reach.
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
                // There is space where the runs are. If this is cut short they are missing, and so forgotten by the next start.
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
