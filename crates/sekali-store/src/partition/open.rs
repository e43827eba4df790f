//! Opens a partition: manifest, segments, index, log, in this order, because each says what of the
//! next need not be read.

use std::any::Any;
use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::data_file::DataFile;
use super::losses;
use super::mend::StoredEvents;
use super::shared::RecoveredPartition;
use super::take_back::{self, LossesBack};
use crate::absence;
use crate::damage::{Damage, DamageList, SeqSet};
use crate::disk::{self, Disk, TEMP_SUFFIX};
use crate::durable_mark::DurableMark;
use crate::error::{Error, IoContext, Result};
use crate::event::EventRef;
use crate::hash::KeyHasher;
use crate::index::{Entry, Index, IndexMend, IndexOptions};
use crate::log::dir::LogDir;
use crate::log::header::{self, FileHeader};
use crate::log::open::{self, OpenLog, Replay};
use crate::log::position::LogPosition;
use crate::manifest::{self, Expired, Lost, Manifest, ManifestFile, SavedPosition, SegmentEntry};
use crate::meta::StoreMeta;
use crate::rules::ContentRules;
use crate::salt::Salt;
use crate::segment::{self, PartRules, RowQuery, Segment, SegmentDir};
use crate::tuning::Tuning;

/// Entries that are replayed into the index at a time.
const REPLAY_ENTRIES: usize = 4_096;

/// Arguments of opening a partition.
#[derive(Debug)]
pub(crate) struct PartitionOptions<'a> {
    pub(crate) disk: &'a Arc<dyn Disk>,
    pub(crate) dir: &'a Path,
    pub(crate) number: u32,
    pub(crate) meta: &'a StoreMeta,
    pub(crate) tuning: Tuning,
    pub(crate) rules: ContentRules,
    /// Whether files that are away count as lost, a whole directory of them too.
    pub(crate) accepts_absence: bool,
    /// Whether it takes no commits, or does not open, where events are lost.
    pub(crate) stops_on_damage: bool,
    pub(crate) lock: Arc<dyn Any + Send + Sync>,
}

/// A partition that was opened, and what its writer and its sealer need.
pub(super) struct OpenPartition {
    pub(super) opened: RecoveredPartition,
    pub(super) log: OpenLog,
    pub(super) log_dir: LogDir,
    pub(super) segment_dir: SegmentDir,
    /// Events behind the position that was marked as durable.
    pub(super) recovered_events: u64,
    /// Why the index was rebuilt, if it was.
    pub(super) rebuilt: Option<String>,
    /// Sentences on lost events that can be read again.
    pub(super) notes: Vec<String>,
}

/// Opens a partition, and takes back what was lost and is there again.
pub(super) fn open(options: &PartitionOptions<'_>) -> Result<OpenPartition> {
    let mut notes = Vec::new();
    loop {
        let mut partition = open_once(options)?;
        notes.append(&mut partition.notes);
        let back = if options.accepts_absence { LossesBack::default() } else { LossesBack::look(&partition.opened)? };
        notes.extend(back.kept);
        if back.whole.is_empty() {
            if options.stops_on_damage {
                refuse_losses(&partition)?;
            }
            return Ok(OpenPartition { notes, ..partition });
        }
        let (files, manifest) = (partition.opened.files.clone(), Arc::clone(&partition.opened.manifest));
        let hasher = partition.opened.hasher;
        // Its index writes runs too, in a thread.
        drop(partition);
        let ids = Paths::of(options.dir).ids;
        let mend = IndexMend::of_returned(options.disk, &ids, &manifest, options.tuning.index.table_entries)?;
        notes.extend(take_back::take(&back.whole, &files, hasher, mend, manifest.get().covered_seq)?);
    }
}

/// Refuses a partition whose outcomes would depend on lost events or keys.
fn refuse_losses(partition: &OpenPartition) -> Result<()> {
    let RecoveredPartition { damage, manifest, .. } = &partition.opened;
    let forgotten_seq = manifest.get().expired.map_or(0, |expired| expired.forgotten_seq);
    let forgotten = || format!("keys of expired events are lost, of seqs up to {forgotten_seq}");
    let lost = damage.first_loss().map(|lost| lost.to_string());
    match lost.or_else(|| (forgotten_seq > 0).then(forgotten)) {
        Some(what) => Err(Error::Stopped(losses::stop_reason(&what))),
        None => Ok(()),
    }
}

fn open_once(options: &PartitionOptions<'_>) -> Result<OpenPartition> {
    let (disk, dir) = (options.disk, options.dir);
    disk::refuse_links(&**disk, dir)?;
    if !options.accepts_absence {
        // Before a directory is made where another belongs.
        absence::check(&**disk, dir)?;
    }
    let paths = Paths::create(&**disk, dir)?;
    let segment_dir = SegmentDir::new(Arc::clone(disk), paths.segments.clone(), options.meta, options.number)
        .with_parts(Some(PartRules::new(&options.rules)));
    let log_dir = LogDir {
        disk: Arc::clone(disk),
        dir: paths.log,
        torn_dir: paths.torn,
        store_id: options.meta.store_id,
        partition: options.number,
        salt: Salt::new(options.meta, options.number),
        file_bytes: options.tuning.log_file_bytes,
    };
    let (manifest, manifest_damage) = open_manifest(disk, dir, &segment_dir, &log_dir)?;
    let known = known_losses(&manifest.get(), &log_dir, &segment_dir);
    let segments = open_segments(&**disk, &segment_dir, &manifest, &known)?;
    let Manifest { sealed, durable, .. } = manifest.get();
    let mark = DurableMark::new(Arc::clone(disk), dir.to_owned(), log_dir.salt);
    let durable = durable.into_iter().chain(mark.read()).max_by_key(|place| place.next_commit);
    let no_room = |error: Error| if error.is_full() { Error::NoRoomForIndex(paths.ids.clone()) } else { error };
    let hasher = KeyHasher::new(&options.meta.hash_key).colliding(options.tuning.fingerprint_mask);
    let first_commit = sealed.map_or(1, |sealed| sealed.next_commit);
    let stored = StoredEvents { segments: &segments, log: &log_dir, first_commit, known: &known, hasher };
    let opened = open_index(disk, paths.ids.clone(), &manifest, options.tuning.index, &stored);
    let (index, index_damage) = opened.map_err(no_room)?;
    let covered_seq = index.covered_seq();
    let hidden = known.hidden(1..=u64::MAX);
    let mut replayed = IndexReplay { index: &index, hasher, covered_seq, hidden, entries: Vec::new(), outcome: Ok(()) };
    for segment in &segments {
        replayed.segment(segment, &known)?;
    }
    let place = |place: Option<SavedPosition>| place.as_ref().map_or_else(LogPosition::default, LogPosition::from);
    let (start, durable) = (place(sealed), place(durable));
    let lost = manifest.get().lost_seqs();
    let damaged = manifest.get().lost.into_iter().map(|lost| lost.file).collect();
    let mut log = open::open(log_dir.clone(), Replay { start, damaged, lost, covered_seq, durable }, |block| {
        block.rows().for_each(|(seq, event)| replayed.event(seq, &event));
        replayed.flush();
    })?;
    replayed.outcome.map_err(no_room)?;
    // Once, behind all that was made: the directories, and what is in them and synced.
    disk.sync_dir(dir).at("sync", dir)?;
    log.damage.iter().for_each(|found| drop(known.report(found)));
    log.unread_end.iter().for_each(|what| known.report_flaw(what.clone()));
    let files =
        segments.into_iter().map(DataFile::Segment).chain(log.files.iter().cloned().map(DataFile::Log)).collect();
    let rebuilt = manifest_damage.or(index_damage).map(|error| why_rebuilt(&error, manifest.get().expired));
    let opened = RecoveredPartition {
        disk: Arc::clone(disk),
        dir: dir.to_owned(),
        hasher,
        rules: options.rules,
        mark,
        index,
        manifest,
        files,
        damage: known,
        position: *log.writer.position(),
        stops_on_damage: options.stops_on_damage,
    };
    let recovered_events = opened.position.next_seq.saturating_sub(durable.next_seq.max(1));
    let notes = std::mem::take(&mut log.notes);
    Ok(OpenPartition { opened, log, log_dir, segment_dir, rebuilt, recovered_events, notes })
}

/// The losses that the manifest knows.
fn known_losses(manifest: &Manifest, log: &LogDir, segments: &SegmentDir) -> DamageList {
    let found_in = |lost: &Lost| lost.found_in(&log.dir, segments.dir());
    let (accepted, open): (Vec<_>, Vec<_>) = manifest.lost.iter().partition(|lost| lost.accepted);
    // Of a file that has left the log, what cost no event is no longer told: what is in the log
    // still is found again.
    let open = open.into_iter().filter(|lost| lost.first_seq <= lost.last_seq);
    DamageList::new(open.map(found_in).collect(), accepted.into_iter().map(found_in).collect())
}

/// A store on a full disk opens, to be read. What could not be written down is found again by the
/// next start.
pub(super) fn unless_full(outcome: Result<()>) -> Result<()> {
    outcome.or_else(|error| if error.is_full() { Ok(()) } else { Err(error) })
}

fn why_rebuilt(error: &Error, expired: Option<Expired>) -> String {
    match expired.map(|expired| expired.forgotten_seq).filter(|seq| *seq > 0) {
        Some(seq) => format!("{error}; the keys of events up to seq {seq} that have expired are lost with it"),
        None => error.to_string(),
    }
}

/// The directories of a partition.
struct Paths {
    log: PathBuf,
    torn: PathBuf,
    ids: PathBuf,
    segments: PathBuf,
}

impl Paths {
    fn of(dir: &Path) -> Self {
        let [log, torn, ids, segments] = ["log", "torn", "ids", "segments"].map(|name| dir.join(name));
        Self { log, torn, ids, segments }
    }

    fn create(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        let paths = Self::of(dir);
        // Those that may never be used as well: on a full disk they could not be made.
        for made in [dir, &paths.log, &paths.torn, &paths.ids, &paths.segments] {
            disk.create_dir(made).at("create", made)?;
        }
        Ok(paths)
    }
}

/// Opens the manifest; where it is damaged, keeps it aside and makes another from what is there.
fn open_manifest(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    segments: &SegmentDir,
    log: &LogDir,
) -> Result<(Arc<ManifestFile>, Option<Error>)> {
    let path = dir.join(manifest::FILE_NAME);
    let (manifest, damage) = match ManifestFile::open(Arc::clone(disk), &path) {
        Err(error @ Error::Damaged { .. }) => (ManifestFile::set_aside(Arc::clone(disk), &path)?, Some(error)),
        opened => (opened?, None),
    };
    if !manifest.existed() {
        let found = find_segments(&**disk, segments)?;
        if let Some(last) = found.last().copied() {
            let sealed = find_log_start(log, last.last_seq)?;
            let expired = find_expired(&found);
            manifest.update(|manifest| {
                manifest.sealed = Some(sealed);
                manifest.segments = found;
                manifest.expired = expired;
            })?;
        }
    }
    Ok((Arc::new(manifest), damage))
}

/// The segments that are there, without those that another, merged one stands for.
fn find_segments(disk: &dyn Disk, dir: &SegmentDir) -> Result<Vec<SegmentEntry>> {
    let names = disk.list(dir.dir()).at("list", dir.dir())?;
    let mut found: Vec<_> = names.iter().filter_map(|name| entry_of(name)).collect();
    found.sort_unstable_by_key(|found| (found.first_seq, Reverse(found.last_seq), Reverse(found.revision)));
    let mut entries = Vec::<SegmentEntry>::new();
    for entry in found {
        if entries.last().is_none_or(|last| entry.first_seq > last.last_seq) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn entry_of(name: &str) -> Option<SegmentEntry> {
    let path = Path::new(name);
    let (first_seq, last_seq) = segment::seqs_of(path)?;
    Some(SegmentEntry { first_seq, last_seq, revision: segment::revision_of(path) })
}

/// Where segments were trimmed or are not there, events have expired, as far as one can tell. How
/// many is not known.
fn find_expired(found: &[SegmentEntry]) -> Option<Expired> {
    let mut end_seq = 1;
    let mut is_whole = true;
    for entry in found {
        is_whole &= entry.first_seq == end_seq && entry.revision == 0;
        end_seq = entry.last_seq + 1;
    }
    let last_seq = end_seq - 1;
    (!is_whole).then(|| Expired { last_seq, forgotten_seq: last_seq, ..Expired::default() })
}

/// Where the log begins, by the header of the first file behind the segments.
fn find_log_start(log: &LogDir, sealed_seq: u64) -> Result<SavedPosition> {
    let mut position = LogPosition { next_seq: sealed_seq + 1, ..LogPosition::default() };
    for name in log.disk.list(&log.dir).at("list", &log.dir)? {
        let path = log.dir.join(name);
        let mut bytes = [0; header::BYTES];
        let read = log.disk.open(&path).and_then(|file| file.read_exact_at(&mut bytes, 0));
        let header = read.ok().and_then(|()| FileHeader::decode(&bytes, log.salt));
        if let Some(header) = header.filter(|header| header.first_seq > sealed_seq) {
            (position.next_commit, position.previous) = (header.first_commit, header.previous);
            break;
        }
    }
    Ok(SavedPosition::from(&position))
}

/// Opens the segments that the manifest names, and removes what it does not name.
fn open_segments(
    disk: &dyn Disk,
    dir: &SegmentDir,
    manifest: &ManifestFile,
    known: &DamageList,
) -> Result<Vec<Arc<Segment>>> {
    let entries = manifest.get().segments;
    for name in disk.list(dir.dir()).at("list", dir.dir())? {
        let is_live = entry_of(&name).is_some_and(|entry| entries.contains(&entry));
        let is_ours = name.ends_with(segment::SUFFIX) || name.ends_with(TEMP_SUFFIX);
        if is_ours && !is_live && manifest.existed() {
            let leftover = dir.dir().join(name);
            disk.remove(&leftover).at("remove", &leftover)?;
        }
    }
    let mut segments = Vec::with_capacity(entries.len());
    for SegmentEntry { first_seq, last_seq, revision } in entries {
        let path = dir.revised(revision).path(first_seq, last_seq);
        match Segment::open(dir, &path) {
            Ok(segment) => segments.push(Arc::new(segment)),
            Err(error) if is_lost(&error) => drop(known.report(&Damage { path, offset: 0, first_seq, last_seq })),
            Err(error) => return Err(error),
        }
    }
    Ok(segments)
}

fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Damaged { .. }) || error.is_not_found()
}

/// Opens the index, and mends it where a run is lost or damaged. Returns what was damaged.
fn open_index(
    disk: &Arc<dyn Disk>,
    dir: PathBuf,
    manifest: &Arc<ManifestFile>,
    options: IndexOptions,
    stored: &StoredEvents<'_>,
) -> Result<(Index, Option<Error>)> {
    let mut damage = None;
    if let Some(mend) = IndexMend::begin(disk, &dir, manifest, options.table_entries)? {
        damage = Some(mend.error());
        match stored.mend(mend) {
            // Without expired events nothing is lost with the old runs, whose space is enough.
            Err(error) if error.is_full() && manifest.get().expired.is_none() => {
                let nothing = std::iter::empty();
                let index = Index::rebuild(Arc::clone(disk), dir, Arc::clone(manifest), options, nothing)?;
                return Ok((index, damage));
            }
            mended => mended?,
        }
    }
    Ok((Index::open(Arc::clone(disk), dir, Arc::clone(manifest), options)?, damage))
}

/// Gives the index what it does not have on disk.
struct IndexReplay<'a> {
    index: &'a Index,
    hasher: KeyHasher,
    covered_seq: u64,
    /// Seqs whose keys are unknown.
    hidden: SeqSet,
    entries: Vec<Entry>,
    /// The first error. What comes after it is dropped.
    outcome: Result<()>,
}

impl IndexReplay<'_> {
    /// Reads a segment, and names what of it is lost.
    fn segment(&mut self, segment: &Segment, known: &DamageList) -> Result<()> {
        for (number, group) in segment.row_groups().iter().enumerate() {
            let wanted = RowQuery { seqs: self.covered_seq + 1..u64::MAX, ..RowQuery::default() };
            if group.last_seq <= self.covered_seq || known.covers_all(group.first_seq..=group.last_seq) {
                continue;
            }
            match segment.visit(number, &wanted, |seq, _, event| self.event(seq, &event)) {
                Err(Error::Damaged { path, .. }) => {
                    let (first_seq, last_seq) = (group.first_seq, group.last_seq);
                    known.report(&Damage { path, offset: 0, first_seq, last_seq });
                }
                visited => visited?,
            }
            self.flush();
        }
        Ok(())
    }

    fn event(&mut self, seq: u64, event: &EventRef<'_>) {
        if seq <= self.covered_seq || self.hidden.contains(seq) {
            return;
        }
        let hash = self.hasher.hash(event);
        self.entries.push(Entry { fingerprint: hash.fingerprint, seq, content: hash.content });
        if self.entries.len() >= REPLAY_ENTRIES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.outcome.is_ok() {
            self.outcome = self.index.replay(&self.entries);
        }
        self.entries.clear();
    }
}
