//! Timestamps: text to nanoseconds since 1970-01-01T00:00:00Z and back.
//!
//! Reads RFC 3339 and the wider ISO 8601 (a space for the `T`, no zone, a date alone). No zone
//! means UTC. Writes RFC 3339 in UTC with `Z` and as many fraction digits as the time needs.
//!
//! Second 60 is read at 23:59:60 UTC of the last day of a month, where UTC may have a leap second.
//! It becomes the last nanosecond before it, behind all of second 59 and before the next minute.
//!
//! The ends of 64 bits of nanoseconds are refused: DuckDB reads the highest as infinity and the
//! lowest but one as minus infinity, pandas reads the lowest as no time.

mod moment;
mod usual;
mod value;

pub use moment::{parse_length, parse_moment};
pub use value::Timestamp;

use jiff::civil::Time;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::{Offset, TimeZone};

use crate::limits::TIMESTAMP_BYTES_MAX;

static PARSER: DateTimeParser = DateTimeParser::new();
static PRINTER: DateTimePrinter = DateTimePrinter::new();
const NS_PER_SECOND: i64 = 1_000_000_000;

/// The earliest timestamp, in nanoseconds since 1970.
const TIMESTAMP_NS_MIN: i64 = i64::MIN + 2;
/// The latest timestamp, in nanoseconds since 1970.
const TIMESTAMP_NS_MAX: i64 = i64::MAX - 1;

/// Reads a timestamp.
///
/// # Errors
/// The text is not a timestamp, has more than nine fraction digits or a second 60 that is no leap
/// second, or is outside the range (1677-09-21 to 2262-04-11, without the two lowest nanoseconds
/// and the highest).
pub fn parse_timestamp(text: &str) -> Result<i64, String> {
    usual::parse(text).map_or_else(|| parse_any(text), Ok)
}

fn parse_any(text: &str) -> Result<i64, String> {
    if text.len() > TIMESTAMP_BYTES_MAX {
        return Err(format!("has {} bytes, which is no timestamp", text.len()));
    }
    let pieces = PARSER.parse_pieces(text).map_err(|_| if is_far(text) { out_of_range() } else { unreadable() })?;
    if pieces.time_zone_annotation().is_some() {
        return Err("must give its zone as `Z` or an offset such as `+07:00`, not as a name in brackets".to_owned());
    }
    let local = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    let timestamp = offset.to_timestamp(local).map_err(|_| out_of_range())?;
    let ns = i64::try_from(timestamp.as_nanosecond()).ok();
    let ns = ns.filter(|ns| (TIMESTAMP_NS_MIN..=TIMESTAMP_NS_MAX).contains(ns)).ok_or_else(out_of_range)?;
    if is_second_60(text) { leap_second(ns) } else { Ok(ns) }
}

/// The last nanosecond before a leap second, given a moment in second 59.
fn leap_second(ns: i64) -> Result<i64, String> {
    let second = ns.div_euclid(NS_PER_SECOND);
    let next = jiff::Timestamp::from_second(second + 1).map_err(|_| out_of_range())?.to_zoned(TimeZone::UTC);
    if next.day() == 1 && next.time() == Time::midnight() {
        return Ok(second * NS_PER_SECOND + NS_PER_SECOND - 1);
    }
    Err("has second 60, which exists at 23:59:60 UTC on the last day of a month only".to_owned())
}

/// Whether a timestamp, which was read, has second 60.
fn is_second_60(text: &str) -> bool {
    let time = text.split_once(['T', 't', ' ']).map_or("", |(_, time)| time.trim_start());
    let digits = time.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b':').filter(|&byte| byte != b':');
    digits.skip(4).take(2).eq(*b"60")
}

/// Whether the year of a text is out of the range however the rest of it reads: it has a sign, or
/// five digits and more.
fn is_far(text: &str) -> bool {
    let Some((year, rest)) = text.trim_start_matches(['+', '-']).split_once('-') else { return false };
    let is_year = year.len() >= 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    is_year
        && rest.starts_with(|first: char| first.is_ascii_digit())
        && (year.len() > 4 || text.starts_with(['+', '-']))
}

fn out_of_range() -> String {
    let [min, max] = [TIMESTAMP_NS_MIN, TIMESTAMP_NS_MAX].map(|ns| {
        let mut text = Vec::new();
        append_timestamp(&mut text, ns);
        String::from_utf8_lossy(&text).into_owned()
    });
    format!("must lie between {min} and {max}")
}

/// Writes a timestamp to the end of `out`.
pub fn append_timestamp(out: &mut Vec<u8>, ns: i64) {
    // Neither can fail: the library's range is wider than 64 bits of nanoseconds, and writes to
    // memory succeed.
    if let Ok(timestamp) = jiff::Timestamp::from_nanosecond(ns.into()) {
        let _ = PRINTER.print_timestamp(&timestamp, out);
    }
}

fn unreadable() -> String {
    "must be a timestamp such as 2025-10-24T21:00:00Z, with at most 9 fraction digits".to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn print(ns: i64) -> String {
        let mut out = Vec::new();
        append_timestamp(&mut out, ns);
        String::from_utf8(out).unwrap()
    }

    /// The text after it is stored and read back.
    fn normal(text: &str) -> Result<String, String> {
        parse_timestamp(text).map(print)
    }

    #[test]
    fn spellings_of_the_same_moment_are_one() {
        for text in [
            "2025-10-24T21:00:00Z",
            "2025-10-24t21:00:00z",
            "2025-10-24 21:00:00",
            "2025-10-24T21:00:00",
            "2025-10-24T21:00",
            "2025-10-25T04:00:00+07:00",
            "2025-10-24T21:00:00.000000000+00:00",
            "2025-10-24T21:00:00-00:00",
            "20251024T210000Z",
        ] {
            assert_eq!(normal(text).as_deref(), Ok("2025-10-24T21:00:00Z"), "{text}");
        }
        assert_eq!(normal("2025-10-24").as_deref(), Ok("2025-10-24T00:00:00Z"));
    }

    #[test]
    fn nanoseconds_survive_and_trailing_zeros_do_not() {
        assert_eq!(normal("2025-10-24T21:00:00.123456789Z").as_deref(), Ok("2025-10-24T21:00:00.123456789Z"));
        assert_eq!(normal("2025-10-24T21:00:00.100Z").as_deref(), Ok("2025-10-24T21:00:00.1Z"));
    }

    #[test]
    fn times_that_others_read_as_infinite_or_as_none_are_out_of_the_range() {
        assert_eq!(parse_timestamp("2262-04-11T23:47:16.854775806Z"), Ok(i64::MAX - 1));
        assert_eq!(parse_timestamp("1677-09-21T00:12:43.145224194Z"), Ok(i64::MIN + 2));
        for text in [
            "2262-04-11T23:47:16.854775807Z",
            "2262-04-12T02:47:16.854775807+03:00",
            "2262-04-11T23:47:16.854775808Z",
            "1677-09-21T00:12:43.145224193Z",
            "1677-09-21T00:12:43.145224192Z",
            "1677-09-21T00:12:43.145224191Z",
        ] {
            assert!(parse_timestamp(text).is_err_and(|reason| reason.starts_with("must lie between ")), "{text}");
        }
    }

    #[test]
    fn a_time_that_is_far_away_is_told_the_range() {
        for text in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59-23:59",
            "9999-12-31",
            "0001-01-01T00:00:00Z",
            "0000-01-01",
            "+010000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
        ] {
            assert_eq!(
                parse_timestamp(text).unwrap_err(),
                "must lie between 1677-09-21T00:12:43.145224194Z and 2262-04-11T23:47:16.854775806Z",
                "{text}"
            );
        }
    }

    #[test]
    fn second_60_exists_at_the_end_of_a_month_in_utc_only() {
        for text in [
            "2016-12-31T23:59:60Z",
            "2016-12-31t23:59:60.5z",
            "2016-12-31 23:59:60.000000001",
            "2016-12-31T18:59:60-05:00",
            "2017-01-01T05:29:60.999999999+05:30",
            "20161231T235960Z",
            "20161231 235960,5",
        ] {
            assert_eq!(normal(text).as_deref(), Ok("2016-12-31T23:59:59.999999999Z"), "{text}");
        }
        assert_eq!(normal("2024-02-29T23:59:60Z").as_deref(), Ok("2024-02-29T23:59:59.999999999Z"));
        for text in [
            "2025-10-24T12:30:60Z",
            "2025-10-24T12:30:60.5",
            "2025-10-24 123060Z",
            "2016-12-30T23:59:60Z",
            "2024-02-28T23:59:60Z",
            "2016-12-31T22:59:60Z",
            "2016-12-31T23:59:60-05:00",
            "2016-12-31T23:58:60Z",
        ] {
            assert!(
                parse_timestamp(text).is_err_and(|reason| reason.contains("second 60")),
                "{text}: {:?}",
                parse_timestamp(text)
            );
        }
        assert!(parse_timestamp("2016-12-31T23:59:61Z").is_err());
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        let long = "2".repeat(1000);
        for text in [
            "",
            "yesterday",
            "1729803600",
            "2025-13-01T00:00:00Z",
            "2025-02-30T00:00:00Z",
            "2025-10-24T25:00:00Z",
            "2025-10-24T21:00:00.1234567890Z",
            "2025-10-24T21:00:00+99:00",
            "2025-10-24T21:00:00Z and more",
            "2025-10-24T21:00:00+02:00[Europe/Paris]",
            &long,
        ] {
            assert!(parse_timestamp(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(ns in TIMESTAMP_NS_MIN..=TIMESTAMP_NS_MAX) {
            prop_assert_eq!(parse_timestamp(&print(ns)), Ok(ns));
        }

        #[test]
        fn the_usual_spellings_mean_the_same_read_quickly(
            date in "(1[5-9]|2[0-3])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
            time in "([01][0-9]|2[0-4]):[0-6][0-9]:[0-6][0-9]",
            fraction in "(\\.[0-9]{1,10})?",
            zone in "Z|[+-]([01][0-9]|2[0-5]):[0-6][0-9]|",
        ) {
            let text = format!("{date}T{time}{fraction}{zone}");
            let (quickly, anyhow) = (usual::parse(&text), parse_any(&text));
            prop_assert!(quickly.is_none_or(|ns| anyhow == Ok(ns)), "{text}: {quickly:?}, {anyhow:?}");
        }

        #[test]
        fn what_is_not_quite_usual_means_the_same(ns: i64, at in 0..30_usize, other in "[ -~é]?") {
            let mut text = print(ns);
            if let Some(end) = text[at.min(text.len())..].chars().next().map(|was| at + was.len_utf8()) {
                text.replace_range(at..end, &other);
            }
            prop_assert!(usual::parse(&text).is_none_or(|ns| parse_any(&text) == Ok(ns)), "{text}");
        }

        #[test]
        fn what_is_printed_is_read_quickly(ns in -9_214_560_000_000_000_000..9_214_646_400_000_000_000_i64) {
            prop_assert_eq!(usual::parse(&print(ns)), Some(ns));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse_timestamp(&text);
        }
    }
}
