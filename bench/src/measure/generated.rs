//! Ids and events: the same in every run, each a function of its number.

use std::fmt::Write as _;

use sekali_store::EventRef;
use sekali_store::bench_support::Entry;
use sekali_testkit::random::mix;

/// The number of topics of the events.
const TOPICS: u64 = 10;

/// The words of messages, about as compressible as those of real services.
const WORDS: [&str; 16] = [
    "accepted ",
    "after ",
    "answered ",
    "cache ",
    "client ",
    "closed ",
    "connection ",
    "from ",
    "invalid ",
    "queue ",
    "request ",
    "retry ",
    "session ",
    "timed out ",
    "upstream ",
    "waiting ",
];

/// The index entry of a seq: its fingerprint is as random as a real one.
pub(crate) fn entry(seq: u64) -> Entry {
    let upper = mix(seq);
    let fingerprint = u128::from(upper) << 64 | u128::from(mix(upper ^ 0x5bd1_e995));
    Entry { fingerprint, seq, content: !upper }
}

/// Generates events one after the other in the same memory.
#[derive(Debug)]
pub(crate) struct Generator {
    payload_bytes: usize,
    topics: Vec<String>,
    sources: Vec<String>,
    event_id: String,
    payload: String,
}

impl Generator {
    /// Generates events with payloads of this many bytes, or more if they need more.
    pub(crate) fn new(payload_bytes: usize) -> Self {
        let topics = (0..TOPICS).map(|number| format!("service-{number}.requests")).collect();
        let sources = (0..100).map(|number| format!("host-{number:02}")).collect();
        Self { payload_bytes, topics, sources, event_id: String::new(), payload: String::new() }
    }

    /// Event `number`, from 0: a random UUID, one of ten topics, a hundred sources, and a typical
    /// JSON payload whose last member fills it to its length.
    pub(crate) fn event(&mut self, number: u64) -> EventRef<'_> {
        let (a, b, c) = (mix(number), mix(number ^ 0x5bd1_e995_0000_0000), mix(!number));
        let (topic, source) = ((c % TOPICS) as usize, (c / TOPICS % 100) as usize);
        self.event_id.clear();
        // Writing to a string cannot fail.
        let _ = write!(
            self.event_id,
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 48 & 0x3fff | 0x8000,
            b & 0xffff_ffff_ffff,
        );
        self.write_payload(c);
        EventRef {
            topic: self.topics.get(topic).map_or("", String::as_str),
            event_id: &self.event_id,
            timestamp_ns: 1_760_000_000_000_000_000 + number as i64 * 10_000 + (c >> 50) as i64,
            source: self.sources.get(source).map_or("", String::as_str),
            payload: self.payload.as_bytes(),
        }
    }

    fn write_payload(&mut self, random: u64) {
        let level = ["debug", "info", "info", "warn"][(random >> 20) as usize % 4];
        let status = [200, 200, 201, 404][(random >> 22) as usize % 4];
        let (took_us, user) = ((random >> 24) % 100_000, (random >> 40) % 1_000_000);
        self.payload.clear();
        let _ = write!(
            self.payload,
            r#"{{"level":"{level}","status":{status},"took_us":{took_us},"user":{user},"path":"/api/v1/items","message":""#
        );
        let start = self.payload.len();
        let end = self.payload_bytes.saturating_sub(2);
        let mut words = random;
        while self.payload.len() < end {
            words = mix(words);
            self.payload.push_str(WORDS[words as usize % WORDS.len()]);
        }
        self.payload.truncate(end.max(start));
        self.payload.push_str("\"}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_json_of_the_size_asked_for_with_ids_of_their_own() {
        let mut generator = Generator::new(200);
        let mut ids = std::collections::HashSet::new();
        for number in 0..2_000 {
            let event = generator.event(number);
            assert_eq!((event.event_id.len(), event.payload.len()), (36, 200));
            serde_json::from_slice::<serde_json::Value>(event.payload).unwrap();
            assert!(ids.insert(event.event_id.to_owned()));
        }
    }
}
