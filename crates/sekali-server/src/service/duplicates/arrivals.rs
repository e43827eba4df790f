//! When the events of a partition came, by seq, since the start.

use std::time::Duration;

/// Most entries of a partition, 24 bytes each.
const ENTRIES_MAX: usize = 4_096;
/// Events that come within this time share an entry.
const STEP: Duration = Duration::from_millis(100);
/// The times of two entries lie no further apart than this part of their age.
const PRECISION: u32 = 128;

/// Times of receipt since the start, to a tenth of a second or to 1% of their age. A year takes
/// some 2,000 entries.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// The first seq that came since the start.
    first_seq: Option<u64>,
    /// Last seqs and when they came, both ascending.
    entries: Vec<(u64, Duration)>,
}

impl Arrivals {
    /// Notes that the events from `first` to `last` have come.
    pub(super) fn note(&mut self, first: u64, last: u64, now: Duration) {
        self.first_seq = Some(self.first_seq.map_or(first, |seq| seq.min(first)));
        match self.entries.last_mut() {
            // Commits may be counted in another order than they were made in.
            Some((seq, _)) if *seq >= last => {}
            Some((seq, time)) if now.saturating_sub(*time) < STEP => *seq = last,
            _ => self.entries.push((last, now)),
        }
        if self.entries.len() >= ENTRIES_MAX {
            self.thin_out(now);
        }
    }

    /// Drops entries whose events can as well have come with those of the next one.
    fn thin_out(&mut self, now: Duration) {
        let mut kept: Vec<(u64, Duration)> = Vec::with_capacity(ENTRIES_MAX);
        for (at, (seq, time)) in self.entries.iter().enumerate() {
            let before = kept.last().map(|(_, time)| *time);
            let next = self.entries.get(at + 1).map(|(_, time)| *time);
            let is_close = |before: Duration, next: Duration| (next - before) * PRECISION <= now.saturating_sub(*time);
            if !before.zip(next).is_some_and(|(before, next)| is_close(before, next)) {
                kept.push((*seq, *time));
            }
        }
        self.entries = kept;
    }

    /// When the event with this seq came. `None`: before the start.
    pub(super) fn of(&self, seq: u64, now: Duration) -> Option<Duration> {
        if self.first_seq.is_none_or(|first| seq < first) {
            return None;
        }
        let at = self.entries.partition_point(|(last, _)| *last < seq);
        // One that is not noted yet has just come.
        Some(self.entries.get(at).map_or(now, |(_, time)| *time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_came_with_those_that_were_noted_with_it() {
        let mut arrivals = Arrivals::default();
        let second = Duration::from_secs;
        assert_eq!(arrivals.of(1, second(1)), None);
        for at in 0..100 {
            arrivals.note(10 + at * 10, 19 + at * 10, second(at * 3));
        }
        for (seq, time) in [(10, 0), (19, 0), (20, 3), (1_009, 297), (1_010, 500)] {
            assert_eq!(arrivals.of(seq, second(500)), Some(second(time)), "{seq}");
        }
        assert_eq!(arrivals.of(9, second(500)), None);
    }

    #[test]
    fn memory_is_bounded_and_old_times_get_coarser() {
        let mut arrivals = Arrivals::default();
        let events = 1_000_000_u64;
        for at in 0..events {
            arrivals.note(at, at, STEP * at as u32);
            assert!(arrivals.entries.len() < ENTRIES_MAX);
        }
        arrivals.thin_out(STEP * events as u32);
        assert!(arrivals.entries.len() < ENTRIES_MAX / 2, "{} entries", arrivals.entries.len());
        for seq in (0..events).step_by(997) {
            let (came, found) = (STEP * seq as u32, arrivals.of(seq, Duration::MAX).unwrap());
            let age = STEP * events as u32 - came;
            assert!(found >= came && found - came <= STEP + age / 100, "{seq} {found:?}");
        }
    }
}
