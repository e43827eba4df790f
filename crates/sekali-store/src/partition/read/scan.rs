//! Reads many events in order, a chunk at a time.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::chunk::{self, Chunk, ReadLimit, ReadRange};
use super::due;
use super::event_batch::EventBatch;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::limits::SCAN_BYTES_MAX;
use crate::order::Order;
use crate::partition::data_file::DataFile;
use crate::partition::horizon::Horizon;
use crate::partition::shared::{Shared, Snapshot};
use crate::segment::TopicChoice;

/// Which events to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Bytes of an event in the last read, on average; 0 before the first.
    event_bytes: usize,
    buffer: EventBatch,
    /// `from` and `to` before the buffer was filled.
    before: (u64, u64),
    /// The seq of the last event that was handed out.
    last_seq: Option<u64>,
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
            event_bytes: 0,
            buffer: EventBatch::default(),
            before: (from, to),
            last_seq: None,
        }
    }

    /// Lets go of the events that were read ahead and of all files, for a reader that pauses. The
    /// scan goes on behind the last event that it handed out, in the files that are live then:
    /// events that expire in between are left out.
    pub fn release(&mut self) {
        self.files = None;
        self.limit = FIRST_READ_EVENTS;
        if std::mem::take(&mut self.buffer).next().is_none() {
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
        let range = ReadRange { topics, timestamps_ns, from: self.from, to: self.to, order: self.order };
        let files = self.files.get_or_insert_with(|| self.shared.snapshot().files);
        let Some((file, chunk)) = next_chunk(files, &range) else { return Ok(false) };
        // What was read before is not needed any more, and is as large as what comes.
        self.buffer = EventBatch::default();
        let limit = ReadLimit { events: self.limit, bytes: self.bytes_max, event_bytes: self.event_bytes };
        let (found, cut) = chunk::read(file, &chunk, &range, limit, &self.shared.losses).map_err(|error| {
            let last_seq = chunk.end_seq.min(range.to).saturating_sub(1);
            error.while_reading(chunk.first_seq.max(range.from), last_seq)
        })?;
        self.event_bytes = found.bytes().checked_div(found.len()).unwrap_or(self.event_bytes);
        self.buffer = found;
        self.before = (self.from, self.to);
        self.limit = (self.limit * READ_GROWTH).min(READ_EVENTS_MAX);
        match self.order {
            Order::Ascending => self.from = cut.map_or(chunk.end_seq, |last_seq| last_seq + 1),
            Order::Descending => self.to = cut.unwrap_or(chunk.first_seq),
        }
        Ok(true)
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
            if let Some(event) = self.buffer.next() {
                self.last_seq = Some(event.seq);
                if self.horizon.as_ref().is_some_and(|horizon| horizon.hides(&event.topic, event.seq)) {
                    continue;
                }
                return Some(Ok(event));
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    // Not again and again the same error.
                    self.from = self.to;
                    return Some(Err(error));
                }
            }
        }
    }
}
