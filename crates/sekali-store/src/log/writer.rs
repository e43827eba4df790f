//! The writing end of a partition's log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Salt;
use super::file::{self, LogFile, SUFFIX};
use super::frame::{self, Builder, Header};
use super::header::{self, FileHeader};
use super::outline::{Outline, Tally};
use super::recovery::{self, Position, Source};
use crate::counters::Counters;
use crate::damage::Damage;
use crate::disk::{self, Disk, DiskFile, TEMP_SUFFIX};
use crate::error::{IoContext, Result};
use crate::limits::LOG_FILE_BYTES;

/// Which log this is.
#[derive(Debug, Clone)]
pub(crate) struct LogDir {
    pub(crate) disk: Arc<dyn Disk>,
    /// The directory of the log files.
    pub(crate) dir: PathBuf,
    /// Where torn tails are kept for inspection.
    pub(crate) torn_dir: PathBuf,
    pub(crate) store_id: u128,
    pub(crate) partition: u32,
    pub(crate) salt: Salt,
}

/// Appends frames to the last file of a log.
#[derive(Debug)]
pub(crate) struct LogWriter {
    log: LogDir,
    active: Arc<LogFile>,
    header: FileHeader,
    position: Position,
}

/// A log that was opened.
#[derive(Debug)]
pub(crate) struct OpenLog {
    pub(crate) writer: LogWriter,
    /// All files, in order; the last is the one written to.
    pub(crate) files: Vec<Arc<LogFile>>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) torn: Option<TornTail>,
}

/// The end of a commit that never finished, cut at recovery. Nobody was told that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// Its length in bytes.
    pub bytes: u64,
    /// Where a copy is kept.
    pub kept: PathBuf,
}

/// Opens the log, repairs its tail, and hands every frame that may hold seqs above `covered_seq` to `replay`, in order.
pub(crate) fn open(log: LogDir, covered_seq: u64, mut replay: impl FnMut(&frame::Frame<'_>)) -> Result<OpenLog> {
    let mut paths = Vec::new();
    for name in log.disk.list(&log.dir).at("list", &log.dir)? {
        let path = log.dir.join(&name);
        if name.ends_with(TEMP_SUFFIX) {
            // Never finished, so never part of the log.
            log.disk.remove(&path).at("remove", &path)?;
        } else if name.ends_with(SUFFIX) {
            file::first_seq(&path)?;
            paths.push(path);
        }
    }
    let mut position = Position::default();
    let (mut files, mut damage) = (Vec::new(), Vec::new());
    let last = paths.pop();
    let mut torn = None;
    for path in &paths {
        files.push(open_closed(&log, path, covered_seq, &mut position, &mut damage, &mut replay)?);
    }
    let (active, header) = match last {
        Some(path) => reopen_last(&log, &path, covered_seq, &mut position, &mut damage, &mut torn, &mut replay)?,
        None => create(&log, &position)?,
    };
    // All that was read back is durable: closed files were synced before the next began, and the last was rewritten.
    position.durable_commit = position.next_commit - 1;
    files.push(Arc::clone(&active));
    Ok(OpenLog { writer: LogWriter { log, active, header, position }, files, damage, torn })
}

/// Opens a file that is not the last: by its saved outline if all of it is covered, else by reading it.
fn open_closed(
    log: &LogDir,
    path: &Path,
    covered_seq: u64,
    position: &mut Position,
    damage: &mut Vec<Damage>,
    replay: &mut impl FnMut(&frame::Frame<'_>),
) -> Result<Arc<LogFile>> {
    let disk_file = log.disk.open(path).at("open", path)?;
    let first_seq = file::first_seq(path)?;
    if let Some((outline, after)) = saved_outline(log, path, &*disk_file, position)
        && after.next_seq <= covered_seq + 1
    {
        *position = after;
        return Ok(Arc::new(LogFile::new(path.to_owned(), disk_file, first_seq, log.salt, outline)));
    }
    let bytes = disk::read_all(&*log.disk, path).at("read", path)?;
    let source = Source { path, bytes: &bytes, is_last: false, durable_seq: covered_seq, salt: log.salt };
    let header = FileHeader::decode(&bytes, log.salt);
    let mut outline = Outline::default();
    let findings = recovery::scan(&source, position, |frame, offset| {
        outline.grow(outline.growth(frame, offset));
        replay(frame);
    });
    if let Some(header) = header.filter(|_| findings.damage.is_empty() && outline.end == findings.end) {
        save_outline(log, path, &outline, &header, position);
    }
    damage.extend(findings.damage);
    Ok(Arc::new(LogFile::new(path.to_owned(), disk_file, first_seq, log.salt, outline)))
}

/// The saved outline of the file at `path`, if it is there, whole, and continues the log at `position`.
fn saved_outline(log: &LogDir, path: &Path, file: &dyn DiskFile, position: &Position) -> Option<(Outline, Position)> {
    let mut bytes = [0; header::BYTES];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let header = FileHeader::decode(&bytes, log.salt)?;
    let continues = (header.first_seq, header.first_commit, header.previous)
        == (position.next_seq, position.next_commit, position.previous);
    let saved = disk::read_all(&*log.disk, &file::outline_path(path)).ok().filter(|_| continues)?;
    let (outline, after) = Outline::decode(&saved, &header, log.salt)?;
    (file.len().ok()? == outline.end).then_some((outline, after))
}

/// Saves an outline. It is a cache: if it cannot be written, the next start reads the file instead.
fn save_outline(log: &LogDir, path: &Path, outline: &Outline, header: &FileHeader, after: &Position) {
    let path = file::outline_path(path);
    let temp = disk::temp_path(&path);
    let bytes = outline.encode(header, after, log.salt);
    let written = disk::create_afresh(&*log.disk, &temp).and_then(|file| file.write_all_at(&bytes, 0));
    let _ = written.and_then(|()| log.disk.rename(&temp, &path));
}

/// Reads the last file, keeps a copy of a torn tail, and rewrites the rest: after a failed sync the page cache can show
/// bytes that the disk does not have, and rewriting is what makes sure of them.
fn reopen_last(
    log: &LogDir,
    path: &Path,
    covered_seq: u64,
    position: &mut Position,
    damage: &mut Vec<Damage>,
    torn: &mut Option<TornTail>,
    replay: &mut impl FnMut(&frame::Frame<'_>),
) -> Result<(Arc<LogFile>, FileHeader)> {
    let mut bytes = disk::read_all(&*log.disk, path).at("read", path)?;
    let before = *position;
    let source = Source { path, bytes: &bytes, is_last: true, durable_seq: covered_seq, salt: log.salt };
    let mut outline = Outline::default();
    let findings = recovery::scan(&source, position, |frame, offset| {
        outline.grow(outline.growth(frame, offset));
        replay(frame);
    });
    damage.extend(findings.damage);
    if let Some(tail) = findings.torn {
        *torn = Some(keep_torn(log, path, tail.start, &bytes[tail])?);
    }
    bytes.truncate(findings.end as usize);
    let header = FileHeader::decode(&bytes, log.salt).unwrap_or_else(|| log.header(&before));
    if bytes.len() < header::BYTES {
        bytes = header.encode(log.salt).to_vec();
    }
    outline.end = bytes.len() as u64;
    outline.end_seq = position.next_seq;
    let temp = disk::temp_path(path);
    let file = disk::create_afresh(&*log.disk, &temp).at("create", &temp)?;
    file.write_all_at(&bytes, 0).at("write", &temp)?;
    file.sync().at("sync", &temp)?;
    log.disk.rename(&temp, path).at("rename", &temp)?;
    log.disk.sync_dir(&log.dir).at("sync", &log.dir)?;
    let first_seq = file::first_seq(path)?;
    Ok((Arc::new(LogFile::new(path.to_owned(), file, first_seq, log.salt, outline)), header))
}

/// Keeps a copy of bytes that are cut from the log: nothing is deleted because reading it failed.
fn keep_torn(log: &LogDir, path: &Path, offset: usize, bytes: &[u8]) -> Result<TornTail> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kept = log.torn_dir.join(format!("{name}.{offset}.torn"));
    log.disk.create_dir_all(&log.torn_dir).at("create", &log.torn_dir)?;
    disk::replace(&*log.disk, &kept, bytes).at("write", &kept)?;
    Ok(TornTail { bytes: bytes.len() as u64, kept })
}

/// Begins a log file behind `position`. It is durable, directory entry included, when this returns.
fn create(log: &LogDir, position: &Position) -> Result<(Arc<LogFile>, FileHeader)> {
    let header = log.header(position);
    let path = log.dir.join(file::name(position.next_seq, position.next_commit));
    let file = log.disk.create(&path).at("create", &path)?;
    file.write_all_at(&header.encode(log.salt), 0).at("write", &path)?;
    file.sync().at("sync", &path)?;
    log.disk.sync_dir(&log.dir).at("sync", &log.dir)?;
    let outline = Outline { end: header::BYTES as u64, end_seq: position.next_seq, ..Outline::default() };
    Ok((Arc::new(LogFile::new(path, file, position.next_seq, log.salt, outline)), header))
}

impl LogDir {
    fn header(&self, position: &Position) -> FileHeader {
        FileHeader {
            partition: self.partition,
            store_id: self.store_id,
            first_seq: position.next_seq,
            first_commit: position.next_commit,
            previous: position.previous,
        }
    }
}

/// What is known of a commit besides its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commit {
    pub(crate) received_at_ns: i64,
    pub(crate) upstream: Option<u64>,
    pub(crate) counts: Counters,
}

impl LogWriter {
    /// Where the log stands.
    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    /// Begins a new file if the last one is full, and answers it then. Only ever called between commits, so the file left
    /// behind is durable to its end.
    pub(crate) fn rotate_if_full(&mut self) -> Result<Option<Arc<LogFile>>> {
        if self.active.outline().end < LOG_FILE_BYTES {
            return Ok(None);
        }
        let (file, header) = create(&self.log, &self.position)?;
        let closed = std::mem::replace(&mut self.active, Arc::clone(&file));
        save_outline(&self.log, &closed.path, &closed.outline(), &self.header, &self.position);
        self.header = header;
        Ok(Some(file))
    }

    /// Writes and syncs the frame in `builder`, then shows it to readers. Answers what it adds to each topic.
    ///
    /// # Errors
    /// After an error it is unknown what of the frame is on disk: the log must be opened again before the next append.
    pub(crate) fn append<'a>(&mut self, builder: &'a mut Builder, commit: &Commit) -> Result<Vec<(&'a str, Tally)>> {
        let Commit { received_at_ns, upstream, counts } = *commit;
        let position = &self.position;
        let header = Header {
            commit: position.next_commit,
            durable_commit: position.durable_commit,
            first_seq: position.next_seq,
            received_at_ns,
            upstream,
            counts,
            totals: position.totals + counts,
            previous: position.previous,
        };
        let (bytes, _) = builder.finish(&header);
        let offset = self.active.outline().end;
        self.active.file.write_all_at(bytes, offset).at("write", &self.active.path)?;
        self.active.file.sync().at("sync", &self.active.path)?;
        // Reading back what was built is the second half of a pair of assertions, and gives the outline its growth.
        let frame = frame::decode(bytes, self.log.salt).ok_or_else(|| crate::Error::Damaged {
            path: self.active.path.clone(),
            what: format!("commit {} did not read back as it was written", header.commit),
        })?;
        self.position.pass(&frame);
        self.position.durable_commit = header.commit;
        let growth = self.active.outline().growth(&frame, offset);
        let topics = growth.topics.iter().map(|(topic, share)| (*topic, share.tally)).collect();
        self.active.grow(growth);
        Ok(topics)
    }
}
