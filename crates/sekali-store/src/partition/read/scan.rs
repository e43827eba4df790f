//! Reads many events in order, a chunk at a time.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::chunk::{self, Chunk, ReadLimit, ReadRange};
use super::due;
use super::event_batch::EventBatch;
use crate::error::{Error, Result};
use crate::event::{EventView, StoredEvent, Unread};
use crate::limits::SCAN_BYTES_MAX;
use crate::order::Order;
use crate::partition::data_file::DataFile;
use crate::partition::horizon::Horizon;
use crate::partition::shared::{Shared, Snapshot};
use crate::rules::PayloadConditions;
use crate::segment::{ColumnRows, ColumnsWanted, RowSet, TopicChoice};

/// Which events to read.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Only this topic; all but the reserved ones where there is none.
    pub topic: Option<String>,
    /// Where no topic is named: the reserved ones as well.
    pub reserved: bool,
    /// Begin behind this seq, in the direction of `order`.
    pub after: Option<u64>,
    /// Direction.
    pub order: Order,
    /// Only events with timestamps in this range are wanted: nanoseconds since
    /// 1970-01-01T00:00:00Z. A hint: others may be among the answers all the same, but what can be
    /// left unread is.
    pub timestamps_ns: Option<RangeInclusive<i64>>,
    /// About how many bytes of events to hold in memory, 8 MiB where there is none. A single event
    /// may be larger.
    pub bytes_max: Option<usize>,
    /// Columns that need not be read. Payloads are, where conditions on them cannot be decided
    /// without.
    pub unread: Unread,
    /// Conditions on payloads that are wanted. A hint: events that do not meet them may be among
    /// the answers, unless the scanner [is judged](Scanner::is_judged).
    pub conditions: Option<Arc<dyn PayloadConditions>>,
    /// Columns that are enough for the reader, where they can be had without making events. Then
    /// events of other times are left out for certain, and [`Scanner::release`] does nothing.
    pub columns: Option<ColumnsWanted>,
}

/// The outcome of looking for the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// An event, which [`Scanner::peek`] shows.
    Event,
    /// Columns of events, which [`Scanner::take_columns`] hands out.
    Columns,
    /// Nothing yet: a part of a file was looked through.
    Passed {
        /// The events in it that are known not to meet the conditions.
        events: u64,
        /// The scan goes on behind this seq, in its direction.
        after: u64,
    },
    /// No more events.
    End,
}

/// Events taken from a segment by the first read of a scan, which is often the only one; each
/// further read takes four times as many, up to [`SCAN_BYTES_MAX`].
const FIRST_READ_EVENTS: usize = 128;
const READ_GROWTH: usize = 4;
const READ_EVENTS_MAX: usize = 32 * 1024;

/// Events in order of seq, as they were when the scan began. Holds one chunk in memory: an extent
/// of a log file, about 64 KiB, or some of a row group of a segment, about
/// [`SCAN_BYTES_MAX`] of it.
#[derive(Debug)]
pub struct Scanner {
    shared: Arc<Shared>,
    /// The files to read. `None` after they were [released](Self::release).
    files: Option<Arc<Vec<DataFile>>>,
    /// The first seq that is not there yet at the moment that is read.
    end_seq: u64,
    topics: ScanTopics,
    /// The time of the read, until it is known what is due then.
    now_ns: Option<i64>,
    /// The events that are due by age, and left out.
    horizon: Option<Arc<Horizon>>,
    timestamps_ns: RangeInclusive<i64>,
    order: Order,
    /// Seqs still to be read: from `from`, up to but not including `to`.
    from: u64,
    to: u64,
    /// Most events to take from a segment at a time.
    limit: usize,
    bytes_max: usize,
    unread: Unread,
    conditions: Option<Arc<dyn PayloadConditions>>,
    columns: Option<ColumnsWanted>,
    /// Those that were found and not taken yet.
    found: Option<ColumnRows>,
    /// The rows of the next chunk that are still to be read, if not all are.
    rest: Option<RowSet>,
    /// Bytes of an event in the last read, on average; 0 before the first.
    event_bytes: usize,
    buffer: EventBatch,
    /// `from` and `to` before the buffer was filled.
    before: (u64, u64),
    /// The seq of the last event that was handed out.
    last_seq: Option<u64>,
    /// Events that were passed over, not yet told.
    passed: u64,
}

/// Which topics to read.
#[derive(Debug)]
enum ScanTopics {
    All,
    Unreserved,
    One(String),
}

impl Scanner {
    /// Reads what is not due by age at `now_ns`, or everything if there is no time.
    pub(crate) fn new(shared: Arc<Shared>, scan: Scan, now_ns: Option<i64>) -> Self {
        let snapshot = shared.snapshot();
        Self::of_moment(shared, snapshot, scan, now_ns)
    }

    /// Begins another scan of the moment that this one reads, for queries that read it several
    /// times.
    pub fn another(&self, scan: Scan) -> Self {
        let shared = Arc::clone(&self.shared);
        let files = self.files.clone().unwrap_or_else(|| shared.snapshot().files);
        let snapshot = Snapshot { files, end_seq: self.end_seq };
        let horizon = self.horizon.clone();
        Self { horizon, ..Self::of_moment(shared, snapshot, scan, self.now_ns) }
    }

    /// The seq of the newest event of the moment that is read; 0 where there is none.
    pub fn last_seq(&self) -> u64 {
        self.end_seq - 1
    }

    fn of_moment(shared: Arc<Shared>, snapshot: Snapshot, scan: Scan, now_ns: Option<i64>) -> Self {
        let all = if scan.reserved { ScanTopics::All } else { ScanTopics::Unreserved };
        let topics = scan.topic.map_or(all, ScanTopics::One);
        let mut scanner = Self::with(shared, snapshot, topics, scan.after, scan.order);
        if let Some(timestamps_ns) = scan.timestamps_ns {
            scanner.timestamps_ns = timestamps_ns;
        }
        scanner.now_ns = now_ns;
        scanner.bytes_max = scan.bytes_max.unwrap_or(SCAN_BYTES_MAX);
        scanner.unread = scan.unread;
        scanner.conditions = scan.conditions;
        scanner.columns = scan.columns;
        scanner
    }

    /// Takes one event first, for who needs no more.
    pub(crate) fn beginning_with_one(self) -> Self {
        Self { limit: 1, ..self }
    }

    /// Every event there is, reserved topics included.
    pub(crate) fn everything(shared: Arc<Shared>) -> Self {
        let snapshot = shared.snapshot();
        Self::with(shared, snapshot, ScanTopics::All, None, Order::Ascending)
    }

    /// The same from `seq` on.
    pub(super) fn everything_from(shared: Arc<Shared>, seq: u64) -> Self {
        let snapshot = shared.snapshot();
        Self::with(shared, snapshot, ScanTopics::All, seq.checked_sub(1), Order::Ascending)
    }

    fn with(shared: Arc<Shared>, snapshot: Snapshot, topics: ScanTopics, after: Option<u64>, order: Order) -> Self {
        let Snapshot { files, end_seq } = snapshot;
        let (from, to) = match (order, after) {
            (Order::Ascending, after) => (after.map_or(1, |after| after.saturating_add(1)), end_seq),
            (Order::Descending, after) => (1, after.map_or(end_seq, |after| after.min(end_seq))),
        };
        Self {
            shared,
            files: Some(files),
            end_seq,
            topics,
            now_ns: None,
            horizon: None,
            timestamps_ns: i64::MIN..=i64::MAX,
            order,
            from,
            to,
            limit: FIRST_READ_EVENTS,
            bytes_max: SCAN_BYTES_MAX,
            unread: Unread::default(),
            conditions: None,
            columns: None,
            found: None,
            rest: None,
            event_bytes: 0,
            buffer: EventBatch::default(),
            before: (from, to),
            last_seq: None,
            passed: 0,
        }
    }

    /// Lets go of the events that were read ahead and of all files, for a reader that pauses. The
    /// scan goes on behind the last event that it handed out, in the files that are live then:
    /// events that expire in between are left out.
    pub fn release(&mut self) {
        if self.columns.is_some() {
            return;
        }
        self.files = None;
        self.limit = FIRST_READ_EVENTS;
        if std::mem::take(&mut self.buffer).pass().is_none() {
            return;
        }
        let (from, to) = self.before;
        match self.order {
            Order::Ascending => self.from = self.last_seq.map_or(from, |last| from.max(last.saturating_add(1))),
            Order::Descending => self.to = self.last_seq.map_or(to, |last| to.min(last)),
        }
    }

    /// Finds out, once, what is due by age.
    fn look_at_time(&mut self) -> Result<()> {
        let Some(now_ns) = self.now_ns.take() else { return Ok(()) };
        self.horizon = due::horizon(&self.shared, now_ns)?;
        let first_seq = self.horizon.as_ref().map_or(0, |horizon| match &self.topics {
            ScanTopics::One(topic) => horizon.first_seq_of(topic),
            ScanTopics::All | ScanTopics::Unreserved => horizon.first_seq(),
        });
        self.from = self.from.max(first_seq);
        Ok(())
    }

    /// Fills the buffer from the next chunk that may hold something. `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        self.look_at_time()?;
        let topics = match &self.topics {
            ScanTopics::All => TopicChoice::All,
            ScanTopics::Unreserved => TopicChoice::Unreserved,
            ScanTopics::One(topic) => TopicChoice::One(topic),
        };
        let timestamps_ns = self.timestamps_ns.clone();
        let (from, to, order, unread) = (self.from, self.to, self.order, self.unread);
        let conditions = self.conditions.as_deref();
        let rows = self.rest.as_ref();
        let range = ReadRange { topics, timestamps_ns, from, to, order, unread, conditions, rows };
        let files = self.files.get_or_insert_with(|| self.shared.snapshot().files);
        let Some((file, chunk)) = next_chunk(files, &range) else { return Ok(false) };
        // What was read before is not needed any more, and is as large as what comes.
        self.buffer = EventBatch::default();
        let lost = |error: Error| {
            let last_seq = chunk.end_seq.min(range.to).saturating_sub(1);
            error.while_reading(chunk.first_seq.max(range.from), last_seq)
        };
        let is_due = self.horizon.as_ref().is_some_and(|horizon| horizon.reaches(chunk.first_seq));
        if let Some(columns) = self.columns.as_ref().filter(|_| rows.is_none() && !is_due)
            && let Some((found, rest)) =
                chunk::read_columns(file, &chunk, &range, columns, &self.shared.losses).map_err(lost)?
        {
            (self.found, self.rest) = (Some(found), Some(rest).filter(|rest| !rest.is_empty()));
            if self.rest.is_none() {
                self.go_on_behind(chunk, None);
            }
            return Ok(true);
        }
        let limit = ReadLimit { events: self.limit, bytes: self.bytes_max, event_bytes: self.event_bytes };
        let (found, cut) = chunk::read(file, &chunk, &range, limit, &self.shared.losses).map_err(lost)?;
        self.event_bytes = found.bytes().checked_div(found.len()).unwrap_or(self.event_bytes);
        self.buffer = found;
        self.before = (self.from, self.to);
        self.limit = (self.limit * READ_GROWTH).min(READ_EVENTS_MAX);
        self.go_on_behind(chunk, cut);
        Ok(true)
    }

    /// Goes on behind a chunk, or behind the last seq of it that was read.
    fn go_on_behind(&mut self, chunk: Chunk, cut: Option<u64>) {
        self.rest = self.rest.take().filter(|_| cut.is_some());
        match self.order {
            Order::Ascending => self.from = cut.map_or(chunk.end_seq, |last_seq| last_seq + 1),
            Order::Descending => self.to = cut.unwrap_or(chunk.first_seq),
        }
    }

    /// The columns that [`Scanner::advance`] has found.
    pub fn take_columns(&mut self) -> Option<ColumnRows> {
        self.found.take()
    }

    /// Looks for the next event, in one part of a file at most.
    ///
    /// # Errors
    /// Those of reading; there are no more events then.
    pub fn advance(&mut self) -> Result<Ahead> {
        if self.found.is_some() {
            return Ok(Ahead::Columns);
        }
        if self.pass_due() {
            return Ok(Ahead::Event);
        }
        match self.fill() {
            Ok(true) if self.found.is_some() => Ok(Ahead::Columns),
            Ok(true) if self.pass_due() => {
                self.passed += self.buffer.passed();
                Ok(Ahead::Event)
            }
            Ok(true) => {
                let after = match self.order {
                    Order::Ascending => self.from.saturating_sub(1),
                    Order::Descending => self.to,
                };
                Ok(Ahead::Passed { events: self.buffer.passed(), after })
            }
            Ok(false) => Ok(Ahead::End),
            Err(error) => {
                // Not again and again the same error.
                self.from = self.to;
                Err(error)
            }
        }
    }

    /// Passes over events that are due by age. `false` where none is left in the buffer.
    fn pass_due(&mut self) -> bool {
        while let Some(event) = self.buffer.peek() {
            let Some(horizon) = &self.horizon else { return true };
            if !horizon.hides(event.topic, event.seq) {
                return true;
            }
            self.pass();
        }
        false
    }

    /// The event that [`Scanner::advance`] has found.
    pub fn peek(&self) -> Option<EventView<'_>> {
        self.buffer.peek()
    }

    /// Whether that event is known to meet the conditions on payloads. Its payload may have been
    /// left unread then.
    pub fn is_judged(&self) -> bool {
        self.buffer.is_judged()
    }

    /// How many events were found not to meet the conditions since this was asked last, beside those
    /// that [`Ahead::Passed`] has told.
    pub fn take_passed(&mut self) -> u64 {
        std::mem::take(&mut self.passed)
    }

    /// Goes on behind the event that [`Scanner::peek`] has shown.
    pub fn pass(&mut self) {
        self.last_seq = self.buffer.pass().or(self.last_seq);
    }
}

/// The next chunk, in the direction of `range`, that may hold something of it.
fn next_chunk<'a>(files: &'a [DataFile], range: &ReadRange<'_>) -> Option<(&'a DataFile, Chunk)> {
    if range.from >= range.to {
        return None;
    }
    let find = |file: &'a DataFile| Some((file, chunk::next_chunk(file, range)?));
    match range.order {
        Order::Ascending => {
            let after = files.partition_point(|file| file.first_seq() <= range.from);
            files.iter().skip(after.saturating_sub(1)).find_map(find)
        }
        Order::Descending => {
            let after = files.partition_point(|file| file.first_seq() < range.to);
            files.iter().take(after).rev().find_map(find)
        }
    }
}

impl Iterator for Scanner {
    type Item = Result<StoredEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(Ahead::Event) => {
                    let event = self.buffer.take()?;
                    self.last_seq = Some(event.seq);
                    return Some(Ok(event));
                }
                Ok(Ahead::Passed { .. } | Ahead::Columns) => {}
                Ok(Ahead::End) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
