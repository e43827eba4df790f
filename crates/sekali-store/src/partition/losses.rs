//! Events lost to damage: in memory for every read, and in the manifest for good.

use std::sync::Arc;

use crate::damage::{Damage, DamageList};
use crate::error::Result;
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

    /// Notes for good that events are lost, so that events published again in their place are never
    /// joined by what may yet be readable of them.
    pub(super) fn record_loss(&self, damage: &Damage) {
        let news = self.known.report(damage);
        if news.is_empty() {
            return;
        }
        // If it cannot be written, the next start finds the damage as this read did.
        let _ = self.manifest.update(|manifest| news.iter().for_each(|damage| manifest.record_loss(damage)));
    }

    /// Notes for good that all known losses are accepted. Returns how many places that were.
    pub(super) fn accept(&self) -> Result<usize> {
        let open = self.known.open();
        self.manifest.update(|manifest| {
            open.iter().for_each(|damage| manifest.record_loss(damage));
            manifest.lost.iter_mut().for_each(|lost| lost.accepted = true);
        })?;
        self.known.accept();
        Ok(open.len())
    }
}
