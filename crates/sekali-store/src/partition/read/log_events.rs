//! Events of an extent of a log file, without an allocation for each.

use crate::event::{EventRef, EventView};
use crate::order::Order;

/// Events in the order of the read, their texts one behind the other.
#[derive(Debug, Default)]
pub(crate) struct LogEvents {
    /// Topic, event id and source of each.
    texts: String,
    payloads: Vec<u8>,
    rows: Vec<LogRow>,
    /// How many were taken.
    next: usize,
}

/// An event, and where its texts are.
#[derive(Debug, Clone, Copy)]
struct LogRow {
    seq: u64,
    received_at_ns: i64,
    timestamp_ns: i64,
    text: usize,
    topic_len: usize,
    event_id_len: usize,
    source_len: usize,
    payload: usize,
    payload_len: usize,
}

impl LogEvents {
    /// Takes in an event, whose seq is greater than those before.
    pub(super) fn push(&mut self, seq: u64, received_at_ns: i64, event: &EventRef<'_>) {
        let EventRef { topic, event_id, timestamp_ns, source, payload } = *event;
        debug_assert!(self.rows.last().is_none_or(|last| last.seq < seq), "events are not in the order of their seqs");
        self.rows.push(LogRow {
            seq,
            received_at_ns,
            timestamp_ns,
            text: self.texts.len(),
            topic_len: topic.len(),
            event_id_len: event_id.len(),
            source_len: source.len(),
            payload: self.payloads.len(),
            payload_len: payload.len(),
        });
        [topic, event_id, source].iter().for_each(|text| self.texts.push_str(text));
        self.payloads.extend_from_slice(payload);
    }

    /// Brings all events into this order.
    pub(super) fn order(&mut self, order: Order) {
        if order == Order::Descending {
            self.rows.reverse();
        }
    }

    /// Number of events that are left.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - self.next
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len() + self.payloads.len() + self.rows.len() * size_of::<LogRow>()
    }

    /// The next event.
    pub(super) fn peek(&self) -> Option<EventView<'_>> {
        let row = self.rows.get(self.next)?;
        let (id, source) = (row.text + row.topic_len, row.text + row.topic_len + row.event_id_len);
        Some(EventView {
            seq: row.seq,
            received_at_ns: row.received_at_ns,
            topic: self.texts.get(row.text..id)?,
            event_id: self.texts.get(id..source)?,
            timestamp_ns: row.timestamp_ns,
            source: self.texts.get(source..source + row.source_len)?,
            payload: self.payloads.get(row.payload..row.payload + row.payload_len)?,
        })
    }

    /// Goes on behind the next event. Returns its seq, where there is one.
    pub(super) fn pass(&mut self) -> Option<u64> {
        let seq = self.rows.get(self.next)?.seq;
        self.next += 1;
        Some(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_what_they_were_in_either_order() {
        let texts = [("t", "1", "", &b"{}"[..]), ("ü", "", "s", b""), ("", "é", "=x", b"\xff\0")];
        for order in [Order::Ascending, Order::Descending] {
            let mut events = LogEvents::default();
            let event = |at: usize| EventRef {
                topic: texts[at].0,
                event_id: texts[at].1,
                timestamp_ns: at as i64,
                source: texts[at].2,
                payload: texts[at].3,
            };
            (0..3).for_each(|at| events.push(at as u64 + 1, -1, &event(at)));
            events.order(order);
            let places = if order == Order::Ascending { [0, 1, 2] } else { [2, 1, 0] };
            for (taken, at) in places.into_iter().enumerate() {
                assert_eq!(events.len(), 3 - taken);
                let found = events.peek().unwrap();
                let EventRef { topic, event_id, timestamp_ns, source, payload } = event(at);
                let seq = at as u64 + 1;
                assert_eq!(
                    found,
                    EventView { seq, received_at_ns: -1, topic, event_id, timestamp_ns, source, payload }
                );
                assert_eq!(events.pass(), Some(seq));
            }
            assert!(events.peek().is_none() && events.pass().is_none());
        }
    }
}
