//! Mends an index with damaged runs. What is sound of them is kept; the rest comes from the events
//! that are still stored, and what has expired since is lost.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::Entry;
use super::open;
use super::plan;
use super::run::{self, Run, RunWriter};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::invariant::invariant;
use crate::manifest::{Lost, ManifestFile, RunInfo};

/// An index with damaged runs, while it is being mended. Holds at most one table of entries in
/// memory. The manifest names the damaged runs until [`IndexMend::finish`].
#[derive(Debug)]
pub(crate) struct IndexMend {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    manifest: Arc<ManifestFile>,
    table_entries: usize,
    sound: Vec<Arc<Run>>,
    damaged: Vec<RunInfo>,
    /// The faults of the damaged ones.
    what: String,
    /// Runs of entries that were found.
    made: Vec<Arc<Run>>,
    missing: Vec<Entry>,
    next_run: u64,
    /// Entries of damaged runs that were not found yet.
    lost: u64,
    /// Whether keys of events are added that were lost and are back, whatever their seqs.
    takes_all: bool,
}

impl IndexMend {
    /// Checks the runs that the manifest names. `None` where all are sound.
    ///
    /// # Errors
    /// I/O errors, and [`Error::NewerFormat`].
    pub(crate) fn begin(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        manifest: &Arc<ManifestFile>,
        table_entries: usize,
    ) -> Result<Option<Self>> {
        let live = manifest.get();
        let mut runs = open_runs(&**disk, dir, &live.runs, live.rebuild_index)?;
        if !runs.damaged.is_empty() && !live.rebuild_index {
            // What is looked up in the others must be there.
            runs = open_runs(&**disk, dir, &live.runs, true)?;
        }
        if runs.damaged.is_empty() {
            if live.rebuild_index {
                manifest.update(|manifest| manifest.rebuild_index = false)?;
            }
            return Ok(None);
        }
        Ok(Some(Self {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            manifest: Arc::clone(manifest),
            table_entries,
            lost: runs.damaged.iter().map(|info| info.entries).sum(),
            takes_all: false,
            sound: runs.sound,
            damaged: runs.damaged,
            what: runs.what.join("; "),
            made: Vec::new(),
            missing: Vec::new(),
            next_run: open::next_run(&**disk, dir, &live)?,
        }))
    }

    /// An index that lacks keys of events that were lost and are back. Its runs are sound.
    ///
    /// # Errors
    /// I/O errors, and [`Error::Damaged`].
    pub(crate) fn of_returned(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        manifest: &Arc<ManifestFile>,
        table_entries: usize,
    ) -> Result<Self> {
        let live = manifest.get();
        let runs = open_runs(&**disk, dir, &live.runs, false)?;
        if !runs.damaged.is_empty() {
            return Err(Error::Damaged { path: dir.to_owned(), what: runs.what.join("; ") });
        }
        Ok(Self {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            manifest: Arc::clone(manifest),
            table_entries,
            lost: 0,
            takes_all: true,
            sound: runs.sound,
            damaged: Vec::new(),
            what: String::new(),
            made: Vec::new(),
            missing: Vec::new(),
            next_run: open::next_run(&**disk, dir, &live)?,
        })
    }

    /// The damage that is mended.
    pub(crate) fn error(&self) -> Error {
        Error::Damaged { path: self.dir.clone(), what: self.what.clone() }
    }

    /// Keeps the entries of the sound blocks of the damaged runs.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn keep_sound_blocks(&mut self) -> Result<()> {
        for info in self.damaged.clone() {
            let mut entries = 0;
            run::visit_sound(&*self.disk, &self.dir, &info, |_| {
                entries += 1;
                Ok(())
            })?;
            if entries == 0 {
                continue;
            }
            let mut writer = self.writer(RunInfo { entries, ..info })?;
            run::visit_sound(&*self.disk, &self.dir, &info, |entry| writer.push(&entry))?;
            self.take(writer.finish()?);
        }
        Ok(())
    }

    /// Whether a damaged run had an entry with this seq, or may have had.
    pub(crate) fn wants(&self, seq: u64) -> bool {
        self.takes_all || self.damaged.iter().any(|info| (info.first_seq..=info.last_seq).contains(&seq))
    }

    /// Whether it wants any of these seqs.
    pub(crate) fn wants_any(&self, seqs: &RangeInclusive<u64>) -> bool {
        self.damaged.iter().any(|info| info.first_seq <= *seqs.end() && *seqs.start() <= info.last_seq)
    }

    /// Takes entries of events that are stored; those that no run has are written down.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn add(&mut self, entries: &[Entry]) -> Result<()> {
        let fingerprints: Vec<_> = entries.iter().map(|entry| entry.fingerprint).collect();
        let (keys, mut found) = (run::sorted_keys(&fingerprints)?, Vec::new());
        for run in self.sound.iter().chain(&self.made) {
            run.look_up(&fingerprints, &keys, &mut found)?;
        }
        found.sort_unstable();
        for (at, entry) in entries.iter().enumerate() {
            if self.wants(entry.seq) && found.binary_search(&(at, *entry)).is_err() {
                self.missing.push(*entry);
            }
            if self.missing.len() >= self.table_entries {
                self.write_missing()?;
            }
        }
        Ok(())
    }

    /// Puts the runs that were made in the place of the damaged ones.
    ///
    /// # Errors
    /// I/O errors. The manifest is then as it was.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.write_missing()?;
        let Self { manifest, damaged, made, next_run, lost, .. } = self;
        invariant!(!damaged.is_empty(), "an index without a damaged run was mended");
        let is_numbered = |run: &Arc<Run>| run.info().number < next_run;
        invariant!(made.iter().all(is_numbered), "a run that was mended has a number that is given again");
        manifest.update(|manifest| {
            manifest.runs.retain(|run| damaged.iter().all(|damaged| damaged.number != run.number));
            manifest.runs.extend(made.iter().map(|run| *run.info()));
            manifest.next_run = manifest.next_run.max(next_run);
            manifest.rebuild_index = false;
            if let Some(expired) = manifest.expired.as_mut().filter(|_| lost > 0) {
                damaged.iter().for_each(|run| expired.forget(run.first_seq..=run.last_seq));
            }
        })
    }

    /// Adds the runs that were made, and shows these events again.
    ///
    /// # Errors
    /// I/O errors. The manifest is then as it was.
    pub(crate) fn finish_returned(mut self, returned: &[Lost]) -> Result<()> {
        self.write_missing()?;
        let Self { manifest, made, next_run, damaged, .. } = self;
        invariant!(damaged.is_empty(), "events are taken back while the index is damaged");
        let is_numbered = |run: &Arc<Run>| run.info().number < next_run;
        invariant!(made.iter().all(is_numbered), "a run of returned keys has a number that is given again");
        manifest.take_back(|manifest| {
            manifest.runs.extend(made.iter().map(|run| *run.info()));
            manifest.next_run = manifest.next_run.max(next_run);
            manifest.lost.retain(|lost| !returned.contains(lost));
        })
    }

    fn write_missing(&mut self) -> Result<()> {
        let mut entries = std::mem::take(&mut self.missing);
        entries.sort_unstable();
        entries.dedup();
        let seqs = entries.iter().map(|entry| entry.seq);
        let Some((first_seq, last_seq)) = seqs.clone().min().zip(seqs.max()) else { return Ok(()) };
        invariant!(self.wants(first_seq) && self.wants(last_seq), "entries were added that no damaged run had");
        let mut writer =
            self.writer(RunInfo { number: 0, entries: entries.len() as u64, first_seq, last_seq, checksum: 0 })?;
        entries.iter().try_for_each(|entry| writer.push(entry))?;
        self.take(writer.finish()?);
        Ok(())
    }

    /// Begins the next run.
    fn writer(&mut self, info: RunInfo) -> Result<RunWriter> {
        let number = self.next_run;
        self.next_run += 1;
        let total: u64 = self.sound.iter().chain(&self.made).map(|run| run.info().entries).sum();
        let bits = plan::filter_bits(info.entries, total + info.entries);
        RunWriter::create(&self.disk, &self.dir, RunInfo { number, checksum: 0, ..info }, bits)
    }

    fn take(&mut self, run: Run) {
        self.lost = self.lost.saturating_sub(run.info().entries);
        self.made.push(Arc::new(run));
    }
}

/// Runs as a start finds them.
#[derive(Default)]
struct FoundRuns {
    sound: Vec<Arc<Run>>,
    damaged: Vec<RunInfo>,
    what: Vec<String>,
}

/// Opens runs; if it is to be `thorough`, reads all of them.
fn open_runs(disk: &dyn Disk, dir: &Path, runs: &[RunInfo], thorough: bool) -> Result<FoundRuns> {
    let mut found = FoundRuns::default();
    for info in runs {
        let opened = Run::open(disk, dir, info).and_then(|run| {
            let mut next = thorough.then_some(0);
            while let Some(block) = next {
                (next, _) = run.check(block)?;
            }
            Ok(run)
        });
        match opened {
            Ok(run) => found.sound.push(Arc::new(run)),
            Err(error) => {
                found.what.push(open::why_lost(info, error)?);
                found.damaged.push(*info);
            }
        }
    }
    Ok(found)
}
