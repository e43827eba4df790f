//! Points in time as people type them: a timestamp, or how long ago.

use super::{NS_PER_SECOND, TIMESTAMP_NS_MAX, TIMESTAMP_NS_MIN, parse_timestamp};

const DAY_NS: i64 = 86_400 * NS_PER_SECOND;

/// The reason for refusing a text that is no point in time.
const EXPECTED: &str = "must be a time like 2025-10-24 or 2025-10-24T21:00:00+07:00, how long ago it was like 90s, 15m, 1h, \
                        7d or 2w, or now, today, yesterday or tomorrow";

/// Reads a point in time: a timestamp, how long before `now_ns` it was (`90s`, `1h30m`, `7d`), or
/// `now`, `today`, `yesterday`, `tomorrow`, which are days of UTC. Both are nanoseconds since
/// 1970-01-01T00:00:00Z.
///
/// # Errors
/// The text is none of these, or the time is out of the range of timestamps.
pub fn parse_moment(text: &str, now_ns: i64) -> Result<i64, String> {
    let today_ns = now_ns.saturating_sub(now_ns.rem_euclid(DAY_NS));
    let ns = match text.trim().to_ascii_lowercase().as_str() {
        "now" => Some(now_ns),
        "today" => Some(today_ns),
        "yesterday" => today_ns.checked_sub(DAY_NS),
        "tomorrow" => today_ns.checked_add(DAY_NS),
        ago => {
            let ago = ago.strip_suffix(" ago").unwrap_or(ago);
            match parse_length(ago.trim_start_matches('-')) {
                Some(length_ns) => Some(now_ns.checked_sub(length_ns).ok_or("is too long ago")?),
                None => None,
            }
        }
    };
    match ns {
        Some(ns) if (TIMESTAMP_NS_MIN..=TIMESTAMP_NS_MAX).contains(&ns) => Ok(ns),
        Some(_) => Err("is too long ago".to_owned()),
        None => parse_timestamp(text).map_err(|reason| {
            let looks_like_a_time = text.trim_start().starts_with(|first: char| first.is_ascii_digit());
            if looks_like_a_time && text.contains(['-', ':', 'T']) { reason } else { EXPECTED.to_owned() }
        }),
    }
}

/// Reads a length of time, such as `90s`, `7d` or `1h30m`, in nanoseconds above 0. The units are
/// s, m, h, d and w.
pub fn parse_length(text: &str) -> Option<i64> {
    let mut sum: i64 = 0;
    for part in text.split_inclusive(|char: char| char.is_ascii_alphabetic()) {
        let part = part.trim();
        let unit_s = match part.bytes().last()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 7 * 86_400,
            _ => return None,
        };
        let digits = part.get(..part.len() - 1).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        let seconds = digits.parse::<i64>().ok()?.checked_mul(unit_s)?;
        sum = sum.checked_add(seconds.checked_mul(NS_PER_SECOND)?)?;
    }
    Some(sum).filter(|&sum| sum > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_be_told_by_how_long_ago_they_were() {
        let now = parse_timestamp("2025-10-24T21:30:15.5Z").unwrap();
        for (text, expected) in [
            ("now", "2025-10-24T21:30:15.5Z"),
            ("today", "2025-10-24T00:00:00Z"),
            ("Yesterday", "2025-10-23T00:00:00Z"),
            ("tomorrow", "2025-10-25T00:00:00Z"),
            ("1h", "2025-10-24T20:30:15.5Z"),
            ("90s", "2025-10-24T21:28:45.5Z"),
            ("15m", "2025-10-24T21:15:15.5Z"),
            ("7d", "2025-10-17T21:30:15.5Z"),
            ("2w", "2025-10-10T21:30:15.5Z"),
            ("1h30m", "2025-10-24T20:00:15.5Z"),
            ("-1h", "2025-10-24T20:30:15.5Z"),
            ("1h ago", "2025-10-24T20:30:15.5Z"),
            ("2025-10-24", "2025-10-24"),
            ("2025-10-24T21:00:00+07:00", "2025-10-24T14:00:00Z"),
        ] {
            assert_eq!(parse_moment(text, now), parse_timestamp(expected), "{text}");
        }
        assert_eq!(parse_moment("today", -1), Ok(-DAY_NS));
    }

    #[test]
    fn what_is_no_time_is_answered_with_what_would_be_one() {
        for text in ["", "soon", "1", "1x", "h", "0h", "-", "1h and", "1 fortnight", "999999999999w", "+1h", "1é"] {
            let reason = parse_moment(text, 0).unwrap_err();
            assert!(reason.contains("1h") || reason.contains("too long"), "{text}: {reason}");
        }
        assert!(parse_moment("9999-12-31T23:59:59Z", 0).unwrap_err().contains("between"));
        assert!(parse_moment("1h", TIMESTAMP_NS_MIN).is_err());
    }
}
