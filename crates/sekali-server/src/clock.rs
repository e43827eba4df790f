//! The system's clock, which the engine does without.

use std::time::SystemTime;

/// Nanoseconds since 1970-01-01T00:00:00Z.
pub fn now_ns() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX)
}
