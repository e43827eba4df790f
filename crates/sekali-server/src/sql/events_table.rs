//! The tables `events` and `conflicts`.

use std::ffi::CString;
use std::sync::Arc;

use rusqlite::Result;
use sekali_store::{Ahead, Order, Scan, Scanner, StoredEvent, partition_of};
use sekali_vtab::{Cell, ColumnsUsed, Comparison, Offer, Plan, Rows, ScanPlan, Table, Wish};

use super::SqlView;
use super::collation::{MOMENT, append_time};
use super::conditions::EventConditions;
use super::moment::Moment;
use super::watch::Watch;
use crate::limits::SCAN_BYTES_MAX;

/// A column of events. The numbers are those of the declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventColumn {
    Topic,
    EventId,
    Timestamp,
    Source,
    Payload,
    Seq,
    ReceivedAt,
    Partition,
    TimestampNs,
    ReceivedAtNs,
}

impl EventColumn {
    const ALL: [Self; 10] = [
        Self::Topic,
        Self::EventId,
        Self::Timestamp,
        Self::Source,
        Self::Payload,
        Self::Seq,
        Self::ReceivedAt,
        Self::Partition,
        Self::TimestampNs,
        Self::ReceivedAtNs,
    ];

    pub(super) fn of(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }

    /// Whether a condition on it can be made use of.
    fn takes(self, wish: &Wish) -> bool {
        match self {
            Self::Topic | Self::EventId | Self::Source => {
                wish.comparison == Comparison::Equal && wish.collation.eq_ignore_ascii_case("binary")
            }
            Self::Timestamp | Self::ReceivedAt => wish.collation.eq_ignore_ascii_case(MOMENT),
            Self::Seq | Self::Partition | Self::TimestampNs | Self::ReceivedAtNs => true,
            Self::Payload => false,
        }
    }
}

/// Events of one moment, those that the client may see.
pub(super) struct EventsTable {
    pub(super) moment: Arc<Moment>,
    pub(super) view: SqlView,
    /// The reserved topic that it has in place of all others.
    pub(super) reserved: Option<&'static str>,
    pub(super) watch: Arc<Watch>,
}

impl EventsTable {
    fn orders(&self, order: &[(usize, bool)]) -> bool {
        let columns: Vec<_> = order.iter().map(|(column, _)| EventColumn::of(*column)).collect();
        let is_one_way = order.windows(2).all(|pair| pair.first().map(|by| by.1) == pair.last().map(|by| by.1));
        let is_single = self.moment.partitions() == 1;
        is_one_way
            && match columns.as_slice() {
                [Some(EventColumn::Partition)] | [Some(EventColumn::Partition), Some(EventColumn::Seq)] => true,
                [Some(EventColumn::Seq), ..] => is_single,
                // It never decreases along a partition.
                [Some(EventColumn::ReceivedAt | EventColumn::ReceivedAtNs)]
                | [Some(EventColumn::ReceivedAt | EventColumn::ReceivedAtNs), Some(EventColumn::Seq)] => is_single,
                _ => false,
            }
    }
}

impl Table for EventsTable {
    type Rows = EventRows;

    fn declaration(&self) -> CString {
        c"CREATE TABLE events (topic TEXT, event_id TEXT, timestamp TEXT COLLATE moment, source TEXT, payload TEXT, \
          seq INTEGER, received_at TEXT COLLATE moment, partition INTEGER, timestamp_ns INTEGER HIDDEN, \
          received_at_ns INTEGER HIDDEN)"
            .to_owned()
    }

    fn plan(&self, offer: &Offer) -> Plan {
        let column = |wish: &Wish| EventColumn::of(wish.column);
        let wishes = offer.wishes.iter().enumerate();
        let taken: Vec<_> = wishes
            .filter(|(_, wish)| column(wish).is_some_and(|column| column.takes(wish)))
            .map(|(at, _)| at)
            .collect();
        let has = |wanted: EventColumn, equal: bool| {
            let wishes = taken.iter().filter_map(|at| offer.wishes.get(*at));
            let mut wishes = wishes.filter(|wish| column(wish) == Some(wanted));
            wishes.any(|wish| !equal || wish.comparison == Comparison::Equal)
        };
        let mut rows = self.moment.events().max(1) as f64;
        let by_topic = has(EventColumn::Topic, true);
        if by_topic && has(EventColumn::EventId, true) {
            return Plan { taken, cost: 50.0, rows: 1, is_ordered: self.orders(&offer.order) };
        }
        // Guesses: the order between plans matters, and nothing else.
        let times = [EventColumn::Timestamp, EventColumn::TimestampNs, EventColumn::Seq, EventColumn::ReceivedAt];
        for (narrows, by) in [(by_topic, 10.0), (times.iter().any(|time| has(*time, false)), 4.0)] {
            rows /= if narrows { by } else { 1.0 };
        }
        let cost = rows;
        rows /= if has(EventColumn::Source, true) { 10.0 } else { 1.0 };
        Plan { taken, cost, rows: rows as i64 + 1, is_ordered: self.orders(&offer.order) }
    }

    fn open(self: &Arc<Self>) -> EventRows {
        EventRows {
            table: Arc::clone(self),
            conditions: EventConditions::new(&[]),
            order: Order::Ascending,
            used: ColumnsUsed::default(),
            partitions: Vec::new(),
            partition: 0,
            source: Source::None,
            event: None,
        }
    }
}

/// Events of one scan.
pub(super) struct EventRows {
    table: Arc<EventsTable>,
    conditions: EventConditions,
    order: Order,
    /// The columns that the statement reads.
    used: ColumnsUsed,
    /// Partitions to read, the next one last.
    partitions: Vec<u32>,
    /// The partition of the event.
    partition: u32,
    source: Source,
    event: Option<StoredEvent>,
}

enum Source {
    None,
    Scan(Box<Scanner>),
    /// Events that were looked up, the next one last.
    Found(Vec<StoredEvent>),
}

impl EventRows {
    /// Whether the events that it reads are looked up by their keys.
    fn keys(&self) -> Option<(&[String], &[String])> {
        let topics = self.conditions.topics.as_deref().filter(|_| self.table.reserved.is_none())?;
        Some((topics, self.conditions.event_ids.as_deref()?))
    }

    /// Opens the next partition. `false` if there is none.
    fn open_next(&mut self) -> Result<bool> {
        let Some(partition) = self.partitions.pop() else { return Ok(false) };
        self.partition = partition;
        if let Some((topics, event_ids)) = self.keys() {
            self.source = Source::Found(self.look_up(partition, topics, event_ids)?);
            return Ok(true);
        }
        let conditions = &self.conditions;
        let topic = match (self.table.reserved, conditions.topics.as_deref()) {
            (Some(reserved), _) => Some(reserved.to_owned()),
            (None, Some([topic])) => Some(topic.clone()),
            (None, _) => None,
        };
        let (from, to) = (*conditions.seqs.start(), *conditions.seqs.end());
        let after = match self.order {
            Order::Ascending => u64::try_from(from.saturating_sub(1)).ok(),
            Order::Descending => u64::try_from(to.saturating_add(1)).ok().filter(|_| to < i64::MAX),
        };
        let timestamps_ns = Some(conditions.timestamps_ns.clone());
        let (unread, sources) = (conditions.unread(self.used), conditions.of_sources());
        let bytes_max = Some(SCAN_BYTES_MAX);
        let wanted = Scan { topic, after, order: self.order, timestamps_ns, bytes_max, ..Scan::default() };
        let scan = Scan { unread, conditions: sources, ..wanted };
        let scanner = self.table.moment.scan(partition, scan);
        self.source = scanner.map_or(Source::None, |scanner| Source::Scan(Box::new(scanner)));
        Ok(true)
    }

    fn look_up(&self, partition: u32, topics: &[String], event_ids: &[String]) -> Result<Vec<StoredEvent>> {
        let moment = &self.table.moment;
        let topics = topics.iter().filter(|topic| partition_of(topic, moment.partitions()) == partition);
        let mut found = Vec::new();
        for (topic, event_id) in topics.flat_map(|topic| event_ids.iter().map(move |event_id| (topic, event_id))) {
            self.table.watch.count()?;
            found.extend(moment.find(partition, topic, event_id).map_err(|error| self.table.watch.fail(error))?);
        }
        found.sort_unstable_by_key(|event| event.seq);
        found.dedup_by_key(|event| event.seq);
        if self.order == Order::Ascending {
            found.reverse();
        }
        Ok(found)
    }

    /// The next event of the partition, whether it meets the conditions or not.
    fn next_event(&mut self) -> Result<Option<StoredEvent>> {
        let event = match &mut self.source {
            Source::None => None,
            Source::Found(found) => found.pop(),
            Source::Scan(scanner) => loop {
                let watch = &self.table.watch;
                match scanner.advance().map_err(|error| watch.fail(error))? {
                    Ahead::Event => {
                        watch.count()?;
                        break scanner.next().transpose().map_err(|error| watch.fail(error))?;
                    }
                    // Many events may have been passed at once.
                    Ahead::Passed { .. } | Ahead::Columns => watch.count()?,
                    Ahead::End => break None,
                }
            },
        };
        let Some(event) = event else { return Ok(None) };
        if self.is_past(&event) {
            self.source = Source::None;
            return Ok(None);
        }
        Ok(Some(event))
    }

    /// Whether no event behind this one can meet the conditions.
    fn is_past(&self, event: &StoredEvent) -> bool {
        let (seqs, received) = (&self.conditions.seqs, &self.conditions.received_ns);
        let seq = i64::try_from(event.seq).unwrap_or(i64::MAX);
        match self.order {
            Order::Ascending => seq > *seqs.end() || event.received_at_ns > *received.end(),
            Order::Descending => seq < *seqs.start() || event.received_at_ns < *received.start(),
        }
    }

    fn is_seen(&self, event: &StoredEvent) -> bool {
        let seq = i64::try_from(event.seq).unwrap_or(i64::MAX);
        let is_there = self.conditions.seqs.contains(&seq) && self.conditions.hold(event);
        is_there && (self.table.reserved.is_some() || self.table.view.includes(&event.topic))
    }
}

impl Rows for EventRows {
    fn begin(&mut self, scan: ScanPlan) -> Result<()> {
        self.conditions = EventConditions::new(&scan.conditions);
        self.order = if scan.is_descending { Order::Descending } else { Order::Ascending };
        self.used = scan.used;
        self.source = Source::None;
        let count = self.table.moment.partitions();
        let mut partitions: Vec<_> = if self.conditions.is_never { Vec::new() } else { (0..count).collect() };
        partitions.retain(|partition| self.conditions.partitions.contains(&i64::from(*partition)));
        if self.table.reserved.is_none()
            && let Some(topics) = &self.conditions.topics
        {
            partitions.retain(|partition| topics.iter().any(|topic| partition_of(topic, count) == *partition));
        }
        if self.order == Order::Ascending {
            partitions.reverse();
        }
        self.partitions = partitions;
        self.advance()
    }

    fn advance(&mut self) -> Result<()> {
        self.event = None;
        loop {
            match self.next_event()? {
                Some(event) if self.is_seen(&event) => {
                    self.event = Some(event);
                    return Ok(());
                }
                Some(_) => {}
                None if self.open_next()? => {}
                None => return Ok(()),
            }
        }
    }

    fn is_end(&self) -> bool {
        self.event.is_none()
    }

    fn column(&self, column: usize, cell: &mut Cell<'_>) -> Result<()> {
        let (Some(column), Some(event)) = (EventColumn::of(column), &self.event) else { return Ok(()) };
        let time = |ns| {
            let mut text = Vec::with_capacity(32);
            append_time(&mut text, ns);
            text
        };
        match column {
            EventColumn::Topic => cell.text(event.topic.as_bytes()),
            EventColumn::EventId => cell.text(event.event_id.as_bytes()),
            EventColumn::Timestamp => cell.text(&time(event.timestamp_ns)),
            EventColumn::Source => cell.text(event.source.as_bytes()),
            EventColumn::Payload => cell.text(&event.payload),
            EventColumn::Seq => cell.integer(i64::try_from(event.seq).unwrap_or(i64::MAX)),
            EventColumn::ReceivedAt => cell.text(&time(event.received_at_ns)),
            EventColumn::Partition => cell.integer(i64::from(self.partition)),
            EventColumn::TimestampNs => cell.integer(event.timestamp_ns),
            EventColumn::ReceivedAtNs => cell.integer(event.received_at_ns),
        }
    }

    fn row_id(&self) -> i64 {
        let seq = self.event.as_ref().map_or(0, |event| event.seq);
        (i64::from(self.partition) << PARTITION_SHIFT) | i64::try_from(seq).unwrap_or(i64::MAX)
    }
}

/// Bits of a seq in the number of a row: room for 10^14 events in each of 65,536 partitions.
const PARTITION_SHIFT: u32 = 47;
