//! Points in time as people type them: a timestamp, or how long ago.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::args::units::time_ns;
use sekali_wire::timestamp::{append_timestamp, parse_timestamp};

const DAY_NS: i64 = 86_400_000_000_000;

/// What a flag that takes a point in time says of itself if it does not get one.
const EXPECTED: &str = "write a time like 2025-10-24 or 2025-10-24T21:00:00+07:00, how long ago it was like 90s, 15m, 1h, 7d \
                        or 2w, or now, today or yesterday";

/// The timestamp that `text` means now. Days are those of UTC.
pub(super) fn moment(text: &str) -> Result<String, String> {
    at(text, Timestamp::now())
}

fn at(text: &str, now: Timestamp) -> Result<String, String> {
    let now_ns = i64::try_from(now.as_nanosecond()).map_err(|_| "the clock of this machine is far off".to_owned())?;
    let today = now.to_zoned(TimeZone::UTC).start_of_day().map_err(|error| error.to_string())?;
    let today_ns = i64::try_from(today.timestamp().as_nanosecond()).unwrap_or(now_ns);
    let ns = match text.trim().to_ascii_lowercase().as_str() {
        "now" => Some(now_ns),
        "today" => Some(today_ns),
        "yesterday" => today_ns.checked_sub(DAY_NS),
        "tomorrow" => today_ns.checked_add(DAY_NS),
        ago => match length_ns(ago.strip_suffix(" ago").unwrap_or(ago).trim_start_matches('-')) {
            Some(length_ns) => Some(now_ns.checked_sub(length_ns).ok_or("is too long ago")?),
            None => None,
        },
    };
    let Some(ns) = ns else {
        let looks_like_a_time = text.trim_start().starts_with(|first: char| first.is_ascii_digit());
        return match parse_timestamp(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(reason) if looks_like_a_time && text.contains(['-', ':']) => Err(reason),
            Err(_) => Err(EXPECTED.to_owned()),
        };
    };
    let mut written = Vec::new();
    append_timestamp(&mut written, ns);
    Ok(String::from_utf8_lossy(&written).into_owned())
}

/// Lengths of time that are added up, such as `90s`, `7d` or `1h30m`.
fn length_ns(text: &str) -> Option<i64> {
    let mut sum: i64 = 0;
    let parts = text.split_inclusive(|part: char| part.is_ascii_alphabetic());
    for part in parts {
        sum = sum.checked_add(time_ns(part.trim())?)?;
    }
    Some(sum).filter(|&sum| sum > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_be_told_by_how_long_ago_they_were() {
        let now: Timestamp = "2025-10-24T21:30:15.5Z".parse().unwrap();
        for (text, expected) in [
            ("now", "2025-10-24T21:30:15.5Z"),
            ("today", "2025-10-24T00:00:00Z"),
            ("Yesterday", "2025-10-23T00:00:00Z"),
            ("1h", "2025-10-24T20:30:15.5Z"),
            ("90s", "2025-10-24T21:28:45.5Z"),
            ("15m", "2025-10-24T21:15:15.5Z"),
            ("7d", "2025-10-17T21:30:15.5Z"),
            ("2w", "2025-10-10T21:30:15.5Z"),
            ("1h30m", "2025-10-24T20:00:15.5Z"),
            ("-1h", "2025-10-24T20:30:15.5Z"),
            ("1h ago", "2025-10-24T20:30:15.5Z"),
            ("2025-10-24", "2025-10-24"),
            ("2025-10-24T21:00:00+07:00", "2025-10-24T21:00:00+07:00"),
        ] {
            assert_eq!(at(text, now).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_answered_with_what_would_be_one() {
        for text in ["", "soon", "1", "1x", "h", "0h", "-", "1h and", "1 fortnight", "999999999999w"] {
            let reason = at(text, Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(reason.contains("1h") || reason.contains("too long"), "{text}: {reason}");
        }
        assert!(at("9999-12-31T23:59:59Z", Timestamp::UNIX_EPOCH).unwrap_err().contains("between"));
    }
}
