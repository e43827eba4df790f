//! Whether the times of a request are so fine that an equal request can only be a repeat.
//!
//! Clocks of seconds and milliseconds make equal requests that are no repeats: twenty equal lines
//! in a loop fall into three or four milliseconds. Two different times in microseconds, or four in
//! milliseconds, have not been seen twice.

/// Digits after the second's point that all different times together must have.
const DIGITS_MIN: u32 = 12;
const NS_PER_SECOND: i64 = 1_000_000_000;
const NS_DIGITS: u32 = 9;

/// Counts the digits below the second of the different times of a request.
#[derive(Debug, Default)]
pub(crate) struct Fineness {
    /// Each adds a digit at least, so that there are never more than [`DIGITS_MIN`].
    seen: Vec<i64>,
    digits: u32,
}

impl Fineness {
    /// Notes the time of an event, in nanoseconds since 1970.
    pub(crate) fn note(&mut self, time_ns: i64) {
        if self.is_proof() {
            return;
        }
        let digits = digits(time_ns);
        if digits > 0 && !self.seen.contains(&time_ns) {
            self.seen.push(time_ns);
            self.digits += digits;
        }
    }

    /// Whether an equal request is a repeat, whenever it comes.
    pub(crate) fn is_proof(&self) -> bool {
        self.digits >= DIGITS_MIN
    }
}

/// The digits of a time after the second's point, zeros at the end left out.
fn digits(time_ns: i64) -> u32 {
    let mut below = time_ns.rem_euclid(NS_PER_SECOND);
    if below == 0 {
        return 0;
    }
    let mut digits = NS_DIGITS;
    while below % 10 == 0 {
        below /= 10;
        digits -= 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_proof(times_ns: &[i64]) -> bool {
        let mut fineness = Fineness::default();
        times_ns.iter().for_each(|&time_ns| fineness.note(time_ns));
        fineness.is_proof()
    }

    #[test]
    fn zeros_at_the_end_are_no_digits() {
        for (time_ns, expected) in [(0, 0), (5_000_000_000, 0), (120_000_000, 2), (1, 9), (-1, 9), (123_000, 6)] {
            assert_eq!(digits(time_ns), expected, "{time_ns}");
        }
    }

    #[test]
    fn only_different_and_fine_times_prove_anything() {
        let (ms, us) = (1_000_000, 1_000);
        assert!(is_proof(&[123_456 * us, 123_457 * us]));
        assert!(is_proof(&[101 * ms, 102 * ms, 103 * ms, 104 * ms]));
        assert!(!is_proof(&[101 * ms, 102 * ms, 103 * ms]));
        assert!(!is_proof(&[123_456 * us; 100]), "the same time again says nothing new");
        assert!(!is_proof(&(0..10_000).map(|second| second * NS_PER_SECOND).collect::<Vec<_>>()));
        assert!(!is_proof(&[123_456_789]));
    }
}
