//! A publish request that is prepared once and reused.
//!
//! The variable parts of an event (topic, id, a number inside the payload) have a fixed width and
//! are a function of the event's number. So any event fits any slot, a repeat is identical to its
//! original, and a conflict would be the server's fault.

use bytes::{Bytes, BytesMut};

use super::Load;
use super::ids::{IdShape, RunId};
use super::numbers::Numbers;
use crate::generate::UUID_TEXT_BYTES;

/// Length of the shortest payload.
pub const PAYLOAD_BYTES_MIN: usize = PAYLOAD_START.len() + TRACE_BYTES + PAYLOAD_END.len();
/// Gives an event with a UUID 200 bytes.
pub const PAYLOAD_BYTES_DEFAULT: usize = 200 - ENVELOPE_BYTES - UUID_TEXT_BYTES;
/// Timestamp of every event.
pub const TIMESTAMP: &str = "2025-01-01T00:00:00Z";
/// Source of every event.
pub const SOURCE: &str = "bench";

/// Bytes of an event besides its id and payload.
pub(super) const ENVELOPE_BYTES: usize = START.len() + 1 + ID.len() + MIDDLE.len() + 1;
/// Number of topics, which differ in one digit.
pub(super) const TOPICS: u64 = 10;

const START: &str = r#"{"topic":"bench-"#;
const ID: &str = r#"","event_id":""#;
const MIDDLE: &str = r#"","timestamp":"2025-01-01T00:00:00Z","source":"bench","payload":"#;
const PAYLOAD_START: &str = r#"{"trace":""#;
const PAYLOAD_END: &str = r#"","fill":""}"#;
const TRACE_BYTES: usize = 16;

const TOPIC_NAME_AT: usize = START.len() - "bench-".len();
const TOPIC_AT: usize = START.len();
const ID_AT: usize = TOPIC_AT + 1 + ID.len();

/// An event of a [`Body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventText<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its id.
    pub event_id: &'a str,
    /// Its payload, as JSON.
    pub payload: &'a str,
    /// The whole event, as JSON.
    pub json: &'a str,
}

/// The current request of one connection, which becomes the next one.
#[derive(Debug)]
pub struct Body {
    bytes: Bytes,
    event_bytes: usize,
    new_events: u64,
    ids: IdShape,
    run: RunId,
    numbers: Numbers,
}

impl Body {
    /// The first request of connection number `connection`.
    pub fn new(load: &Load, run: RunId, connection: u64) -> Self {
        let fill = "sekali ".chars().cycle().take(load.payload_bytes.saturating_sub(PAYLOAD_BYTES_MIN));
        let (topic, id, trace) = ("0", "0".repeat(load.ids.bytes()), "0".repeat(TRACE_BYTES));
        let (end, close) = PAYLOAD_END.split_at(PAYLOAD_END.len() - 2);
        let event =
            format!("{START}{topic}{ID}{id}{MIDDLE}{PAYLOAD_START}{trace}{end}{}{close}}}", fill.collect::<String>());
        let bytes = format!("[{}]", vec![event.as_str(); load.batch_size].join(",")).into();
        let numbers = Numbers::new(connection, load.dup_ratio);
        let mut body = Self { bytes, event_bytes: event.len(), new_events: 0, ids: load.ids, run, numbers };
        body.renew();
        body
    }

    /// The current request.
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Its events.
    pub fn events(&self) -> impl Iterator<Item = EventText<'_>> {
        let (id_end, event_end) = (ID_AT + self.ids.bytes(), self.event_bytes);
        let payload_at = id_end + MIDDLE.len();
        self.bytes.chunks_exact(event_end + 1).map(move |slot| {
            // The body is ASCII, so no text is lost.
            let text = |bytes| str::from_utf8(bytes).unwrap_or_default();
            let json = &slot[1..];
            EventText {
                topic: text(&json[TOPIC_NAME_AT..=TOPIC_AT]),
                event_id: text(&json[ID_AT..id_end]),
                payload: text(&json[payload_at..event_end - 1]),
                json: text(json),
            }
        })
    }

    /// Number of its events that are not repeats.
    pub fn new_events(&self) -> u64 {
        self.new_events
    }

    /// Writes the next events over the previous ones: in place, if the previous request is no
    /// longer shared.
    pub fn renew(&mut self) {
        let mut bytes =
            std::mem::take(&mut self.bytes).try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        let before = self.numbers.fresh();
        // An event and the comma or bracket before it.
        for slot in bytes.chunks_exact_mut(self.event_bytes + 1) {
            write_event(&mut slot[1..], self.ids, self.run, self.numbers.next());
        }
        self.new_events = self.numbers.fresh() - before;
        self.bytes = bytes.freeze();
    }
}

fn write_event(event: &mut [u8], ids: IdShape, run: RunId, number: u64) {
    let bits = run.bits(number);
    event[TOPIC_AT] = b'0' + u8::try_from(number % TOPICS).unwrap_or(0);
    ids.write(&mut event[ID_AT..ID_AT + ids.bytes()], run, number, bits);
    let trace_at = ID_AT + ids.bytes() + MIDDLE.len() + PAYLOAD_START.len();
    write_hex(&mut event[trace_at..trace_at + TRACE_BYTES], u64::try_from(bits >> 64).unwrap_or(0));
}

fn write_hex(text: &mut [u8], mut bits: u64) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for digit in text.iter_mut().rev() {
        *digit = HEX[usize::try_from(bits & 0xf).unwrap_or(0)];
        bits >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use serde_json::Value;
    use std::collections::{HashMap, HashSet};

    fn load(batch_size: usize, dup_ratio: f64) -> Load {
        Load { batch_size, dup_ratio, payload_bytes: PAYLOAD_BYTES_MIN, ..Load::default() }
    }

    fn run(low: u64) -> RunId {
        RunId { keys: [1, low], started_ms: 1_700_000_000_000 }
    }

    fn events(body: &Body) -> Vec<Value> {
        serde_json::from_slice(&body.bytes()).unwrap()
    }

    #[test]
    fn events_are_200_bytes_unless_asked_otherwise() {
        for (payload, event) in [(PAYLOAD_BYTES_DEFAULT, 200), (68, 200), (PAYLOAD_BYTES_DEFAULT + 50, 250)] {
            let body = Body::new(&Load { payload_bytes: payload, ..load(3, 0.0) }, run(2), 0);
            assert_eq!(body.event_bytes, event);
            assert_eq!(body.bytes().len(), 3 * (event + 1) + 1);
            assert!(events(&body).iter().all(|event| event["payload"].to_string().len() == payload));
        }
    }

    #[test]
    fn the_parts_of_an_event_are_those_of_its_json() {
        for ids in IdShape::value_variants() {
            let body = Body::new(&Load { ids: *ids, payload_bytes: 100, ..load(7, 0.2) }, run(2), 3);
            assert_eq!(body.events().count(), 7);
            for (event, json) in body.events().zip(events(&body)) {
                assert_eq!(serde_json::from_str::<Value>(event.json).unwrap(), json);
                assert_eq!((&json["topic"], &json["event_id"]), (&event.topic.into(), &event.event_id.into()));
                assert_eq!(json["payload"], serde_json::from_str::<Value>(event.payload).unwrap());
                assert_eq!((&json["timestamp"], &json["source"]), (&TIMESTAMP.into(), &SOURCE.into()));
            }
        }
    }

    #[test]
    fn the_share_of_repeats_is_kept_and_repeats_are_identical() {
        for ids in IdShape::value_variants() {
            let mut body = Body::new(&Load { ids: *ids, ..load(100, 0.2) }, run(2), 3);
            let mut seen: HashMap<String, Value> = HashMap::new();
            let (mut repeats, mut new_events) = (0, 0);
            for _ in 0..50 {
                for event in events(&body) {
                    let key = format!("{} {}", event["topic"], event["event_id"]);
                    if let Some(earlier) = seen.insert(key, event.clone()) {
                        assert_eq!(earlier, event);
                        repeats += 1;
                    }
                }
                new_events += body.new_events();
                body.renew();
            }
            assert!((999..=1_000).contains(&repeats), "{ids:?}: {repeats} of 5,000");
            assert_eq!(new_events, 5_000 - repeats, "{ids:?}");
        }
    }

    #[test]
    fn no_two_connections_or_runs_share_an_id() {
        for ids in IdShape::value_variants() {
            let mut seen = HashSet::new();
            // A sequential id has half of the bits that distinguish runs.
            for run in [run(2), RunId { keys: [2, 2], ..run(2) }] {
                for connection in 0..8 {
                    let mut body = Body::new(&Load { ids: *ids, ..load(10, 0.0) }, run, connection);
                    for _ in 0..10 {
                        assert!(events(&body).iter().all(|event| seen.insert(event["event_id"].to_string())));
                        body.renew();
                    }
                }
            }
        }
    }

    #[test]
    fn a_body_that_is_still_being_sent_is_left_alone() {
        let mut body = Body::new(&load(1, 0.0), run(2), 0);
        let in_flight = body.bytes();
        let before = in_flight.to_vec();
        body.renew();
        assert_eq!(in_flight, before);
        assert_ne!(body.bytes(), before);
    }
}
