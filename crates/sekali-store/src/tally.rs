//! Counts of the events of a topic, or of several.

/// Counts of a topic's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    /// Bytes of its rows.
    pub(crate) bytes: u64,
    pub(crate) first_timestamp_ns: i64,
    pub(crate) last_timestamp_ns: i64,
}

impl Tally {
    const EMPTY: Self = Self { events: 0, bytes: 0, first_timestamp_ns: i64::MAX, last_timestamp_ns: i64::MIN };

    /// The counts of one event.
    pub(crate) fn one(row_bytes: u64, timestamp_ns: i64) -> Self {
        Self { events: 1, bytes: row_bytes, first_timestamp_ns: timestamp_ns, last_timestamp_ns: timestamp_ns }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.first_timestamp_ns = self.first_timestamp_ns.min(other.first_timestamp_ns);
        self.last_timestamp_ns = self.last_timestamp_ns.max(other.last_timestamp_ns);
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::EMPTY
    }
}
