//! Events lost to damage: in memory for every read, and in the manifest for good.

use std::sync::Arc;

use crate::damage::{Damage, DamageList};
use crate::error::Result;
use crate::invariant::invariant;
use crate::manifest::ManifestFile;

/// Takes the damage that reads come upon.
#[derive(Debug)]
pub(super) struct Losses {
    pub(super) known: DamageList,
    manifest: Arc<ManifestFile>,
}

impl Losses {
    pub(super) fn new(known: DamageList, manifest: Arc<ManifestFile>) -> Self {
        Self { known, manifest }
    }

    /// Names what a read found to be lost, and notes it for good: events published again in its
    /// place are never joined by what may yet be readable of it.
    pub(super) fn record(&self, found: &[Damage]) {
        let news = found.iter().flat_map(|damage| self.known.report(damage)).count();
        if news > 0 {
            // If it cannot be written, it stays named, and no commit counts it as lost.
            let _ = self.settle();
        }
    }

    /// Writes down what was named and could not be written down then. Only after that are keys
    /// unknown and rows hidden, so no event is ever read twice.
    ///
    /// # Errors
    /// I/O errors. What was named stays so, and a later call may succeed.
    pub(super) fn settle(&self) -> Result<()> {
        let damage = self.known.unrecorded();
        if damage.is_empty() {
            return Ok(());
        }
        self.manifest.update(|manifest| damage.iter().for_each(|damage| manifest.record_loss(damage)))?;
        self.known.note_recorded(&damage);
        let is_hidden = |damage: &Damage| self.known.covers_all(damage.seqs());
        invariant!(damage.iter().all(is_hidden), "a loss was written down and is not known");
        Ok(())
    }

    /// Notes for good that all known losses are accepted. Returns how many places that were.
    pub(super) fn accept(&self) -> Result<usize> {
        let open = self.known.open();
        self.manifest.update(|manifest| {
            open.iter().for_each(|damage| manifest.record_loss(damage));
            manifest.lost.iter_mut().for_each(|lost| lost.accepted = true);
            manifest.expired.iter_mut().for_each(|expired| expired.accepted = true);
        })?;
        self.known.note_recorded(&open);
        self.known.accept();
        Ok(open.len())
    }
}
