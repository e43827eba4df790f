//! Times as clients write them: text, or numbers whose magnitude tells their unit.

use std::borrow::Cow;

use sekali_wire::timestamp::parse_timestamp;

use crate::identity::text_of;

/// Longest number that is looked at.
const NUMBER_BYTES_MAX: usize = 40;

/// The time that a JSON value means, in nanoseconds since 1970: RFC 3339 or ISO 8601 text, or a
/// number of seconds, milliseconds, microseconds or nanoseconds, also as text.
pub(crate) fn of_json(json: &[u8]) -> Option<i64> {
    of_text(&text_of(json)?)
}

/// The same, of text.
pub(super) fn of_text(text: &str) -> Option<i64> {
    of_number(text).or_else(|| parse_timestamp(text).ok())
}

/// The time that a number means. One of up to 11 digits before the point counts seconds, up to 14
/// milliseconds, up to 17 microseconds, beyond that nanoseconds.
pub(super) fn of_number(text: &str) -> Option<i64> {
    if text.len() > NUMBER_BYTES_MAX {
        return None;
    }
    let text: Cow<'_, str> = if text.contains(['e', 'E']) { plain(text)?.into() } else { text.into() };
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_ref()), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let unit_ns: i128 = match whole.trim_start_matches('0').len() {
        ..=11 => 1_000_000_000,
        12..=14 => 1_000_000,
        15..=17 => 1_000,
        _ => 1,
    };
    let fraction = fraction.get(..fraction.len().min(12))?;
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? * unit_ns };
    let part = part / 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let ns = i64::try_from(sign * (whole.parse::<i128>().ok()?.checked_mul(unit_ns)? + part)).ok()?;
    // The ends of the range mean infinity to other programs.
    (ns > i64::MIN + 1 && ns < i64::MAX).then_some(ns)
}

/// A number with an exponent, written without.
fn plain(text: &str) -> Option<String> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number.abs() < 1e19).then(|| format!("{number:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_apart_by_magnitude() {
        let expected = Some(1_700_000_000_123_456_789);
        for text in ["1700000000.123456789", "1700000000123.456789", "1700000000123456.789", "1700000000123456789"] {
            assert_eq!(of_number(text), expected, "{text}");
            assert_eq!(of_json(format!("\"{text}\"").as_bytes()), expected);
        }
        assert_eq!(of_json(b"1.7e9"), Some(1_700_000_000_000_000_000));
        assert_eq!(of_json(b"\"2025-10-24T21:00:00.5Z\""), Some(1_761_339_600_500_000_000));
        assert_eq!(of_number("-1.5"), Some(-1_500_000_000));
        assert_eq!(of_number("0"), Some(0));
        for wrong in ["", "-", "1.2.3", "x", "1e400", "99999999999999999999", "NaN", "9223372036854775807"] {
            assert_eq!(of_number(wrong), None, "{wrong}");
        }
        assert_eq!(of_json(b"null"), None);
        assert_eq!(of_json(b"{}"), None);
    }
}
