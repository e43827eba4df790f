//! The fast path for common timestamps: `2025-10-24T21:00:00`, an optional fraction, and `Z`, an
//! offset or no zone.
//!
//! Several times as fast as the complete parser. It accepts less, and never another value: tests
//! compare the two.

/// Years that fit 64 bits of nanoseconds completely, with a day to spare for offsets.
const YEARS: std::ops::RangeInclusive<i64> = 1678..=2261;
const NS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Returns the nanoseconds since 1970-01-01T00:00:00Z, or `None` for any other form, valid or not.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (moment, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let seconds = local_seconds(moment)?;
    let (ns, zone) = fraction(rest)?;
    Some((seconds - offset_seconds(zone)?) * NS_PER_SECOND + ns)
}

/// `2025-10-24T21:00:00`
fn local_seconds(text: &[u8; 19]) -> Option<i64> {
    let [a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n] = *text else { return None };
    let year = two(a, b)? * 100 + two(c, d)?;
    let (month, day) = (two(e, f)?, two(g, h)?);
    let (hour, minute, second) = (two(i, j)?, two(k, l)?, two(m, n)?);
    let is_valid = YEARS.contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    is_valid.then(|| days_since_1970(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// Returns the nanoseconds of `.123`, and the text behind.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, text)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(count).filter(|_| (1..=9).contains(&count))?;
    let padding = std::iter::repeat_n(&b'0', 9 - count);
    let ns = digits.iter().chain(padding).fold(0, |ns, digit| ns * 10 + i64::from(digit - b'0'));
    Some((ns, rest))
}

/// `Z`, `+07:00`, or nothing.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    match *text {
        [] | [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), a, b, b':', c, d] => {
            let (hours, minutes) = (two(a, b)?, two(c, d)?);
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counted in years that begin in March, so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const TO_1970: i64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // Months of 31 and 30 days take turns, five of them 153 days.
    let days_before_month = (153 * month + 2) / 5;
    year * 365 + leap_days + days_before_month + day - 1 - TO_1970
}
