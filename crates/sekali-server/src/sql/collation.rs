//! Times in statements: texts of one length, which compare as moments with any other spelling.

use std::cmp::Ordering;

use rusqlite::{Connection, Result};
use sekali_wire::timestamp::{append_timestamp, parse_timestamp};

/// The collation of the columns with times.
pub(super) const MOMENT: &str = "moment";
/// Bytes of a time as columns have it, like `2025-10-24T21:00:00.000000000Z`.
const TIME_BYTES: usize = 30;
const FRACTION_DIGITS: usize = 9;

/// Makes the collation known to a connection.
///
/// # Errors
/// Those of SQLite.
pub(super) fn register(connection: &Connection) -> Result<()> {
    connection.create_collation(MOMENT, compare)
}

/// Writes a time as columns have it: with nine digits behind the second, so that texts sort.
pub(super) fn append_time(out: &mut Vec<u8>, ns: i64) {
    let start = out.len();
    append_timestamp(out, ns);
    out.pop();
    let fraction = out.iter().skip(start).position(|&byte| byte == b'.');
    let digits = match fraction {
        Some(at) => out.len() - start - at - 1,
        None => {
            out.push(b'.');
            0
        }
    };
    out.extend(std::iter::repeat_n(b'0', FRACTION_DIGITS.saturating_sub(digits)));
    out.push(b'Z');
}

/// Compares two texts: as moments if both are times, and a time comes before what is none.
fn compare(a: &str, b: &str) -> Ordering {
    if is_ours(a) && is_ours(b) {
        return a.cmp(b);
    }
    match (parse_timestamp(a), parse_timestamp(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// Whether a text looks like a time of a column.
fn is_ours(text: &str) -> bool {
    let shape = b"0000-00-00T00:00:00.000000000Z";
    text.len() == TIME_BYTES
        && text
            .bytes()
            .zip(shape)
            .all(|(byte, &shape)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(ns: i64) -> String {
        let mut out = Vec::new();
        append_time(&mut out, ns);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_have_one_length() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(time(1_500_000_000), "1970-01-01T00:00:01.500000000Z");
        assert_eq!(time(-1), "1969-12-31T23:59:59.999999999Z");
        for ns in [i64::MIN, -1, 0, 1, 1_700_000_000_123_456_789, i64::MAX] {
            assert!(is_ours(&time(ns)), "{}", time(ns));
        }
    }

    #[test]
    fn moments_compare_however_they_are_spelt() {
        let at = "2025-10-24T21:00:00.000000000Z";
        for same in ["2025-10-24T21:00:00Z", "2025-10-24 21:00", "2025-10-25T04:00:00+07:00", at] {
            assert_eq!(compare(at, same), Ordering::Equal, "{same}");
        }
        assert_eq!(compare(at, "2025-10-24"), Ordering::Greater);
        assert_eq!(compare(at, "2025-10-25"), Ordering::Less);
        assert_eq!(compare(at, "never"), Ordering::Less);
        assert_eq!(compare("never", "ever"), Ordering::Greater);
    }
}
