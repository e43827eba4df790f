//! Events lost to damage: in memory for every read, and in the manifest for good.

use std::sync::{Arc, OnceLock};

use crate::damage::{Damage, DamageList};
use crate::error::{Error, Result};
use crate::invariant::invariant;
use crate::manifest::ManifestFile;

/// Takes the damage that reads come upon.
#[derive(Debug)]
pub(super) struct Losses {
    pub(super) known: DamageList,
    manifest: Arc<ManifestFile>,
    /// Whether nothing is committed once events are lost.
    stops: bool,
    /// Why nothing is committed any more.
    stopped: OnceLock<String>,
}

/// Why a partition stops that must not lose events.
pub(super) fn stop_reason(what: &str) -> String {
    format!("{what}: its outcomes would no longer be those of its other replicas; replace it by a copy of one of them")
}

impl Losses {
    pub(super) fn new(known: DamageList, manifest: Arc<ManifestFile>, stops: bool) -> Self {
        Self { known, manifest, stops, stopped: OnceLock::new() }
    }

    /// Why nothing is committed any more, if nothing is.
    pub(super) fn stopped(&self) -> Option<&String> {
        self.stopped.get()
    }

    /// # Errors
    /// [`Error::Stopped`] once nothing is committed any more.
    pub(super) fn check(&self) -> Result<()> {
        self.stopped().map_or(Ok(()), |reason| Err(Error::Stopped(reason.clone())))
    }

    /// Names what a read found to be lost, and notes it for good: events published again in its
    /// place are never joined by what may yet be readable of it.
    pub(super) fn record(&self, found: &[Damage]) {
        let news: Vec<_> = found.iter().flat_map(|damage| self.known.report(damage)).collect();
        if let Some(lost) = news.iter().find(|damage| self.stops && damage.costs_events()) {
            // It is not written down, so no key counts as unknown.
            self.stopped.get_or_init(|| stop_reason(&lost.to_string()));
        } else if !news.is_empty() {
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
        self.check()?;
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

    /// Notes for good that these losses are accepted, and that keys up to a seq are forgotten, if
    /// that was shown. What was found since stays open. Returns how many places that were.
    pub(super) fn accept(&self, shown: &[Damage], forgotten_seq: Option<u64>) -> Result<usize> {
        if self.stops {
            let what = "what a replica has lost cannot be accepted: replace it by a copy of another".to_owned();
            return Err(Error::Invalid(what));
        }
        let mut open = self.known.open();
        open.retain(|damage| shown.contains(damage));
        self.manifest.update(|manifest| {
            manifest.accept_losses(&open);
            let expired = manifest.expired.as_mut().filter(|expired| Some(expired.forgotten_seq) == forgotten_seq);
            expired.into_iter().for_each(|expired| expired.accepted = true);
        })?;
        self.known.note_recorded(&open);
        self.known.accept(&open);
        invariant!(open.iter().all(|lost| self.known.covers_all(lost.seqs())), "a loss was accepted and is not known");
        Ok(open.len())
    }
}
