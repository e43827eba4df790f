//! Due times of requests.

use std::time::{Duration, Instant};

use super::Load;

/// Due times of the requests of one connection.
#[derive(Debug)]
pub(super) enum Pace {
    /// After the previous response: a closed loop.
    Closed,
    /// At fixed times, independent of the server: an open loop.
    Open { first: Instant, interval: Duration, passed: u32 },
}

impl Pace {
    /// The pace of connection `index`. Connections take turns, so that requests are spread evenly.
    pub(super) fn new(load: &Load, index: usize, started: Instant) -> Self {
        let Some(rate) = load.rate else { return Self::Closed };
        let between_all = load.batch_size as f64 / rate;
        let first = started + Duration::from_secs_f64(between_all * index as f64);
        Self::Open { first, interval: Duration::from_secs_f64(between_all * load.connections as f64), passed: 0 }
    }

    /// Returns the due time of the next request, as of `now`.
    pub(super) fn due(&self, now: Instant) -> Instant {
        match self {
            Self::Closed => now,
            Self::Open { first, interval, passed } => *first + interval.saturating_mul(*passed),
        }
    }

    /// Marks that request as sent or skipped.
    pub(super) fn pass(&mut self) {
        if let Self::Open { passed, .. } = self {
            *passed = passed.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_take_turns_at_the_rate_that_was_asked_for() {
        let load = Load { rate: Some(1_000.0), connections: 4, batch_size: 10, ..Load::default() };
        let started = Instant::now();
        let mut due: Vec<Duration> = (0..4)
            .flat_map(|index| {
                let mut pace = Pace::new(&load, index, started);
                (0..25).map(move |_| {
                    let due = pace.due(started);
                    pace.pass();
                    due - started
                })
            })
            .collect();
        due.sort_unstable();
        // 100 requests of 10 events in a second, every 10 ms.
        for (number, due) in due.iter().enumerate() {
            assert!(
                due.abs_diff(Duration::from_millis(10) * number as u32) < Duration::from_micros(1),
                "{number}: {due:?}"
            );
        }
    }

    #[test]
    fn a_closed_loop_is_always_due() {
        let mut pace = Pace::new(&Load::default(), 3, Instant::now());
        pace.pass();
        let now = Instant::now();
        assert_eq!(pace.due(now), now);
    }
}
