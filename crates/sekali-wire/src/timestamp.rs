//! Timestamps: text to nanoseconds since 1970-01-01T00:00:00Z and back.
//!
//! Reads RFC 3339 and the wider ISO 8601 (a space for the `T`, no zone, a date alone). No zone
//! means UTC. Writes RFC 3339 in UTC with `Z` and as many fraction digits as the time needs.

mod usual;
mod value;

pub use value::Timestamp;

use jiff::civil::Time;
use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::Offset;

use crate::limits::TIMESTAMP_BYTES_MAX;

static PARSER: DateTimeParser = DateTimeParser::new();
static PRINTER: DateTimePrinter = DateTimePrinter::new();

/// Reads a timestamp.
///
/// # Errors
/// The text is not a timestamp, has more than nine fraction digits, or is outside the range of 64
/// bits of nanoseconds (1677-09-21 to 2262-04-11).
pub fn parse_timestamp(text: &str) -> Result<i64, String> {
    usual::parse(text).map_or_else(|| parse_any(text), Ok)
}

fn parse_any(text: &str) -> Result<i64, String> {
    if text.len() > TIMESTAMP_BYTES_MAX {
        return Err(format!("has {} bytes, which is no timestamp", text.len()));
    }
    let pieces = PARSER.parse_pieces(text).map_err(|_| unreadable())?;
    if pieces.time_zone_annotation().is_some() {
        return Err("must give its zone as `Z` or an offset such as `+07:00`, not as a name in brackets".to_owned());
    }
    let local = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    let timestamp = offset.to_timestamp(local).map_err(|_| unreadable())?;
    i64::try_from(timestamp.as_nanosecond())
        .map_err(|_| "must lie between 1677-09-21T00:12:44Z and 2262-04-11T23:47:16Z".to_owned())
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
    fn the_ends_of_the_range_are_allowed_and_not_more() {
        assert_eq!(parse_timestamp("2262-04-11T23:47:16.854775807Z"), Ok(i64::MAX));
        assert_eq!(parse_timestamp("1677-09-21T00:12:43.145224192Z"), Ok(i64::MIN));
        assert!(parse_timestamp("2262-04-11T23:47:16.854775808Z").is_err());
        assert!(parse_timestamp("1677-09-21T00:12:43.145224191Z").is_err());
        assert!(parse_timestamp("9999-12-31T23:59:59-23:59").is_err());
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
        fn what_is_printed_reads_back_the_same(ns: i64) {
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
