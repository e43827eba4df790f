//! Opens a log: reads back what must be read, repairs the tail, and makes ready to append.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::{self, Block};
use super::block_index::BlockIndex;
use super::dir::LogDir;
use super::file::{self, LogFile, SUFFIX};
use super::header::{self, FileHeader};
use super::position::LogPosition;
use super::recovery::{self, Findings, LogFileBytes};
use super::writer::LogWriter;
use crate::damage::{Damage, SeqSet};
use crate::disk::remover::Remover;
use crate::disk::{self, DiskFile, TEMP_SUFFIX, unreadable};
use crate::error::{IoContext, Result, is_full};
use crate::invariant::invariant;
use crate::limits::{TORN_BYTES_MAX, TORN_FILES_MAX};

/// A log that was opened.
#[derive(Debug)]
pub(crate) struct OpenLog {
    pub(crate) writer: LogWriter,
    /// All files, in order; the last is the one written to.
    pub(crate) files: Vec<Arc<LogFile>>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) torn: Option<TornTail>,
    /// Says which files were moved to quarantine because they came back too late.
    pub(crate) notes: Vec<String>,
    /// Names an end of the last file that the medium could not read: it may have had events that
    /// nothing names.
    pub(crate) unread_end: Option<String>,
}

/// The end of a commit that never finished, cut at recovery. Nobody was told that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// Its length in bytes.
    pub bytes: u64,
    /// Where a copy is kept; of the whole file, where there was no space for one of the tail.
    pub kept: PathBuf,
}

/// Where to begin, and what need not be read.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    /// Where the log begins; files before it have been sealed.
    pub(crate) start: LogPosition,
    /// Names of files that are damaged.
    pub(crate) damaged: Vec<String>,
    /// Seqs that are lost. A file that begins with one of them was away.
    pub(crate) lost: SeqSet,
    /// Files without seqs above this one need not be replayed.
    pub(crate) covered_seq: u64,
    /// Where the log is known to have been durable to.
    pub(crate) durable: LogPosition,
}

/// Opens the log and hands every block that may hold seqs above the covered ones to `visit`, in
/// order.
pub(crate) fn open(log: LogDir, replay: Replay, visit: impl FnMut(&Block<'_>)) -> Result<OpenLog> {
    let (mut paths, notes) = log_paths(&log, &replay)?;
    let last = paths.pop();
    let mut opener = LogOpener {
        log: &log,
        position: replay.start,
        replay,
        visit,
        damage: Vec::new(),
        torn: None,
        unread_end: None,
        notes,
    };
    let mut files = Vec::with_capacity(paths.len() + 1);
    for (at, path) in paths.iter().enumerate() {
        files.extend(opener.closed(path, paths.get(at + 1).or(last.as_ref()))?);
    }
    let (active, header) = match last {
        Some(path) => opener.last(&path)?,
        None => opener.begin()?,
    };
    let LogOpener { mut position, damage, torn, unread_end, notes, .. } = opener;
    // All that was read back is durable: closed files were synced before the next began, and the
    // last was rewritten.
    position.durable_commit = position.next_commit - 1;
    files.push(Arc::clone(&active));
    Ok(OpenLog { writer: LogWriter::new(log, active, header, position), files, damage, torn, notes, unread_end })
}

/// The log files, in order. Files that were never finished are removed, and those that have been
/// sealed retired: neither is part of the log. One that was away while the log was sealed past it
/// is kept, and named.
fn log_paths(log: &LogDir, replay: &Replay) -> Result<(Vec<PathBuf>, Vec<String>)> {
    let (mut paths, mut notes) = (Vec::new(), Vec::new());
    for name in log.disk.list(&log.dir).at("list", &log.dir)? {
        let path = log.dir.join(&name);
        if name.ends_with(TEMP_SUFFIX) {
            log.disk.remove(&path).at("remove", &path)?;
        } else if name.ends_with(SUFFIX) {
            let (first_seq, first_commit) = file::begins(&path)?;
            if first_commit < replay.start.next_commit {
                let was_away = replay.lost.contains(first_seq);
                log.retire(&path, was_away || replay.damaged.contains(&name), &Remover::default())?;
                if was_away {
                    notes.push(format!("{name} was away while the log was sealed past it{TOO_LATE}"));
                }
            } else {
                paths.push(path);
            }
        }
    }
    Ok((paths, notes))
}

/// The fate of a file that was away and came back too late.
const TOO_LATE: &str = ": its events stay lost, and it is kept in quarantine/. Publish them again, or restore a backup";

/// How far opener has come.
struct LogOpener<'a, F> {
    log: &'a LogDir,
    replay: Replay,
    visit: F,
    position: LogPosition,
    damage: Vec<Damage>,
    torn: Option<TornTail>,
    unread_end: Option<String>,
    notes: Vec<String>,
}

impl<F: FnMut(&Block<'_>)> LogOpener<'_, F> {
    /// Opens a file that is not the last: by its saved block index if all of it is covered, else by
    /// reading it. `None` if it was away, and reaches into `next`, which has taken its place.
    fn closed(&mut self, path: &Path, next: Option<&PathBuf>) -> Result<Option<Arc<LogFile>>> {
        let log = self.log;
        let disk_file = log.disk.open(path).at("open", path)?;
        let (first_seq, _) = file::begins(path)?;
        if let Some(next) = next.filter(|_| self.replay.lost.contains(first_seq))
            && self.reaches_into(path, &*disk_file, next)?
        {
            log.retire(path, true, &Remover::default())?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            self.notes.push(format!("{name} was away, and its last seqs were given to other events{TOO_LATE}"));
            return Ok(None);
        }
        if let Some((block_index, after)) = log.saved_block_index(path, &*disk_file, &self.position)
            && after.next_seq <= self.replay.covered_seq + 1
        {
            self.position = after;
            let file = Arc::new(LogFile::new(path.to_owned(), disk_file, first_seq, log.salt, block_index));
            file.close(after)?;
            return Ok(Some(file));
        }
        let (bytes, unreadable) = read_whole(&*disk_file, path)?;
        let (block_index, findings) = self.scan(path, &bytes, &unreadable, false)?;
        invariant!(findings.torn.is_none(), "a closed log file was found to end in a torn tail");
        let header = FileHeader::decode(&bytes, log.salt);
        if let Some(header) = header.filter(|_| findings.damage.is_empty()) {
            log.save_block_index(path, &block_index, &header, &self.position);
        }
        self.damage.extend(findings.damage);
        let file = Arc::new(LogFile::new(path.to_owned(), disk_file, first_seq, log.salt, block_index));
        file.close(self.position)?;
        Ok(Some(file))
    }

    /// Whether a file has commits that `next` has as well.
    fn reaches_into(&self, path: &Path, file: &dyn DiskFile, next: &Path) -> Result<bool> {
        let (bytes, unreadable) = read_whole(file, path)?;
        let (durable, salt) = (self.replay.durable, self.log.salt);
        let source = LogFileBytes { path, bytes: &bytes, unreadable: &unreadable, is_last: false, durable, salt };
        let mut position = self.position;
        recovery::scan(&source, &mut position, |_, _| {});
        Ok(position.next_commit > file::begins(next)?.1)
    }

    /// Begins a log of which there is no file. There need not have been one.
    fn begin(&mut self) -> Result<(Arc<LogFile>, FileHeader)> {
        let Replay { durable, .. } = self.replay;
        if self.position.next_commit < durable.next_commit {
            let (path, first_seq) = (self.log.path(&self.position), self.position.next_seq);
            self.position.catch_up(&durable);
            self.damage.push(Damage { path, offset: 0, first_seq, last_seq: self.position.next_seq - 1 });
        }
        self.log.create(&self.position)
    }

    /// Reads the last file, keeps a copy of a torn tail, and rewrites the rest: after a failed sync
    /// the page cache can show bytes that the disk does not have, and rewriting is what makes sure
    /// of them. It is written into the spare, which has the space for it.
    fn last(&mut self, path: &Path) -> Result<(Arc<LogFile>, FileHeader)> {
        let log = self.log;
        let (mut bytes, unreadable) = read_whole(&*log.disk.open(path).at("open", path)?, path)?;
        let before = self.position;
        let (mut block_index, findings) = self.scan(path, &bytes, &unreadable, true)?;
        invariant!(findings.end <= bytes.len() as u64, "a log file was found to end behind its end");
        self.damage.extend(findings.damage);
        if let Some(gap) = unreadable.first() {
            // The medium may yet be made to read what is written over here.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let _ = keep_whole(log, path, &log.torn_dir.join(format!("{name}.{}.whole", gap.start)));
        }
        if findings.torn.as_ref().is_some_and(|tail| unreadable.iter().any(|gap| gap.end > tail.start)) {
            self.unread_end = Some(format!(
                "the end of {} could not be read: events that were stored last may be lost, and are named nowhere; \
                 publish everything of that time again",
                path.display()
            ));
        }
        if let Some(tail) = findings.torn {
            self.torn = Some(keep_torn(log, path, tail.start, &bytes[tail])?);
            prune_torn(log);
        }
        bytes.truncate(findings.end as usize);
        let header = FileHeader::decode(&bytes, log.salt).unwrap_or_else(|| log.header(&before));
        if bytes.len() < header::BYTES {
            bytes = header.encode(log.salt).to_vec();
        }
        block_index.end = bytes.len() as u64;
        let (spare, file) = log.spare()?;
        log.unless_full(file.write_all_at(&bytes, 0), block_index.end)?.at("write", &spare)?;
        file.set_len(block_index.end).at("cut", &spare)?;
        file.sync().at("sync", &spare)?;
        log.disk.rename(&spare, path).at("rename", &spare)?;
        log.disk.sync_dir(&log.dir).at("sync", &log.dir)?;
        let (first_seq, _) = file::begins(path)?;
        Ok((Arc::new(LogFile::new(path.to_owned(), file, first_seq, log.salt, block_index)), header))
    }

    fn scan(
        &mut self,
        path: &Path,
        bytes: &[u8],
        unreadable: &[Range<usize>],
        is_last: bool,
    ) -> Result<(BlockIndex, Findings)> {
        let (durable, salt) = (self.replay.durable, self.log.salt);
        let source = LogFileBytes { path, bytes, unreadable, is_last, durable, salt };
        let mut block_index = BlockIndex::default();
        let mut grown = Ok(());
        let findings = recovery::scan(&source, &mut self.position, |block, offset| {
            let end = offset + block.len as u64;
            if grown.is_ok() {
                grown = block_index.grow(block_index.delta(std::iter::once((offset, *block)), end, block.end_seq()));
            }
            (self.visit)(block);
        });
        grown?;
        // Frames without events move the end but not the seq.
        (block_index.end, block_index.end_seq) = (findings.end, self.position.next_seq);
        Ok((block_index, findings))
    }
}

/// The bytes of a file, zeros where the medium cannot read it, and where that is.
fn read_whole(file: &dyn DiskFile, path: &Path) -> Result<(Vec<u8>, Vec<Range<usize>>)> {
    let len = file.len().at("read the length of", path)?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    let unreadable = unreadable::read_around(file, path, &mut bytes, 0)?;
    Ok((bytes, unreadable))
}

/// Hands every sound block of the log file at `path`, wherever it is, to `visit`.
pub(crate) fn visit_blocks(log: &LogDir, path: &Path, mut visit: impl FnMut(&Block<'_>)) -> Result<()> {
    let (bytes, _) = read_whole(&*log.disk.open(path).at("open", path)?, path)?;
    let mut rest = &bytes[..];
    while let Some(at) = rest.windows(block::MAGIC.len()).position(|window| window == block::MAGIC) {
        rest = &rest[at..];
        let decoded = block::decode(rest, log.salt);
        decoded.iter().for_each(&mut visit);
        rest = &rest[decoded.map_or(1, |block| block.len)..];
    }
    Ok(())
}

/// Keeps a copy of the bytes that are cut from the log at `path`: nothing is deleted because
/// reading it failed.
fn keep_torn(log: &LogDir, path: &Path, offset: usize, bytes: &[u8]) -> Result<TornTail> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut kept = log.torn_dir.join(format!("{name}.{offset}.torn"));
    match disk::replace(&*log.disk, &kept, bytes) {
        Err(error) if is_full(&error) => {
            kept.set_extension("whole");
            keep_whole(log, path, &kept).at("keep", &kept)?;
        }
        written => written.at("write", &kept)?,
    }
    Ok(TornTail { bytes: bytes.len() as u64, kept })
}

/// Removes the oldest copies of torn tails, of which nobody was told that they were stored: a
/// server that is killed again and again must not fill the disk with them. Other files stay.
fn prune_torn(log: &LogDir) {
    let Ok(mut names) = log.disk.list(&log.torn_dir) else { return };
    names.retain(|name| name.ends_with(".torn"));
    let (mut files, mut bytes) = (0, 0);
    // The names begin with seqs, so they are in the order of time.
    for name in names.iter().rev() {
        let path = log.torn_dir.join(name);
        files += 1;
        bytes += log.disk.open(&path).and_then(|file| file.len()).unwrap_or(0);
        if files > 1 && (files > TORN_FILES_MAX || bytes > TORN_BYTES_MAX) {
            // If it cannot be removed, the next start tries again.
            let _ = log.disk.remove(&path);
        }
    }
}

/// Gives the file a second name, under which it stays as it is when another takes its first. That
/// takes no space.
fn keep_whole(log: &LogDir, path: &Path, kept: &Path) -> io::Result<()> {
    // A start that was interrupted may have done it.
    if !log.disk.exists(kept)? {
        log.disk.link(path, kept)?;
    }
    log.disk.sync_dir(&log.torn_dir)
}
