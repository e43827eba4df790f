//! Opens segments and answers what is in them.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parquet::schema::types::SchemaDescriptor;
use xxhash_rust::xxh3::Xxh3;

use super::anchor::{ANCHOR_BYTES, ANCHOR_MAGIC, Anchor};
use super::column_rows::{ColumnRows, ColumnsWanted};
use super::decoded::DecodedEvents;
use super::dir::SegmentDir;
use super::directory::{Directory, RowGroup};
use super::file::FOOTER_END_BYTES;
use super::group::GroupReader;
use super::info::SegmentInfo;
use super::query::{RowQuery, TopicChoice};
use super::row_set::RowSet;

use super::source::{GroupMap, GroupSource};
use crate::columns;
use crate::disk::{DiskFile, unreadable};
use crate::error::{Error, IoContext, Result};
use crate::event::{EventRef, StoredEvent};
use crate::invariant::invariant;
use crate::meta::SEGMENT_FORMAT_VERSION;
use crate::salt::Salt;
use crate::tally::Tally;

/// An open segment. Keeps in memory its directory, which is about 70 bytes for each row group and
/// 60 for each topic, and some 20 KB for each row group that was read from. Reads may run on many
/// threads at once.
#[derive(Debug)]
pub(crate) struct Segment {
    file: Arc<dyn DiskFile>,
    pub(super) salt: Salt,
    pub(super) schema: SchemaDescriptor,
    pub(super) anchor: Anchor,
    directory: Directory,
    /// For each row group, what is kept of its index.
    maps: Box<[OnceLock<GroupMap>]>,
    /// For each row group, what was found to be damaged of its parts.
    flaws: Box<[OnceLock<String>]>,
    info: SegmentInfo,
    received_at_ns: OnceLock<(i64, i64)>,
}

impl Segment {
    /// Opens the segment at `path`, which is one of `dir`. Reads its directory only; damage
    /// elsewhere shows when it is read.
    ///
    /// # Errors
    /// `Damaged` where there is no directory that is whole; `NewerFormat`; `Io`.
    pub(crate) fn open(dir: &SegmentDir, path: &Path) -> Result<Self> {
        let file = unreadable::open(&*dir.disk, path)?;
        let source = SegmentSource { file: &*file, path, salt: dir.salt };
        let anchor = source.anchor()?;
        if anchor.version > SEGMENT_FORMAT_VERSION {
            let path = path.to_owned();
            return Err(Error::NewerFormat { path, found: anchor.version, known: SEGMENT_FORMAT_VERSION });
        }
        if (anchor.store_id, anchor.partition) != (dir.store_id, dir.partition) {
            return Err(source.damaged("it belongs to another store or partition; move it away"));
        }
        let directory = match source.directory(&anchor, anchor.second_offset())? {
            Some(directory) => directory,
            None => source
                .directory(&anchor, anchor.directory_offset)?
                .ok_or_else(|| source.damaged("both copies of its directory fail their checksums"))?,
        };
        let info = SegmentInfo::new(path.to_owned(), anchor.file_len(), &directory.groups);
        let schema = columns::schema().map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(Self {
            salt: dir.salt,
            schema: SchemaDescriptor::new(schema),
            anchor,
            maps: directory.groups.iter().map(|_| OnceLock::new()).collect(),
            flaws: directory.groups.iter().map(|_| OnceLock::new()).collect(),
            directory,
            info,
            file,
            received_at_ns: OnceLock::new(),
        })
    }

    /// The summary of the segment.
    pub(crate) fn info(&self) -> &SegmentInfo {
        &self.info
    }

    /// A row group of it, to be read.
    pub(super) fn group<'a>(&'a self, number: usize, entry: &'a RowGroup) -> Result<GroupSource<'a>> {
        let map = self.maps.get(number).zip(self.flaws.get(number));
        let (map, flaw) = map.ok_or_else(|| Error::Invalid(format!("there is no row group {number}")))?;
        let (file, path, salt, schema) = (&*self.file, &*self.info.path, self.salt, &self.schema);
        Ok(GroupSource { file, path, salt, schema, number, entry, map, flaw })
    }

    /// Damage of the parts of a row group that reads have come upon. It costs no event.
    pub(crate) fn flaw(&self, row_group: usize) -> Option<Error> {
        let what = self.flaws.get(row_group)?.get()?.clone();
        Some(Error::Damaged { path: self.info.path.clone(), what })
    }

    /// Where the blocks begin in the file that have nothing but parts of a row group, and where these
    /// end.
    #[cfg(test)]
    pub(super) fn parts_place(&self, number: usize) -> (u64, u64) {
        let entry = &self.row_groups()[number];
        let index = self.group(number, entry).unwrap().map().unwrap();
        let place = |offset: u32| entry.offset + u64::from(offset);
        let own = index.index.columns_end().next_multiple_of(crate::limits::SEGMENT_CHECK_BYTES as u32);
        (place(own), place(index.index.len))
    }

    /// Its topics with their counts, sorted, reserved ones included.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = (&str, Tally)> {
        self.directory.tallies()
    }

    /// The counts of one topic.
    pub(crate) fn tally(&self, topic: &str) -> Option<Tally> {
        self.directory.tally(topic)
    }

    /// Its row groups, in order of seq.
    pub(crate) fn row_groups(&self) -> &[RowGroup] {
        &self.directory.groups
    }

    /// Whether the row group of this number has events of `topic`. Costs a look-up in memory.
    pub(crate) fn has_topic(&self, row_group: usize, topic: &str) -> bool {
        self.directory.has_topic(row_group, topic)
    }

    /// Decodes the wanted events of a row group, in the wanted order, and only the pages that hold
    /// them.
    ///
    /// # Errors
    /// `Damaged` where a byte it needs is not as it was written, naming file, row group and seqs.
    /// Other row groups are not touched. `Invalid` where there is no such row group.
    pub(crate) fn decode(&self, row_group: usize, wanted: &RowQuery<'_>) -> Result<DecodedEvents> {
        let entry = self.row_groups().get(row_group);
        let entry = entry.ok_or_else(|| Error::Invalid(format!("there is no row group {row_group}")))?;
        let absent = matches!(wanted.topics, TopicChoice::One(topic) if !self.has_topic(row_group, topic));
        if absent || !wanted.may_be_in(entry) {
            return Ok(DecodedEvents::default());
        }
        GroupReader::load(self.group(row_group, entry)?)?.decode(wanted)
    }

    /// The wanted columns of the rows that are known to be wanted, and the rows whose payloads have
    /// to be asked: all others are not wanted. `None` where the columns cannot tell.
    ///
    /// # Errors
    /// As [`Segment::decode`].
    pub(crate) fn column_rows(
        &self,
        row_group: usize,
        wanted: &RowQuery<'_>,
        columns: &ColumnsWanted,
    ) -> Result<Option<(ColumnRows, RowSet)>> {
        let Some(entry) = self.row_groups().get(row_group) else {
            invariant!("a row group whose columns are wanted is gone")
        };
        GroupReader::load(self.group(row_group, entry)?)?.column_rows(wanted, columns)
    }

    /// Hands each wanted event of a row group to `visit`, with its seq and its `received_at`, in
    /// the wanted order.
    ///
    /// # Errors
    /// As [`Segment::decode`]; no event was visited then.
    pub(crate) fn visit(
        &self,
        row_group: usize,
        wanted: &RowQuery<'_>,
        mut visit: impl FnMut(u64, i64, EventRef<'_>),
    ) -> Result<()> {
        let decoded = self.decode(row_group, wanted)?;
        decoded.iter().for_each(|(seq, received_at_ns, event)| visit(seq, received_at_ns, event));
        Ok(())
    }

    /// The wanted events of a row group, in the wanted order. As [`Segment::decode`].
    ///
    /// # Errors
    /// As [`Segment::decode`].
    pub(crate) fn read(&self, row_group: usize, wanted: &RowQuery<'_>) -> Result<Vec<StoredEvent>> {
        let decoded = self.decode(row_group, wanted)?;
        Ok((0..decoded.len()).filter_map(|number| decoded.event(number)).collect())
    }

    /// The event of `topic` with this seq. Decodes one page of each column.
    ///
    /// # Errors
    /// As [`Segment::decode`].
    pub(crate) fn find(&self, topic: &str, seq: u64) -> Result<Option<StoredEvent>> {
        let groups = self.row_groups();
        let number = groups.partition_point(|group| group.last_seq < seq);
        if number == groups.len() {
            return Ok(None);
        }
        let wanted =
            RowQuery { topics: TopicChoice::One(topic), seqs: seq..seq.saturating_add(1), ..RowQuery::default() };
        Ok(self.read(number, &wanted)?.pop())
    }

    /// When its first and its last event were received: nanoseconds since 1970-01-01T00:00:00Z. All
    /// others came in between. Decodes a page of each column for either, the first time.
    ///
    /// # Errors
    /// As [`Segment::decode`].
    pub(crate) fn received_at_ns(&self) -> Result<(i64, i64)> {
        if let Some(known) = self.received_at_ns.get() {
            return Ok(*known);
        }
        let last_group = self.row_groups().len().saturating_sub(1);
        let first_ns = self.received_at_ns_of(0, self.info.first_seq)?;
        let last_ns = self.received_at_ns_of(last_group, self.info.last_seq)?;
        Ok(*self.received_at_ns.get_or_init(|| (first_ns, last_ns)))
    }

    fn received_at_ns_of(&self, row_group: usize, seq: u64) -> Result<i64> {
        let wanted = RowQuery { seqs: seq..seq.saturating_add(1), limit: 1, ..RowQuery::default() };
        let event = self.read(row_group, &wanted)?.pop();
        event
            .map(|event| event.received_at_ns)
            .ok_or_else(|| self.source().damaged(format!("row group {row_group} has no event with seq {seq}")))
    }

    /// Reads every byte of the file and checks it.
    ///
    /// # Errors
    /// `Damaged`, naming the first place that is not as it was written; `Io`.
    pub(crate) fn verify(&self) -> Result<()> {
        for number in 0..self.row_groups().len() {
            self.verify_group(number)?.flaw.map_or(Ok(()), Err)?;
        }
        self.verify_ends().map(drop)
    }

    /// Checks every byte of a row group.
    ///
    /// # Errors
    /// As [`Segment::verify`], but for its parts.
    pub(crate) fn verify_group(&self, number: usize) -> Result<GroupCheck> {
        let Some(entry) = self.row_groups().get(number) else {
            invariant!("a row group that was to be checked is gone")
        };
        let flaw = GroupReader::load(self.group(number, entry)?)?.verify()?;
        Ok(GroupCheck { bytes: entry.len_bytes(), flaw })
    }

    /// Checks every byte outside of row groups. Damage there costs no event. Answers how many there
    /// are.
    ///
    /// # Errors
    /// As [`Segment::verify`].
    pub(crate) fn verify_ends(&self) -> Result<u64> {
        let (anchor, source) = (&self.anchor, self.source());
        if source.file.len().at("read the length of", source.path)? != anchor.file_len() {
            return Err(source.damaged(format!("it should be {} bytes long", anchor.file_len())));
        }
        if source.read(0, 4)?.is_none_or(|magic| magic != *b"PAR1") {
            return Err(source.damaged("it does not begin with \"PAR1\""));
        }
        for offset in [anchor.directory_offset, anchor.second_offset()] {
            let copy = source.directory(anchor, offset)?;
            let found = source.anchor_at(offset + anchor.directory_len)?;
            if copy.as_ref() != Some(&self.directory) || found != Some(*anchor) {
                return Err(source.damaged(format!(
                    "the copy of its directory at byte {offset} fails its checksum; events are safe"
                )));
            }
        }
        self.parquet_tail()?;
        Ok(anchor.file_len() - self.row_groups().iter().map(RowGroup::len_bytes).sum::<u64>())
    }

    /// The end of the file, from Parquet's page indexes to its footer, with both of them verified.
    pub(super) fn parquet_tail(&self) -> Result<Bytes> {
        let (anchor, source) = (&self.anchor, self.source());
        let from = anchor.page_index_offset();
        let tail = source.read(from, anchor.file_len().saturating_sub(from))?;
        let sound = tail.filter(|tail| parquet_checksum(tail, anchor, self.salt) == Some(anchor.parquet_checksum));
        sound.map(Bytes::from).ok_or_else(|| {
            source.damaged("its Parquet footer fails its checksum; events are safe, but other tools may not read them")
        })
    }

    fn source(&self) -> SegmentSource<'_> {
        SegmentSource { file: &*self.file, path: &self.info.path, salt: self.salt }
    }
}

/// The outcome of checking a row group whose events are all there.
#[derive(Debug)]
pub(crate) struct GroupCheck {
    /// Its bytes.
    pub(crate) bytes: u64,
    /// Damage of its parts.
    pub(crate) flaw: Option<Error>,
}

/// The checksum of Parquet's page indexes and footer, in the end of a file that begins with those
/// indexes.
fn parquet_checksum(tail: &[u8], anchor: &Anchor, salt: Salt) -> Option<u64> {
    let mut hash = Xxh3::with_seed(salt.0);
    hash.update(tail.get(..usize::try_from(anchor.page_index_len).ok()?)?);
    hash.update(tail.get(tail.len().checked_sub(usize::try_from(anchor.footer_len).ok()?)?..)?);
    Some(hash.digest())
}

/// A file that should be a segment.
struct SegmentSource<'a> {
    file: &'a dyn DiskFile,
    path: &'a Path,
    salt: Salt,
}

impl SegmentSource<'_> {
    /// The anchor: where Parquet's footer says it is, or else wherever the last one is.
    fn anchor(&self) -> Result<Anchor> {
        let len = self.file.len().at("read the length of", self.path)?;
        if let Some(end) = self.read(len.saturating_sub(FOOTER_END_BYTES as u64), FOOTER_END_BYTES as u64)?
            && let Some(thrift_len) = end.first_chunk()
        {
            let behind = u64::from(u32::from_le_bytes(*thrift_len)) + (FOOTER_END_BYTES + ANCHOR_BYTES) as u64;
            if let Some(anchor) = self.anchor_at(len.saturating_sub(behind))? {
                return Ok(anchor);
            }
        }
        self.search(len)?
            .ok_or_else(|| self.damaged("it has no anchor: it is not a segment of this store, or its end is lost"))
    }

    fn anchor_at(&self, offset: u64) -> Result<Option<Anchor>> {
        let bytes = self.read(offset, ANCHOR_BYTES as u64)?;
        Ok(bytes.and_then(|bytes| Anchor::decode(&bytes, self.salt)))
    }

    /// Looks for an anchor from the end of the file to its beginning.
    fn search(&self, len: u64) -> Result<Option<Anchor>> {
        const WINDOW: u64 = 1024 * 1024;
        let mut end = len;
        while end > 0 {
            let start = end.saturating_sub(WINDOW);
            // An anchor may begin in this window and end in the one behind.
            let window = (end + ANCHOR_BYTES as u64).min(len) - start;
            let mut bytes = vec![0; window as usize];
            unreadable::read_around(self.file, self.path, &mut bytes, start)?;
            let mut places = bytes.windows(ANCHOR_MAGIC.len()).enumerate().rev();
            let found = places.find_map(|(at, magic)| {
                (magic == ANCHOR_MAGIC).then(|| Anchor::decode(bytes.get(at..)?, self.salt)).flatten()
            });
            if found.is_some() {
                return Ok(found);
            }
            end = start;
        }
        Ok(None)
    }

    fn directory(&self, anchor: &Anchor, offset: u64) -> Result<Option<Directory>> {
        let bytes = self.read(offset, anchor.directory_len)?;
        Ok(bytes.and_then(|bytes| Directory::decode(&bytes, self.salt)))
    }

    /// Bytes of the file; `None` where it ends before them, or the medium cannot read them.
    fn read(&self, offset: u64, len: u64) -> Result<Option<Vec<u8>>> {
        let file_len = self.file.len().at("read the length of", self.path)?;
        if offset.checked_add(len).is_none_or(|end| end > file_len) {
            return Ok(None);
        }
        let mut bytes = vec![0; len as usize];
        match unreadable::read_at(self.file, self.path, &mut bytes, offset) {
            Err(Error::Damaged { .. }) => Ok(None),
            read => read.map(|()| Some(bytes)),
        }
    }

    fn damaged(&self, what: impl Into<String>) -> Error {
        Error::Damaged { path: self.path.to_owned(), what: what.into() }
    }
}
