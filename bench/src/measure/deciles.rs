//! How a rate changes along a run.

use std::time::Duration;

use super::rate;
use crate::figures::Report;

const PARTS: u64 = 10;

/// The rate in each tenth of a run. A single rate would hide that the last tenth is slower than the
/// first.
#[derive(Debug)]
pub(crate) struct Deciles {
    total: u64,
    done: u64,
    time: Duration,
    slowest: Duration,
    /// Count and time of the current tenth.
    current: (u64, Duration),
    rates: Vec<f64>,
}

impl Deciles {
    /// For a run of `total` items.
    pub(crate) fn new(total: u64) -> Self {
        let nothing = Duration::ZERO;
        Self { total, done: 0, time: nothing, slowest: nothing, current: (0, nothing), rates: Vec::new() }
    }

    /// Notes that a call has done `count` more items in this time.
    pub(crate) fn add(&mut self, count: u64, time: Duration) {
        self.done += count;
        self.time += time;
        self.slowest = self.slowest.max(time);
        self.current = (self.current.0 + count, self.current.1 + time);
        if self.done * PARTS >= self.total * (self.rates.len() as u64 + 1) {
            let (count, time) = std::mem::take(&mut self.current);
            self.rates.push(rate(count, time));
        }
    }

    /// Time of all calls.
    pub(crate) fn time(&self) -> Duration {
        self.time
    }

    /// Reports the rate of the whole run and of each tenth, and the slowest call.
    pub(crate) fn report(&self, what: &str, unit: &str, report: &mut Report) {
        report.add(what, rate(self.done, self.time), unit);
        for (number, rate) in (1..).zip(&self.rates) {
            report.add(format!("{what}, tenth {number}"), *rate, unit);
        }
        if let [first, .., last] = self.rates[..] {
            report.add(format!("{what}, last tenth / first"), last / first, "");
        }
        report.add(format!("{what}, slowest call"), self.slowest.as_secs_f64() * 1e3, "ms");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_has_its_own_rate() {
        let mut deciles = Deciles::new(100);
        for tenth in 1..=10 {
            (0..2).for_each(|_| deciles.add(5, Duration::from_secs(tenth)));
        }
        let mut report = Report::new(String::new());
        deciles.report("rate", "x/s", &mut report);
        assert_eq!(report.get("rate, tenth 1"), Some(5.0));
        assert_eq!(report.get("rate, tenth 10"), Some(0.5));
        assert_eq!(report.get("rate, last tenth / first"), Some(0.1));
        assert_eq!(report.get("rate, slowest call"), Some(10_000.0));
    }
}
