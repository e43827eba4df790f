//! Caps that both ends of the wire rely on. Those on single events are the engine's.

use std::time::Duration;

/// Largest request body after decompression, in bytes.
pub const BODY_BYTES_MAX: usize = 32 * MIB;
/// The most events in one request.
pub const BATCH_EVENTS_MAX: usize = 100_000;
/// Deepest nesting of objects and arrays in a payload; the payload itself is the first level.
pub const PAYLOAD_DEPTH_MAX: usize = 64;
/// The longest text that is parsed as a timestamp, in bytes. The longest sensible one has 35.
pub const TIMESTAMP_BYTES_MAX: usize = 64;
/// The longest time for a connection without a request. Clients close theirs earlier.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

const MIB: usize = 1024 * 1024;
