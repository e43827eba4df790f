//! How long a scan may go on without finding enough: bounded in steps and time, and only while its
//! client waits.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How many steps pass between looks at the clock.
const STEPS_BETWEEN_LOOKS: u64 = 64;

/// Held by the request, and dropped with it when the client goes away.
#[derive(Debug, Default)]
pub struct ClientGuard(Arc<()>);

impl ClientGuard {
    /// A budget that lasts while this guard is held, but at most `steps_max` steps and `time_max`.
    pub fn budget(&self, steps_max: u64, time_max: Duration) -> ScanBudget {
        ScanBudget { client: Arc::downgrade(&self.0), begun: Instant::now(), steps: 0, steps_max, time_max }
    }
}

/// The steps and the time that a scan has left.
#[derive(Debug)]
pub struct ScanBudget {
    client: Weak<()>,
    begun: Instant,
    steps: u64,
    steps_max: u64,
    time_max: Duration,
}

impl ScanBudget {
    /// Counts a step. `false` if it was the last.
    pub fn lasts(&mut self) -> bool {
        self.steps += 1;
        if self.steps >= self.steps_max {
            return false;
        }
        !self.steps.is_multiple_of(STEPS_BETWEEN_LOOKS)
            || (self.client.strong_count() > 0 && self.begun.elapsed() < self.time_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(mut budget: ScanBudget) -> u64 {
        (1..1_000).find(|_| !budget.lasts()).unwrap_or(1_000)
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
