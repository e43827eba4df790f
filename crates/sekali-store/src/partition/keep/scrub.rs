//! Reads everything that a partition has on disk, a little at a time, and checks it: damage is best
//! found while what was lost can still be published again.
//!
//! A pass goes over the meta file, the manifest, the runs of the index by number, and then segments
//! and log files by seq. It keeps only its place, so what is sealed, merged or let go meanwhile
//! does not disturb it. What it finds:
//!
//! - Events that cannot be read are damage, as if a reader had found it.
//! - What costs no event is a *flaw*: named until a later pass no longer finds it.
//! - What can be written anew from memory (meta file, manifest, block indexes) is mended at once.
//! - A damaged run stays in use, since every look-up verifies what it reads; the next start
//!   rebuilds the index.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::log::dir::LogDir;
use crate::log::file::LogFile;
use crate::meta::{self, StoreMeta};
use crate::partition::data_file::DataFile;
use crate::partition::open::PartitionOptions;
use crate::partition::read::{self, ReadRange};
use crate::partition::shared::Shared;

/// Checks a partition beside its writer and its readers. It has no clock: whoever calls it decides
/// how fast it goes.
#[derive(Debug)]
pub struct Scrubber {
    shared: Arc<Shared>,
    log: LogDir,
    store: Option<MetaFileCopy>,
    place: ScrubPosition,
}

/// Result of a step of a [`Scrubber`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Bytes read.
    pub bytes: u64,
    /// Damage that was mended at once.
    pub mended: Vec<String>,
    /// Whether everything has been read once. The next step begins again.
    pub is_done: bool,
}

/// The meta file of a store, and what it says.
#[derive(Debug, Clone)]
pub(crate) struct MetaFileCopy {
    dir: PathBuf,
    meta: StoreMeta,
}

impl MetaFileCopy {
    pub(crate) fn of(options: &PartitionOptions<'_>) -> Option<Self> {
        Some(Self { dir: options.dir.parent()?.to_owned(), meta: *options.meta })
    }
}

/// The next place to check.
#[derive(Debug)]
enum ScrubPosition {
    Meta,
    Block {
        run: u64,
        block: u64,
    },
    /// In a segment or log file, with the seq to go on from; `None` before the first of them.
    File(Option<(FileKey, u64)>),
}

/// Tells files apart and orders them: more than one log file without events may begin with one seq.
type FileKey = (u64, PathBuf);

impl Scrubber {
    pub(crate) fn new(shared: Arc<Shared>, log: LogDir, store: Option<MetaFileCopy>) -> Self {
        Self { shared, log, store, place: ScrubPosition::Meta }
    }

    /// Goes on until at least so many bytes are read, or everything is. What is read at a time has
    /// at most some MiB.
    pub fn step(&mut self, bytes: u64) -> Scrubbed {
        let mut done = Scrubbed::default();
        while done.bytes < bytes && !done.is_done {
            self.place = match std::mem::replace(&mut self.place, ScrubPosition::Meta) {
                ScrubPosition::Meta => self.meta(&mut done),
                ScrubPosition::Block { run, block } => self.blocks(run, block, &mut done),
                ScrubPosition::File(at) => self.file(at, &mut done),
            };
        }
        done
    }

    fn meta(&self, done: &mut Scrubbed) -> ScrubPosition {
        let meta = self.store.as_ref().map_or(Ok(None), |store| meta::mend(&*self.log.disk, &store.dir, &store.meta));
        for mended in [meta, self.shared.manifest.mend()] {
            match mended {
                Ok(mended) => done.mended.extend(mended),
                Err(error) => self.flaw(&error),
            }
        }
        ScrubPosition::Block { run: 0, block: 0 }
    }

    fn blocks(&self, run: u64, block: u64, done: &mut Scrubbed) -> ScrubPosition {
        let Some(live) = self.shared.index.run_from(run) else { return ScrubPosition::File(None) };
        let number = live.info().number;
        let behind = ScrubPosition::Block { run: number + 1, block: 0 };
        match live.check(if number == run { block } else { 0 }) {
            Ok((next, bytes)) => {
                done.bytes += bytes;
                next.map_or(behind, |block| ScrubPosition::Block { run: number, block })
            }
            Err(error) => {
                // A merge may have read it whole and removed it meanwhile.
                if self.shared.index.run_from(number).is_some_and(|run| run.info().number == number) {
                    self.flaw(&error);
                    // If it cannot be written, the next scrub finds it again.
                    let _ = self.shared.manifest.update(|manifest| manifest.rebuild_index = true);
                }
                behind
            }
        }
    }

    /// Checks the next chunk of a segment or log file, or the beginning of the next one.
    fn file(&self, at: Option<(FileKey, u64)>, done: &mut Scrubbed) -> ScrubPosition {
        let files = self.shared.snapshot().files;
        // Where a file is gone, another has its events.
        let current = at.as_ref().and_then(|(key, seq)| {
            let same = files.iter().find(|file| key_of(file) == *key);
            same.or_else(|| files.iter().find(|file| file.end_seq() > *seq))
        });
        let seq = at.as_ref().map_or(0, |(_, seq)| *seq);
        if let Some(file) = current
            && let Some(chunk) = read::next_chunk(file, &ReadRange::everything_from(seq))
        {
            done.bytes += self.checked(read::check(file, &chunk, &self.shared.losses));
            return ScrubPosition::File(Some((key_of(file), chunk.end_seq.max(seq + 1))));
        }
        let before = current.map(key_of).or(at.map(|(key, _)| key));
        let Some(next) = files.iter().find(|file| before.as_ref().is_none_or(|before| key_of(file) > *before)) else {
            self.shared.losses.known.end_scrub();
            done.is_done = true;
            return ScrubPosition::Meta;
        };
        done.bytes += self.checked(match next {
            DataFile::Segment(segment) => segment.verify_ends(),
            DataFile::Log(file) => self.log_head(file, done),
        });
        ScrubPosition::File(Some((key_of(next), next.first_seq())))
    }

    fn log_head(&self, file: &LogFile, done: &mut Scrubbed) -> Result<u64> {
        let mut found = Vec::new();
        let checked = file.check_head(&mut found);
        self.shared.losses.record(&found);
        let (header, bytes) = checked?;
        if let Some((header, after)) = header.zip(file.after())
            && self.log.mend_block_index(file, &header, after)
        {
            done.mended.push(format!("the outline of {} was damaged", file.path.display()));
        }
        Ok(bytes)
    }

    /// The bytes that were read; what cannot be read is a flaw, and passed over.
    fn checked(&self, outcome: Result<u64>) -> u64 {
        outcome.unwrap_or_else(|error| {
            self.flaw(&error);
            0
        })
    }

    fn flaw(&self, error: &Error) {
        self.shared.losses.known.report_flaw(error.describe());
    }
}

fn key_of(file: &DataFile) -> FileKey {
    (file.first_seq(), file.path().to_owned())
}
