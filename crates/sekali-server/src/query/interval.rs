//! Lengths of time: `30s`, `5m`, `1h`, `7d`.

/// A length of time that a count is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    seconds: u64,
}

/// The longest, in seconds: a leap year.
const SECONDS_MAX: u64 = 366 * 86_400;

/// Lengths that people read easily, in seconds.
const USUAL_SECONDS: [u64; 22] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    2_592_000,
    SECONDS_MAX,
];

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
        let unit = units.into_iter().find(|(unit, _)| self.seconds.is_multiple_of(*unit));
        let (unit, name) = unit.unwrap_or((1, 's'));
        write!(f, "{}{name}", self.seconds / unit)
    }
}

impl Interval {
    /// Its length.
    pub fn seconds(self) -> u64 {
        self.seconds
    }

    /// Whether it begins and ends with minutes.
    pub(super) fn is_of_minutes(self) -> bool {
        self.seconds.is_multiple_of(60)
    }

    /// Which of the intervals since 1970-01-01T00:00:00Z a moment is in.
    pub fn number_of(self, ns: i64) -> i64 {
        ns.div_euclid(self.ns())
    }

    /// When an interval begins; for the very first one, the earliest moment there is.
    pub fn start_of(self, number: i64) -> i64 {
        number.saturating_mul(self.ns())
    }

    /// The shortest usual interval that divides the time from `first_ns` to `last_ns`, both
    /// included, into at most `buckets`; else the longest there is.
    pub fn dividing(first_ns: i64, last_ns: i64, buckets: u64) -> Self {
        let fits =
            |interval: &Self| interval.number_of(last_ns).abs_diff(interval.number_of(first_ns)) < buckets.max(1);
        let mut usual = USUAL_SECONDS.into_iter().map(|seconds| Self { seconds });
        usual.find(fits).unwrap_or(Self { seconds: SECONDS_MAX })
    }

    fn ns(self) -> i64 {
        self.seconds as i64 * 1_000_000_000
    }

    /// Reads a whole number with s, m, h or d, from 1s to 366d, like `5m`.
    pub fn parse(text: &str) -> Option<Self> {
        let unit = match text.bytes().last()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            _ => return None,
        };
        let digits = &text[..text.len() - 1];
        let number: u64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        let seconds = number.checked_mul(unit).filter(|seconds| (1..=SECONDS_MAX).contains(seconds))?;
        Some(Self { seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_a_number_and_a_unit() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("5m", 300), ("1h", 3_600), ("366d", SECONDS_MAX)] {
            assert_eq!(Interval::parse(text).map(Interval::seconds), Some(seconds), "{text}");
        }
        for text in ["", "m", "0s", "1", "1w", "-1m", "+1m", "1.5h", "1 m", "1M", "367d", "99999999999999999999s", "1é"]
        {
            assert_eq!(Interval::parse(text), None, "{text}");
        }
    }

    #[test]
    fn intervals_are_aligned_before_1970_too() {
        let minute = Interval { seconds: 60 };
        assert_eq!((minute.number_of(-1), minute.start_of(-1)), (-1, -60_000_000_000));
        let longest = Interval { seconds: SECONDS_MAX };
        assert_eq!(longest.start_of(longest.number_of(i64::MIN)), i64::MIN);
        assert!(longest.start_of(longest.number_of(i64::MAX)) > 0);
    }

    #[test]
    fn the_shortest_usual_length_is_chosen_that_gives_few_enough_buckets() {
        let hour_ns = 3_600_000_000_000;
        for (last_ns, buckets, expected) in [
            (0, 60, "1s"),
            (hour_ns - 1, 60, "1m"),
            (hour_ns, 60, "2m"),
            (24 * hour_ns, 60, "30m"),
            (24 * hour_ns, 1, "2d"),
            (i64::MAX, 60, "366d"),
        ] {
            assert_eq!(Interval::dividing(0, last_ns, buckets).to_string(), expected, "{last_ns} {buckets}");
        }
        assert_eq!(Interval::parse("90s").unwrap().to_string(), "90s");
    }
}
