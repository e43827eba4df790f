//! The response to `GET /stats`, for server and clients.

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// The counters of a store's lifetime. They always reconcile:
/// `received = unique_processed + duplicate_dropped`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stats {
    /// Valid events that were published.
    pub received: u64,
    /// Those that were new.
    pub unique_processed: u64,
    /// Those whose key was known, conflicts among them.
    pub duplicate_dropped: u64,
    /// The topics that the client may read, reserved ones left out.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The number of all of them, of which `topics` has the first thousand by name.
    #[serde(default)]
    pub topic_count: u64,
    /// Seconds since the server started.
    pub uptime_seconds: f64,
    /// Events whose key was known with different content.
    #[serde(default)]
    pub conflicts: u64,
    /// Events that came without an id since the start, so that a repeat of them is stored again.
    #[serde(default)]
    pub unidentified: u64,
    /// The state of the service.
    #[serde(default)]
    pub status: Status,
    /// The store as a whole. Absent for clients that may not read all topics.
    #[serde(flatten)]
    pub store: Option<StoreStats>,
    /// The version of the server.
    #[serde(default)]
    pub version: String,
}

/// The state of the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The service works.
    #[default]
    Ready,
    /// The service works, but stored data is damaged.
    Degraded,
    /// The disk is full: no events are accepted until there is space. Reads continue.
    ReadOnly,
    /// A write failed: the server accepts no more events, and exits.
    Stopped,
}

/// The state of the store as a whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StoreStats {
    /// A line for each damage.
    pub damage: Vec<String>,
    /// Where the server listens: the main port, and those that protocols have to themselves.
    #[serde(default)]
    pub listening: Vec<Address>,
    /// The number of partitions.
    #[serde(default)]
    pub partitions: usize,
    /// Bytes of events that wait for a commit.
    #[serde(default)]
    pub queued_bytes: usize,
    /// Expired events. They stay counted.
    #[serde(default)]
    pub expired: Expired,
    /// Seconds by which the clock is behind the newest event; 0 below two minutes.
    #[serde(default)]
    pub clock_behind_seconds: u64,
    /// The oldest event of each partition that has any.
    #[serde(default)]
    pub oldest: Vec<Oldest>,
    /// Unfinished commits at the ends of the logs, which the start has cut off.
    #[serde(default)]
    pub torn: Torn,
    /// The background check of everything stored.
    #[serde(default)]
    pub scrub: Scrub,
    /// Events since the start by way in, and where their ids come from.
    #[serde(default)]
    pub ways: Vec<WayStats>,
    /// The dedup index, by partition.
    #[serde(default)]
    pub index: Vec<IndexStats>,
    /// The files, by partition.
    #[serde(default)]
    pub storage: Vec<StorageStats>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `main`, or the name of a protocol.
    pub port: String,
    /// Address and number of the port.
    pub address: String,
}

/// Expired events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// Their number.
    pub events: u64,
    /// The bytes of their rows.
    pub bytes: u64,
}

/// Unfinished commits that a start has cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// Their number.
    pub tails: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The oldest event of a partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Oldest {
    /// The partition's number.
    pub partition: usize,
    /// The event's position.
    pub seq: u64,
    /// The time it was stored.
    pub received_at: Timestamp,
}

/// The progress of the background check.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scrub {
    /// End of the last whole pass since the start, if any.
    pub last_finished: Option<Timestamp>,
    /// Bytes read by that pass.
    #[serde(default)]
    pub last_bytes: u64,
    /// Bytes read since.
    #[serde(default)]
    pub pass_bytes: u64,
    /// Damaged files that were written anew since the start.
    #[serde(default)]
    pub mended: u64,
}

/// The events of a way in by the kind of their ids, since the start, repeats among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the field names are the documentation in API.md")]
pub struct WayStats {
    pub way: String,
    pub declared: u64,
    pub positional: u64,
    pub request: u64,
    pub content: u64,
    pub none: u64,
    pub quarantined: u64,
}

/// The dedup index of a partition. Counts of look-ups are since the start.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the field names are the documentation in API.md")]
pub struct IndexStats {
    pub entries_in_memory: u64,
    pub entries_in_runs: u64,
    pub runs: usize,
    pub tables_waiting: usize,
    pub merge_debt_bytes: u64,
    pub filter_bytes: u64,
    pub disk_bytes: u64,
    pub look_ups: u64,
    pub filter_hits: u64,
    pub false_positives: u64,
    pub disk_reads: u64,
    pub failed: Option<String>,
}

/// The files of a partition's events.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the field names are the documentation in API.md")]
pub struct StorageStats {
    pub segments: usize,
    pub segment_bytes: u64,
    pub log_files: usize,
    pub log_bytes: u64,
    pub sealing_failed: Option<String>,
    #[serde(default)]
    pub free_bytes: Option<u64>,
    #[serde(default)]
    pub needed_bytes: u64,
    #[serde(default)]
    pub unsealed_seconds: u64,
}

/// One element of the response to `GET /topics`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topic {
    /// Its name.
    pub topic: String,
    /// Stored events.
    pub events: u64,
    /// Bytes of their rows.
    pub bytes: u64,
    /// The earliest timestamp of an event.
    pub first_timestamp: Option<Timestamp>,
    /// The latest one.
    pub last_timestamp: Option<Timestamp>,
}
