//! Requests without a valid key, in the log: whoever is refused may try as often as they like, and
//! is not to fill it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::warn;

use crate::access::AuthError;
use crate::limits::REFUSALS_LOG_INTERVAL;

/// Logs refusals, a line for many. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct RefusalLog {
    tally: Arc<Mutex<Tally>>,
}

#[derive(Debug, Default)]
struct Tally {
    /// When the last line was written.
    said: Option<Instant>,
    /// Refusals since.
    unsaid: u64,
}

impl RefusalLog {
    /// Counts a refusal, and logs it unless that was done a moment ago. Of what was shown nothing
    /// is told.
    pub(super) fn note(&self, refused: AuthError) {
        let due = self.tally.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
        if let Some(requests) = due {
            warn!(requests, last = reason(refused), "requests were refused for want of a valid key");
        }
    }
}

impl Tally {
    /// How many refusals a line is to tell of, if it is time for one.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if self.said.is_some_and(|said| now.saturating_duration_since(said) < REFUSALS_LOG_INTERVAL) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

fn reason(refused: AuthError) -> &'static str {
    match refused {
        AuthError::Missing => "no key",
        AuthError::Unknown => "an unknown key",
        AuthError::Expired => "an expired key",
        AuthError::Revoked => "a revoked key",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_are_one_line_and_none_is_forgotten() {
        let mut tally = Tally::default();
        let begun = Instant::now();
        assert_eq!(tally.count(begun), Some(1));
        for _ in 0..1_000 {
            assert_eq!(tally.count(begun), None);
        }
        assert_eq!(tally.count(begun + REFUSALS_LOG_INTERVAL), Some(1_001));
        assert_eq!(tally.count(begun + REFUSALS_LOG_INTERVAL), None);
    }
}
