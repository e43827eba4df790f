//! Counters of a partition over its life.

use std::ops::{Add, AddAssign};

/// Counts of events. `received = stored + duplicates` always; conflicts are counted inside
/// `duplicates` and on their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Valid events published.
    pub received: u64,
    /// Of them, those whose key was new.
    pub stored: u64,
    /// Of them, those whose key was known.
    pub duplicates: u64,
    /// Of the duplicates, those with different content.
    pub conflicts: u64,
}

impl Counters {
    /// Whether the counters reconcile.
    pub fn reconcile(&self) -> bool {
        self.stored.checked_add(self.duplicates) == Some(self.received) && self.conflicts <= self.duplicates
    }

    /// Whether none of the counters is below that of `earlier`.
    pub(crate) fn include(&self, earlier: &Self) -> bool {
        self.as_array().iter().zip(earlier.as_array()).all(|(now, before)| *now >= before)
    }

    pub(crate) fn as_array(&self) -> [u64; 4] {
        [self.received, self.stored, self.duplicates, self.conflicts]
    }
}

impl Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            received: self.received + other.received,
            stored: self.stored + other.stored,
            duplicates: self.duplicates + other.duplicates,
            conflicts: self.conflicts + other.conflicts,
        }
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
