//! A publish request that is laid out once and used again and again.
//!
//! Everything that tells two events apart (topic, id, a number inside the payload) has a fixed width and is a function
//! of the event's number. So any event fits any slot, a repeat is identical to its original, and a server that found
//! a conflict would be wrong.

use bytes::{Bytes, BytesMut};

use crate::generate::{SplitMix64, UUID_TEXT_BYTES, uuid_text};

/// Shortest payload.
pub const PAYLOAD_BYTES_MIN: usize = PAYLOAD_START.len() + TRACE_BYTES + PAYLOAD_END.len();
/// Makes an event of 200 bytes.
pub const PAYLOAD_BYTES_DEFAULT: usize = 200 - (START.len() + 1 + ID.len() + UUID_TEXT_BYTES + MIDDLE.len() + 1);

/// How many topics there are, told apart by one digit.
pub(super) const TOPICS: u64 = 10;
/// Repeats are of events at most this far back on the same connection.
const RECENT: u64 = 10_000;
/// Events each connection can number before it runs into the next one's: two days at a billion a second.
const NUMBERS_PER_CONNECTION: u64 = 1 << 48;

const START: &str = r#"{"topic":"bench-"#;
const ID: &str = r#"","event_id":""#;
const MIDDLE: &str = r#"","timestamp":"2025-01-01T00:00:00Z","source":"bench","payload":"#;
const PAYLOAD_START: &str = r#"{"trace":""#;
const PAYLOAD_END: &str = r#"","fill":""}"#;
const TRACE_BYTES: usize = 16;

const TOPIC_AT: usize = START.len();
const ID_AT: usize = TOPIC_AT + 1 + ID.len();
const TRACE_AT: usize = ID_AT + UUID_TEXT_BYTES + MIDDLE.len() + PAYLOAD_START.len();

/// Makes the ids of a run differ from those of every other: 128 random bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunId(pub(super) [u64; 2]);

/// Which event comes next: a new one, or a recent one again.
#[derive(Debug)]
pub(super) struct Numbers {
    first: u64,
    fresh: u64,
    dup_ratio: f64,
    owed: f64,
    random: SplitMix64,
}

impl Numbers {
    pub(super) fn new(connection: u64, dup_ratio: f64) -> Self {
        let first = connection.wrapping_mul(NUMBERS_PER_CONNECTION);
        Self { first, fresh: 0, dup_ratio, owed: 0.0, random: SplitMix64::new(first) }
    }

    fn next(&mut self) -> u64 {
        self.owed += self.dup_ratio;
        if self.owed >= 1.0 && self.fresh > 0 {
            self.owed -= 1.0;
            return self.first + self.fresh - 1 - self.random.below(self.fresh.min(RECENT));
        }
        self.fresh += 1;
        self.first + self.fresh - 1
    }
}

/// The request, and how to make the next one of it.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Bytes,
    event_bytes: usize,
    run: RunId,
    numbers: Numbers,
}

impl Body {
    pub(super) fn new(events: usize, payload_bytes: usize, run: RunId, numbers: Numbers) -> Self {
        let fill: String = "sekali ".chars().cycle().take(payload_bytes.saturating_sub(PAYLOAD_BYTES_MIN)).collect();
        let (topic, id, trace) = ("0", "0".repeat(UUID_TEXT_BYTES), "0".repeat(TRACE_BYTES));
        let (end, close) = PAYLOAD_END.split_at(PAYLOAD_END.len() - 2);
        let event = format!("{START}{topic}{ID}{id}{MIDDLE}{PAYLOAD_START}{trace}{end}{fill}{close}}}");
        let bytes = format!("[{}]", vec![event.as_str(); events].join(",")).into();
        let mut body = Self { bytes, event_bytes: event.len(), run, numbers };
        body.renew();
        body
    }

    /// The request as it stands.
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Writes the next events over the last ones: in place, if nobody holds the last request any more.
    pub(super) fn renew(&mut self) {
        let mut bytes =
            std::mem::take(&mut self.bytes).try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        // An event and the comma or bracket before it.
        for slot in bytes.chunks_exact_mut(self.event_bytes + 1) {
            write_event(&mut slot[1..], self.run, self.numbers.next());
        }
        self.bytes = bytes.freeze();
    }
}

fn write_event(slot: &mut [u8], run: RunId, number: u64) {
    let [high, low] = run.0.map(|key| SplitMix64::of(key, number).next());
    slot[TOPIC_AT] = b'0' + u8::try_from(number % TOPICS).unwrap_or(0);
    let id = uuid_text((u128::from(high) << 64) | u128::from(low));
    slot[ID_AT..ID_AT + UUID_TEXT_BYTES].copy_from_slice(&id);
    // The second half of the id, without its hyphen and variant.
    slot[TRACE_AT..TRACE_AT + 12].copy_from_slice(&id[24..]);
    slot[TRACE_AT + 12..TRACE_AT + TRACE_BYTES].copy_from_slice(&id[..4]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::{HashMap, HashSet};

    fn events(body: &Body) -> Vec<Value> {
        serde_json::from_slice(&body.bytes()).unwrap()
    }

    #[test]
    fn events_are_200_bytes_unless_asked_otherwise() {
        for (payload, event) in [(PAYLOAD_BYTES_DEFAULT, 200), (68, 200), (PAYLOAD_BYTES_DEFAULT + 50, 250)] {
            let body = Body::new(3, payload, RunId([1, 2]), Numbers::new(0, 0.0));
            assert_eq!(body.event_bytes, event);
            assert_eq!(body.bytes().len(), 3 * (event + 1) + 1);
            assert!(events(&body).iter().all(|event| event["payload"].to_string().len() == payload));
        }
    }

    #[test]
    fn the_share_of_repeats_is_kept_and_repeats_are_identical() {
        let mut body = Body::new(100, PAYLOAD_BYTES_MIN, RunId([1, 2]), Numbers::new(3, 0.2));
        let mut seen: HashMap<String, Value> = HashMap::new();
        let mut repeats = 0;
        for _ in 0..50 {
            for event in events(&body) {
                let key = format!("{} {}", event["topic"], event["event_id"]);
                if let Some(earlier) = seen.insert(key, event.clone()) {
                    assert_eq!(earlier, event);
                    repeats += 1;
                }
            }
            body.renew();
        }
        assert!((999..=1_000).contains(&repeats), "{repeats} of 5,000");
    }

    #[test]
    fn no_two_connections_or_runs_share_an_id() {
        let mut ids = HashSet::new();
        for run in [RunId([1, 2]), RunId([1, 3]), RunId([2, 2])] {
            for connection in 0..8 {
                let mut body = Body::new(10, PAYLOAD_BYTES_MIN, run, Numbers::new(connection, 0.0));
                for _ in 0..10 {
                    assert!(events(&body).iter().all(|event| ids.insert(event["event_id"].to_string())));
                    body.renew();
                }
            }
        }
    }

    #[test]
    fn a_body_that_is_still_being_sent_is_left_alone() {
        let mut body = Body::new(1, PAYLOAD_BYTES_MIN, RunId([1, 2]), Numbers::new(0, 0.0));
        let in_flight = body.bytes();
        let before = in_flight.to_vec();
        body.renew();
        assert_eq!(in_flight, before);
        assert_ne!(body.bytes(), before);
    }
}
