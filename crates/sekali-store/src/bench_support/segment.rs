//! Segments.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::RealDisk;
use crate::error::{Error, IoContext as _, Result};
use crate::event::{EventRef, StoredEvent};
use crate::meta::StoreMeta;
use crate::order::Order;
use crate::rules::Members;
use crate::segment::{self, PartRules, RowQuery, Segment, SegmentDir, SegmentWriter, TopicChoice};

/// A directory of segments.
#[derive(Debug)]
pub struct SegmentFiles(SegmentDir);

impl SegmentFiles {
    /// The segments of the first partition of a store, in `dir`, which is made where it is missing.
    pub fn create(dir: PathBuf, store: &StoreMeta) -> Result<Self> {
        let disk = Arc::new(RealDisk);
        crate::disk::Disk::create_dir_all(&*disk, &dir).at("create", &dir)?;
        Ok(Self(SegmentDir::new(disk, dir, store, 0)))
    }

    /// The same, for payloads that have these members: segments get columns of them.
    #[must_use]
    pub fn with_members(&self, members: Members) -> Self {
        Self(self.0.with_parts(Some(PartRules { members, texts: None })))
    }

    /// A writer of one segment.
    pub fn writer(&self) -> SegmentFileWriter {
        SegmentFileWriter(self.0.clone(), SegmentWriter::new(&self.0))
    }

    /// Joins adjacent segments.
    pub fn merge(&self, inputs: &[SealedFile]) -> Result<SealedFile> {
        let inputs: Vec<_> = inputs.iter().map(|input| Arc::clone(&input.0)).collect();
        let info = segment::merge(&self.0, &inputs)?;
        Segment::open(&self.0, &info.path).map(Arc::new).map(SealedFile)
    }
}

/// Writes a segment.
pub struct SegmentFileWriter(SegmentDir, SegmentWriter);

impl SegmentFileWriter {
    /// Appends an event. Seqs ascend.
    pub fn push(&mut self, seq: u64, received_at_ns: i64, event: &EventRef<'_>) -> Result<()> {
        self.1.push(seq, received_at_ns, event)
    }

    /// Completes the segment.
    ///
    /// # Errors
    /// Those of writing, and [`Error::Invalid`] where there were no events.
    pub fn finish(self) -> Result<SealedFile> {
        let info = self.1.finish()?.ok_or_else(|| Error::Invalid("a segment needs an event".to_owned()))?;
        Segment::open(&self.0, &info.path).map(Arc::new).map(SealedFile)
    }
}

/// The events to read of a row group.
#[derive(Debug, Clone)]
pub struct EventChoice<'a> {
    /// Of one topic; of all but reserved ones without one.
    pub topic: Option<&'a str>,
    /// With seqs in this range.
    pub seqs: Range<u64>,
    /// At most this many.
    pub limit: usize,
    /// In this order.
    pub order: Order,
}

impl Default for EventChoice<'_> {
    fn default() -> Self {
        Self { topic: None, seqs: 0..u64::MAX, limit: usize::MAX, order: Order::Ascending }
    }
}

impl<'a> EventChoice<'a> {
    fn query(&self) -> RowQuery<'a> {
        let topics = self.topic.map_or(TopicChoice::Unreserved, TopicChoice::One);
        RowQuery { topics, seqs: self.seqs.clone(), limit: self.limit, order: self.order, ..RowQuery::default() }
    }
}

/// An open segment.
#[derive(Debug)]
pub struct SealedFile(Arc<Segment>);

impl SealedFile {
    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        &self.0.info().path
    }

    /// Number of events.
    pub fn rows(&self) -> u64 {
        self.0.info().rows
    }

    /// Length of the file.
    pub fn file_bytes(&self) -> u64 {
        self.0.info().file_bytes
    }

    /// The first seq of each row group.
    pub fn row_groups(&self) -> Vec<u64> {
        self.0.row_groups().iter().map(|group| group.first_seq).collect()
    }

    /// Hands each chosen event of a row group to `visit`, with its seq.
    pub fn visit(
        &self,
        row_group: usize,
        choice: &EventChoice<'_>,
        mut visit: impl FnMut(u64, EventRef<'_>),
    ) -> Result<()> {
        self.0.visit(row_group, &choice.query(), |seq, _, event| visit(seq, event))
    }

    /// The chosen events of a row group.
    pub fn read(&self, row_group: usize, choice: &EventChoice<'_>) -> Result<Vec<StoredEvent>> {
        self.0.read(row_group, &choice.query())
    }

    /// The event of `topic` with this seq.
    pub fn find(&self, topic: &str, seq: u64) -> Result<Option<StoredEvent>> {
        self.0.find(topic, seq)
    }

    /// Reads every byte and checks it.
    pub fn verify(&self) -> Result<()> {
        self.0.verify()
    }
}
