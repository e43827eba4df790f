//! How long a scan may go on without finding enough: bounded in steps and time, and only while its
//! client waits.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::limits::SCAN_TURN_MAX;

/// How many steps pass between looks at the clock and at the client.
const STEPS_BETWEEN_LOOKS: u64 = 64;
/// How many bytes of payloads pass between them: a millisecond or two.
pub(super) const BYTES_BETWEEN_LOOKS: usize = 256 * 1024;

/// Held by the request, and dropped with it when the client goes away.
#[derive(Debug, Default)]
pub struct ClientGuard(Arc<()>);

impl ClientGuard {
    /// Is empty once the guard is dropped.
    pub(crate) fn client(&self) -> Weak<()> {
        Arc::downgrade(&self.0)
    }

    /// A budget that lasts while this guard is held, but at most `steps_max` steps and `time_max`.
    pub fn budget(&self, steps_max: u64, time_max: Duration) -> ScanBudget {
        let (client, begun) = (Arc::downgrade(&self.0), Instant::now());
        let (turn_begun, is_turn_over) = (begun, false);
        let (steps, unseen_steps, unseen_bytes) = (0, 0, 0);
        ScanBudget { client, begun, turn_begun, is_turn_over, steps, unseen_steps, unseen_bytes, steps_max, time_max }
    }
}

/// The steps and the time that a scan has left.
#[derive(Debug)]
pub struct ScanBudget {
    client: Weak<()>,
    begun: Instant,
    turn_begun: Instant,
    is_turn_over: bool,
    steps: u64,
    /// Since the last look.
    unseen_steps: u64,
    unseen_bytes: usize,
    steps_max: u64,
    time_max: Duration,
}

impl ScanBudget {
    /// Begins a turn, after which others may have one.
    pub fn begin_turn(&mut self) {
        (self.turn_begun, self.is_turn_over) = (Instant::now(), false);
    }

    /// Whether the turn has lasted for [`SCAN_TURN_MAX`].
    pub fn is_turn_over(&self) -> bool {
        self.is_turn_over
    }

    /// Counts a step over many events at once, and looks at the clock and the client. `false` if it
    /// was the last.
    pub(crate) fn lasts_over_many(&mut self) -> bool {
        self.lasts(BYTES_BETWEEN_LOOKS)
    }

    /// Counts a step over an event with so many bytes. `false` if it was the last.
    pub fn lasts(&mut self, bytes: usize) -> bool {
        self.steps += 1;
        self.unseen_steps += 1;
        self.unseen_bytes += bytes;
        if self.steps >= self.steps_max {
            return false;
        }
        if self.unseen_steps < STEPS_BETWEEN_LOOKS && self.unseen_bytes < BYTES_BETWEEN_LOOKS {
            return true;
        }
        (self.unseen_steps, self.unseen_bytes) = (0, 0);
        self.is_turn_over = self.turn_begun.elapsed() >= SCAN_TURN_MAX;
        self.client.strong_count() > 0 && self.begun.elapsed() < self.time_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(mut budget: ScanBudget) -> u64 {
        (1..1_000).find(|_| !budget.lasts(0)).unwrap_or(1_000)
    }

    #[test]
    fn a_few_large_events_are_enough_for_a_look_at_the_clock_and_the_client() {
        let client = ClientGuard::default();
        assert!(!client.budget(u64::MAX, Duration::ZERO).lasts(BYTES_BETWEEN_LOOKS));
        let mut budget = client.budget(u64::MAX, Duration::from_secs(3600));
        assert!(budget.lasts(BYTES_BETWEEN_LOOKS) && budget.lasts(BYTES_BETWEEN_LOOKS - 1));
        drop(client);
        assert!(!budget.lasts(1));
    }

    #[test]
    fn it_ends_with_steps_time_or_the_client() {
        let hour = Duration::from_secs(3600);
        let client = ClientGuard::default();
        assert_eq!(steps(client.budget(100, hour)), 100);
        assert_eq!(steps(client.budget(u64::MAX, hour)), 1_000);
        assert_eq!(steps(client.budget(u64::MAX, Duration::ZERO)), STEPS_BETWEEN_LOOKS);
        let budget = client.budget(u64::MAX, hour);
        drop(client);
        assert_eq!(steps(budget), STEPS_BETWEEN_LOOKS);
    }
}
