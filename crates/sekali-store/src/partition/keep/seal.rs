//! Turns closed log files into segments, and small segments into larger ones, and lets events expire.
//!
//! The order of each step is that of every change to what is live: write the new file and sync it, name it in the
//! manifest, show it to readers, and only then remove what it replaces. A log file is sealed only once the index has all its
//! events on disk, because the log is what the index is recovered from.

mod expire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::background;
use crate::disk::remover::Remover;
use crate::error::{Error, IoContext, Result};
use crate::limits::{SEGMENT_MERGED_BYTES, UNSEALED_FILES_FLUSH, UNSEALED_FILES_MAX};
use crate::log::dir::LogDir;
use crate::log::file::LogFile;
use crate::manifest::{LogPlace, SegmentEntry};
use crate::partition::data_file::DataFile;
use crate::partition::shared::Shared;
use crate::segment::{self, Segment, SegmentDir, SegmentInfo, Writer};
use crate::tuning::Tuning;

use expire::Expiry;
pub use expire::Retainer;

/// How often the thread looks whether the index has caught up with the log.
const POLL: Duration = Duration::from_millis(500);
/// How long the thread waits after a failure before it tries again.
const RETRY: Duration = Duration::from_secs(5);

/// The sealer of a partition, and its thread if it has one.
#[derive(Debug)]
pub(crate) struct Sealer {
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(crate) struct Work {
    shared: Arc<Shared>,
    log: LogDir,
    segments: SegmentDir,
    remover: Remover,
    fan_in: usize,
    /// Free space, in bytes, that a merge must leave.
    free_bytes_min: u64,
    /// The largest seq of segments that could not be merged because one of them is damaged.
    unmergeable_seq: Mutex<u64>,
    expiry: Expiry,
    closing: AtomicBool,
    changed: Condvar,
    waiting: Mutex<()>,
}

impl Sealer {
    /// One that works in a thread of its own, if it is told so, or else in [`Sealer::make_room`].
    pub(crate) fn new(shared: &Arc<Shared>, log: LogDir, segments: SegmentDir, tuning: &Tuning) -> Result<Self> {
        let work = Work {
            shared: Arc::clone(shared),
            remover: Remover::start(tuning.seal_in_background).at("start a thread for", &log.dir)?,
            log,
            segments,
            fan_in: tuning.segment_fan_in,
            free_bytes_min: tuning.free_bytes_min,
            unmergeable_seq: Mutex::new(0),
            expiry: Expiry::default(),
            closing: AtomicBool::new(false),
            changed: Condvar::new(),
            waiting: Mutex::new(()),
        };
        let mut sealer = Self { work: Arc::new(work), thread: None };
        if tuning.seal_in_background {
            sealer.start()?;
        }
        Ok(sealer)
    }

    /// The directory of the log.
    pub(crate) fn log_dir(&self) -> &LogDir {
        &self.work.log
    }

    /// A handle to say which events may go.
    pub(crate) fn retainer(&self) -> Retainer {
        Retainer::new(Arc::clone(&self.work))
    }

    fn start(&mut self) -> Result<()> {
        let work = Arc::clone(&self.work);
        let spawned = background::spawn("sekali-seal", move || work.run());
        self.thread = Some(spawned.at("start a thread for", &self.work.log.dir)?);
        Ok(())
    }

    /// To be called before a commit. Without a thread, does what is due; with one, waits while too many log files wait.
    ///
    /// # Errors
    /// Why log files cannot be sealed, once too many wait. Commits are refused until they can.
    pub(crate) fn make_room(&self) -> Result<()> {
        if self.thread.is_none() {
            while self.work.step()? {}
            return Ok(());
        }
        let mut guard = self.work.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while self.work.backlog() > UNSEALED_FILES_MAX {
            if let Some((kind, what)) = self.work.shared.sealing_failed() {
                let (path, source) = (self.work.log.dir.clone(), std::io::Error::new(kind, what));
                return Err(Error::Io { action: "seal", path, source });
            }
            guard = self.work.changed.wait_timeout(guard, POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.work.closing.store(true, Ordering::Release);
        self.work.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It fails only if the thread panicked, and then there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Work {
    fn run(&self) {
        while !self.closing.load(Ordering::Acquire) {
            let done = self.step();
            let pause = match &done {
                Ok(true) => Duration::ZERO,
                Ok(false) => POLL,
                Err(_) => RETRY,
            };
            self.shared.note_sealing(done.as_ref().err());
            self.changed.notify_all();
            if !pause.is_zero() {
                let guard = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if !self.closing.load(Ordering::Acquire) {
                    drop(self.changed.wait_timeout(guard, pause));
                }
            }
        }
    }

    /// Closed log files that wait to be sealed.
    fn backlog(&self) -> usize {
        let files = self.shared.snapshot().files;
        files.iter().filter(|file| matches!(file, DataFile::Log(_))).count().saturating_sub(1)
    }

    /// Does the next piece of work. `false` where there is none.
    fn step(&self) -> Result<bool> {
        // After a failed write of the log nobody knows what is on disk; the next start finds out.
        if self.shared.stopped().is_some() {
            return Ok(false);
        }
        Ok(self.seal_next()? || self.expire_next()? || self.merge_next()?)
    }

    fn seal_next(&self) -> Result<bool> {
        let files = self.shared.snapshot().files;
        let oldest = files.iter().find_map(|file| match file {
            DataFile::Log(file) => Some(file),
            DataFile::Segment(_) => None,
        });
        let Some((file, after)) = oldest.and_then(|file| Some((file, *file.after()?))) else { return Ok(false) };
        let index = &self.shared.index;
        if index.covered_seq() + 1 < after.next_seq && self.backlog() >= UNSEALED_FILES_FLUSH {
            index.flush()?;
        }
        if index.covered_seq() + 1 < after.next_seq {
            return Ok(false);
        }
        let info = self.write(file)?;
        let segment = info.as_ref().map(|info| Segment::open(&self.segments, &info.path)).transpose()?;
        let damage: Vec<_> =
            self.shared.losses.known.open().into_iter().filter(|found| found.path == file.path).collect();
        self.shared.manifest.update(|manifest| {
            manifest.sealed = Some(LogPlace::from(&after));
            manifest.segments.extend(info.as_ref().map(entry));
            damage.iter().for_each(|damage| manifest.lose(damage));
        })?;
        self.shared.replace(&[DataFile::Log(Arc::clone(file))], segment.map(Arc::new));
        if !self.shared.manifest.uncertain() {
            self.log.retire(&file.path, self.shared.losses.known.is_in(&file.path), &self.remover)?;
        }
        self.shared.losses.known.leave(&file.path);
        Ok(true)
    }

    /// Writes the segment of a log file.
    fn write(&self, file: &LogFile) -> Result<Option<SegmentInfo>> {
        let mut writer = Writer::new(&self.segments);
        let mut written = Ok(());
        let extents = file.outline().extents.len();
        for number in 0..extents as u32 {
            let span = file.outline().extent(number);
            let Some(span) = span else { break };
            file.read_extent(span, &self.shared.losses.known, |seq, received_at_ns, event| {
                if written.is_ok() {
                    written = writer.push(seq, received_at_ns, &event);
                }
            })?;
        }
        written?;
        writer.finish()
    }

    fn live_segments(&self) -> Vec<Arc<Segment>> {
        let files = self.shared.snapshot().files;
        let segments = files.iter().filter_map(|file| match file {
            DataFile::Segment(segment) => Some(Arc::clone(segment)),
            DataFile::Log(_) => None,
        });
        segments.collect()
    }

    fn merge_next(&self) -> Result<bool> {
        let unmergeable_seq = *self.unmergeable_seq.lock().unwrap_or_else(PoisonError::into_inner);
        let mut segments = self.live_segments();
        segments.retain(|segment| segment.info().first_seq > unmergeable_seq);
        let sizes: Vec<_> = segments.iter().map(|segment| segment.info().bytes).collect();
        let may_merge =
            |at: usize| segments.get(at..at + self.fan_in).is_some_and(|segments| self.expiry.may_merge(segments));
        let Some(at) = due(&sizes, self.log.file_bytes, self.fan_in, may_merge) else { return Ok(false) };
        let Some(inputs) = segments.get(at..at + self.fan_in) else { return Ok(false) };
        // Merging is never urgent: what sealing and the index need is not for it.
        let needed: u64 = inputs.iter().map(|segment| segment.info().file_bytes).sum();
        match self.shared.space.check(needed + self.free_bytes_min) {
            Err(Error::StorageFull { .. }) => return Ok(false),
            checked => checked?,
        }
        let revision = inputs.iter().map(|segment| entry(segment.info()).revision).max().unwrap_or_default();
        let info = match segment::merge(&self.segments.revised(revision), inputs) {
            Err(Error::Damaged { .. }) => {
                let last_seq = inputs.last().map_or(0, |segment| segment.info().last_seq);
                *self.unmergeable_seq.lock().unwrap_or_else(PoisonError::into_inner) = last_seq;
                return Ok(true);
            }
            merged => merged?,
        };
        let merged = Arc::new(Segment::open(&self.segments, &info.path)?);
        let replaced: Vec<_> = inputs.iter().map(|segment| entry(segment.info())).collect();
        self.shared.manifest.update(|manifest| {
            manifest.segments.retain(|segment| !replaced.contains(segment));
            manifest.segments.push(entry(&info));
            manifest.segments.sort_unstable_by_key(|segment| segment.first_seq);
        })?;
        let old: Vec<_> = inputs.iter().cloned().map(DataFile::Segment).collect();
        self.shared.replace(&old, Some(merged));
        if !self.shared.manifest.uncertain() {
            for segment in inputs {
                let path = &segment.info().path;
                self.remover.remove_whole(&*self.log.disk, path).at("remove", path)?;
            }
        }
        Ok(true)
    }
}

fn entry(info: &SegmentInfo) -> SegmentEntry {
    let revision = segment::revision_of(&info.path);
    SegmentEntry { first_seq: info.first_seq, last_seq: info.last_seq, revision }
}

/// Where the first `fan_in` neighbours of one level begin that `may_merge`. The level of a segment is the smallest `l` with
/// `bytes <= 2 * file_bytes * fan_in^l`; a log file gives one of level 0.
fn due(sizes: &[u64], file_bytes: u64, fan_in: usize, may_merge: impl Fn(usize) -> bool) -> Option<usize> {
    let level = |bytes: u64| {
        let (mut level, mut room) = (0, file_bytes.max(1) * 2);
        while room < bytes {
            room = room.saturating_mul(fan_in as u64);
            level += 1;
        }
        level
    };
    let alike = |neighbours: &[u64]| {
        let small = neighbours.iter().all(|&bytes| bytes < SEGMENT_MERGED_BYTES);
        small && neighbours.windows(2).all(|pair| level(pair[0]) == level(pair[1]))
    };
    sizes.windows(fan_in).enumerate().position(|(at, neighbours)| alike(neighbours) && may_merge(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_rewritten_once_a_level_and_few_segments_remain() {
        let (file_bytes, fan_in) = (64 << 20, 8);
        let (mut sizes, mut written) = (Vec::new(), 0);
        for files in 1..=2_000_u64 {
            sizes.push(file_bytes + 100);
            while let Some(at) = due(&sizes, file_bytes, fan_in, |_| true) {
                let merged = sizes.drain(at..at + fan_in).sum();
                written += merged;
                sizes.insert(at, merged);
            }
            let total = files * (file_bytes + 100);
            assert_eq!(sizes.iter().sum::<u64>(), total);
            assert!(
                sizes.len() as u64 <= 2 * (fan_in as u64 - 1) + total / SEGMENT_MERGED_BYTES + 1,
                "{}",
                sizes.len()
            );
            assert!(written <= total * 2);
        }
    }
}
