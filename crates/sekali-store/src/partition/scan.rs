//! Reads many events in order, one extent at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::shared::{Shared, Snapshot};
use crate::error::Result;
use crate::event::{StoredEvent, is_reserved};
use crate::log::file::LogFile;
use crate::log::outline::{ExtentSpan, Outline};

/// Which events to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Only this topic; all but the reserved ones where there is none.
    pub topic: Option<String>,
    /// Begin behind this seq, in the direction of `order`.
    pub after: Option<u64>,
    /// Direction.
    pub order: Order,
}

/// Direction of a scan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

/// Events in order of seq, as they were when the scan began. Holds one extent in memory: about 64 KiB, or one large event.
#[derive(Debug)]
pub struct Scanner {
    shared: Arc<Shared>,
    snapshot: Snapshot,
    topics: Topics,
    order: Order,
    /// Seqs still to be read: from `from`, up to but not including `to`.
    from: u64,
    to: u64,
    buffer: VecDeque<StoredEvent>,
}

/// Which topics to read.
#[derive(Debug)]
enum Topics {
    All,
    /// All but the reserved ones.
    Public,
    One(String),
}

impl Topics {
    fn include(&self, topic: &str) -> bool {
        match self {
            Self::All => true,
            Self::Public => !is_reserved(topic),
            Self::One(wanted) => topic == wanted,
        }
    }
}

impl Scanner {
    pub(super) fn new(shared: Arc<Shared>, scan: Scan) -> Self {
        let topics = scan.topic.map_or(Topics::Public, Topics::One);
        Self::with(shared, topics, scan.after, scan.order)
    }

    /// Every event there is, reserved topics included.
    pub(super) fn everything(shared: Arc<Shared>) -> Self {
        Self::with(shared, Topics::All, None, Order::Ascending)
    }

    fn with(shared: Arc<Shared>, topics: Topics, after: Option<u64>, order: Order) -> Self {
        let snapshot = shared.snapshot();
        let (from, to) = match (order, after) {
            (Order::Ascending, after) => (after.map_or(1, |after| after.saturating_add(1)), snapshot.end_seq),
            (Order::Descending, after) => (1, after.map_or(snapshot.end_seq, |after| after.min(snapshot.end_seq))),
        };
        Self { shared, snapshot, topics, order, from, to, buffer: VecDeque::new() }
    }

    /// Fills the buffer from the next extent that may hold something. `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        let Some((file, span)) = self.next_extent() else { return Ok(false) };
        let wanted = self.from..self.to;
        let (topics, buffer) = (&self.topics, &mut self.buffer);
        file.read_extent(span, &self.shared.damage, |seq, received_at_ns, event| {
            if wanted.contains(&seq) && topics.include(event.topic) {
                buffer.push_back(StoredEvent::new(seq, received_at_ns, &event));
            }
        })?;
        match self.order {
            Order::Ascending => self.from = span.end_seq,
            Order::Descending => self.to = span.first_seq,
        }
        Ok(true)
    }

    /// The next extent, in the direction of the scan, that may hold wanted events.
    fn next_extent(&self) -> Option<(Arc<LogFile>, ExtentSpan)> {
        if self.from >= self.to {
            return None;
        }
        let files = &self.snapshot.files;
        let find = |file: &Arc<LogFile>| Some((Arc::clone(file), self.extent_in(&file.outline())?));
        match self.order {
            Order::Ascending => {
                let after = files.partition_point(|file| file.first_seq <= self.from);
                files.iter().skip(after.saturating_sub(1)).find_map(find)
            }
            Order::Descending => {
                let after = files.partition_point(|file| file.first_seq < self.to);
                files.iter().take(after).rev().find_map(find)
            }
        }
    }

    fn extent_in(&self, outline: &Outline) -> Option<ExtentSpan> {
        let wanted = |number: u32| {
            let span = outline.extent(number)?;
            (span.first_seq < self.to && span.end_seq > self.from).then_some(span)
        };
        let numbers = match &self.topics {
            Topics::One(topic) => Numbers::Some(&outline.topics.get(&**topic)?.extents),
            Topics::All | Topics::Public => Numbers::All(outline.extents.len()),
        };
        let first_seq = |number: u32| outline.extent(number).map_or(u64::MAX, |span| span.first_seq);
        match self.order {
            // The extent before may reach into what is wanted.
            Order::Ascending => {
                let after = numbers.partition_point(|number| first_seq(number) <= self.from);
                (after.saturating_sub(1)..numbers.len()).find_map(|at| wanted(numbers.get(at)?))
            }
            Order::Descending => {
                let after = numbers.partition_point(|number| first_seq(number) < self.to);
                wanted(numbers.get(after.checked_sub(1)?)?)
            }
        }
    }
}

/// Ascending numbers of extents.
#[derive(Clone, Copy)]
enum Numbers<'a> {
    All(usize),
    Some(&'a [u32]),
}

impl Numbers<'_> {
    fn len(self) -> usize {
        match self {
            Self::All(len) => len,
            Self::Some(numbers) => numbers.len(),
        }
    }

    fn get(self, at: usize) -> Option<u32> {
        match self {
            Self::All(len) => (at < len).then_some(at as u32),
            Self::Some(numbers) => numbers.get(at).copied(),
        }
    }

    /// How many of them, at the front, have `wanted`.
    fn partition_point(self, wanted: impl Fn(u32) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(&wanted) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

impl Iterator for Scanner {
    type Item = Result<StoredEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let event = match self.order {
                Order::Ascending => self.buffer.pop_front(),
                Order::Descending => self.buffer.pop_back(),
            };
            if let Some(event) = event {
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
