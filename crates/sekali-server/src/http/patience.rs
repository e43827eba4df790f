//! How long a reading may go on without an answer: not for ever, and only as long as somebody waits for it.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How many steps pass between looks at the clock.
const STEPS_BETWEEN_LOOKS: u64 = 64;

/// Held by the request; dropped with it when the client goes away.
#[derive(Debug, Default)]
pub(super) struct Waiting(Arc<()>);

impl Waiting {
    /// Patience for as long as somebody is waiting, but at most `steps_max` steps and `time_max`.
    pub(super) fn patience(&self, steps_max: u64, time_max: Duration) -> Patience {
        Patience { waiting: Arc::downgrade(&self.0), begun: Instant::now(), steps: 0, steps_max, time_max }
    }
}

/// Runs out.
#[derive(Debug)]
pub(super) struct Patience {
    waiting: Weak<()>,
    begun: Instant,
    steps: u64,
    steps_max: u64,
    time_max: Duration,
}

impl Patience {
    /// Counts a step. `false` if it was the last.
    pub(super) fn lasts(&mut self) -> bool {
        self.steps += 1;
        if self.steps >= self.steps_max {
            return false;
        }
        !self.steps.is_multiple_of(STEPS_BETWEEN_LOOKS)
            || (self.waiting.strong_count() > 0 && self.begun.elapsed() < self.time_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(mut patience: Patience) -> u64 {
        (1..1_000).find(|_| !patience.lasts()).unwrap_or(1_000)
    }

    #[test]
    fn it_ends_with_steps_time_or_the_client() {
        let hour = Duration::from_secs(3600);
        let waiting = Waiting::default();
        assert_eq!(steps(waiting.patience(100, hour)), 100);
        assert_eq!(steps(waiting.patience(u64::MAX, hour)), 1_000);
        assert_eq!(steps(waiting.patience(u64::MAX, Duration::ZERO)), STEPS_BETWEEN_LOOKS);
        let patience = waiting.patience(u64::MAX, hour);
        drop(waiting);
        assert_eq!(steps(patience), STEPS_BETWEEN_LOOKS);
    }
}
