//! Batches of events for publish requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// The events of one publish request, and their origin.
#[derive(Debug, Clone)]
pub struct Batch {
    /// A JSON array of the events.
    pub body: Bytes,
    /// The file, `stdin` or `generated`.
    pub origin: Arc<str>,
    /// The line in which each event begins, from 1; in SQLite its rowid.
    pub lines: Vec<i64>,
    /// Elements that are not events, and the reason. The server refuses such a batch and names all
    /// that is wrong in it.
    pub bad: Vec<(usize, String)>,
    /// The events are evidence of conflicts. It is of use only with the events that it conflicts
    /// with.
    pub evidence: bool,
    /// Bytes of input that the batch was made from; 0 if generated.
    pub input_bytes: u64,
}

impl Batch {
    /// Number of events.
    pub fn events(&self) -> u64 {
        self.lines.len() as u64
    }

    /// The origin of event `index` of the request, as `file:line`; without `index`, only the file.
    pub fn place_of(&self, index: Option<usize>) -> String {
        match index.and_then(|index| self.lines.get(index)) {
            Some(line) => format!("{}:{line}", self.origin),
            None => self.origin.to_string(),
        }
    }
}

/// The next part of the input of a [`Publisher`](crate::Publisher). `E` is the error of the reader.
#[derive(Debug)]
pub enum Feed<E> {
    /// Events to publish.
    Batch(Batch),
    /// Input that is no event.
    Invalid {
        /// `file:line`.
        place: String,
        /// Number of rows that are lost; 0 if the fault costs none.
        rows: u64,
        /// The fault.
        reason: String,
    },
    /// A file cannot be read any further. What was read of it was sent; the next file follows.
    Failed(E),
    /// Everything was sent. A feed that ends without this broke off.
    End,
}

/// Collects events until a request is full, by number or by bytes.
#[derive(Debug)]
pub struct Batches {
    origin: Arc<str>,
    events_max: usize,
    bytes_max: usize,
    body: Vec<u8>,
    lines: Vec<i64>,
    bad: Vec<(usize, String)>,
    evidence: bool,
    begun: Instant,
}

impl Batches {
    /// Batches of at most `events_max` events and, unless a single event is longer, `bytes_max`
    /// bytes.
    pub fn new(origin: &str, events_max: usize, bytes_max: usize) -> Self {
        let (body, lines, bad, begun) = (Vec::new(), Vec::new(), Vec::new(), Instant::now());
        Self {
            origin: origin.into(),
            events_max: events_max.max(1),
            bytes_max,
            body,
            lines,
            bad,
            evidence: false,
            begun,
        }
    }

    /// Adds an event. Returns the previous batch if it has no room for the event.
    pub fn push(&mut self, event: &[u8], line: i64) -> Option<Batch> {
        let full = self.lines.len() == self.events_max || self.body.len() + event.len() + 2 > self.bytes_max;
        let batch = if full { self.take() } else { None };
        if self.lines.is_empty() {
            self.begun = Instant::now();
        }
        self.body.push(if self.lines.is_empty() { b'[' } else { b',' });
        self.body.extend_from_slice(event);
        self.lines.push(line);
        batch
    }

    /// Adds an event that conflicted, as [`push`](Self::push) does. A batch has only such events,
    /// or none.
    pub fn push_evidence(&mut self, event: &[u8], line: i64) -> Option<Batch> {
        let batch = self.push(event, line);
        self.evidence = true;
        batch
    }

    /// Returns the batch if it is evidence and `evidence` is not set, or the other way round.
    pub fn take_unless(&mut self, evidence: bool) -> Option<Batch> {
        if self.evidence == evidence { None } else { self.take() }
    }

    /// Adds a line that is not an event, as [`push`](Self::push) does.
    pub fn push_bad(&mut self, line: i64, reason: String) -> Option<Batch> {
        let batch = self.push(b"null", line);
        self.bad.push((self.lines.len() - 1, reason));
        batch
    }

    /// Returns the batch if no further event fits.
    pub fn take_full(&mut self) -> Option<Batch> {
        if self.lines.len() >= self.events_max || self.body.len() >= self.bytes_max { self.take() } else { None }
    }

    /// Returns the batch if its first event has waited for this long.
    pub fn take_after(&mut self, wait: Duration) -> Option<Batch> {
        if self.begun.elapsed() >= wait { self.take() } else { None }
    }

    /// Returns the batch unless it is empty.
    pub fn take(&mut self) -> Option<Batch> {
        if self.lines.is_empty() {
            return None;
        }
        self.body.push(b']');
        let capacity = self.body.len();
        let body = std::mem::replace(&mut self.body, Vec::with_capacity(capacity));
        let (lines, bad) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.bad));
        let (body, origin) = (body.into(), Arc::clone(&self.origin));
        let evidence = std::mem::take(&mut self.evidence);
        Some(Batch { body, origin, lines, bad, evidence, input_bytes: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(events_max: usize, bytes_max: usize, events: &[&str]) -> Vec<String> {
        let mut batches = Batches::new("test", events_max, bytes_max);
        let mut found: Vec<Batch> =
            events.iter().zip(1..).filter_map(|(event, line)| batches.push(event.as_bytes(), line)).collect();
        found.extend(batches.take());
        found.iter().map(|batch| String::from_utf8(batch.body.to_vec()).unwrap()).collect()
    }

    #[test]
    fn batches_are_bounded_by_number() {
        assert_eq!(sizes(2, 1_000, &["1", "2", "3"]), ["[1,2]", "[3]"]);
        assert_eq!(sizes(2, 1_000, &[]), [""; 0]);
    }

    #[test]
    fn batches_are_bounded_by_bytes_but_never_empty() {
        assert_eq!(sizes(100, 9, &["1111", "22", "333333333333", "4"]), ["[1111,22]", "[333333333333]", "[4]"]);
    }

    #[test]
    fn events_are_traced_back_to_their_lines() {
        let mut batches = Batches::new("a.csv", 10, 1_000);
        batches.push(b"{}", 2);
        batches.push(b"{}", 7);
        assert_eq!(batches.take().unwrap().place_of(Some(1)), "a.csv:7");
    }
}
