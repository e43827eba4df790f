//! Gives an index that is mended the keys of the events that are stored.

use std::sync::Arc;

use crate::damage::{Damage, DamageList};
use crate::error::{Error, IoContext, Result};
use crate::event::EventRef;
use crate::hash::KeyHasher;
use crate::index::{Entry, IndexMend};
use crate::log::dir::LogDir;
use crate::log::file::{self, SUFFIX};
use crate::log::open;
use crate::segment::{RowQuery, Segment};

/// The events of a partition, before its log is opened.
pub(super) struct StoredEvents<'a> {
    pub(super) segments: &'a [Arc<Segment>],
    pub(super) log: &'a LogDir,
    /// Files of the log that begin with an earlier commit have been sealed.
    pub(super) first_commit: u64,
    pub(super) known: &'a DamageList,
    pub(super) hasher: KeyHasher,
}

impl StoredEvents<'_> {
    /// Mends an index, and names events that turn out to be lost.
    ///
    /// # Errors
    /// I/O errors. The index is then as it was.
    pub(super) fn mend(&self, mut mend: IndexMend) -> Result<()> {
        mend.keep_sound_blocks()?;
        self.add_sealed(&mut mend)?;
        let names = self.log.disk.list(&self.log.dir).at("list", &self.log.dir)?;
        for path in names.iter().filter(|name| name.ends_with(SUFFIX)).map(|name| self.log.dir.join(name)) {
            if file::begins(&path)?.1 < self.first_commit {
                continue;
            }
            let mut added = Ok(());
            open::visit_blocks(self.log, &path, |block| {
                let entries: Vec<_> = block.rows().filter_map(|(seq, event)| self.entry(&mend, seq, &event)).collect();
                if added.is_ok() {
                    added = mend.add(&entries);
                }
            })?;
            added?;
        }
        mend.finish()
    }

    fn add_sealed(&self, mend: &mut IndexMend) -> Result<()> {
        for segment in self.segments {
            for (number, group) in segment.row_groups().iter().enumerate() {
                let seqs = group.first_seq..=group.last_seq;
                if !mend.wants_any(&seqs) || self.known.covers_all(seqs) {
                    continue;
                }
                let mut entries = Vec::new();
                let visited = segment.visit(number, &RowQuery::default(), |seq, _, event| {
                    entries.extend(self.entry(mend, seq, &event));
                });
                match visited {
                    Err(Error::Damaged { path, .. }) => {
                        let (first_seq, last_seq) = (group.first_seq, group.last_seq);
                        self.known.report(&Damage { path, offset: 0, first_seq, last_seq });
                    }
                    visited => visited?,
                }
                mend.add(&entries)?;
            }
        }
        Ok(())
    }

    fn entry(&self, mend: &IndexMend, seq: u64, event: &EventRef<'_>) -> Option<Entry> {
        if !mend.wants(seq) || self.known.covers(seq) {
            return None;
        }
        let hash = self.hasher.hash(event);
        Some(Entry { fingerprint: hash.fingerprint, seq, content: hash.content })
    }
}
