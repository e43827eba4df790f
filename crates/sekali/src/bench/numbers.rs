//! The choice of the next event: a new one, or a repeat.

use crate::generate::SplitMix64;

/// The greatest distance of a repeat from its original on the same connection.
const RECENT: u64 = 10_000;
/// The range of event numbers of each connection: two days at a billion a second.
pub(super) const NUMBERS_PER_CONNECTION: u64 = 1 << 48;

/// The numbers of one connection's events, in sending order.
#[derive(Debug)]
pub(super) struct Numbers {
    first: u64,
    fresh: u64,
    dup_ratio: f64,
    owed: f64,
    random: SplitMix64,
}

impl Numbers {
    pub(super) fn new(connection: u64, dup_ratio: f64) -> Self {
        let first = connection.wrapping_mul(NUMBERS_PER_CONNECTION);
        Self { first, fresh: 0, dup_ratio, owed: 0.0, random: SplitMix64::new(first) }
    }

    /// Number of distinct events so far.
    pub(super) fn fresh(&self) -> u64 {
        self.fresh
    }

    pub(super) fn next(&mut self) -> u64 {
        self.owed += self.dup_ratio;
        if self.owed >= 1.0 && self.fresh > 0 {
            self.owed -= 1.0;
            return self.first + self.fresh - 1 - self.random.below(self.fresh.min(RECENT));
        }
        self.fresh += 1;
        self.first + self.fresh - 1
    }
}
