//! Exact decimal values of JSON numbers, compared without computing them: `1e999999999` costs no
//! more than `1`.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A number as `0.DIGITS × 10^exponent`, normalised: no zeros at either end of the digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal<'a> {
    negative: bool,
    /// Empty for zero.
    digits: Cow<'a, [u8]>,
    exponent: Exponent,
}

/// An integer of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exponent {
    /// An integer of at most [`SMALL_DIGITS_MAX`] digits.
    Small(i64),
    /// Any other: its decimal digits without leading zeros.
    Large { negative: bool, digits: Vec<u8> },
}

/// Integers with this many digits, shifted by the length of a payload, fit 64 bits.
const SMALL_DIGITS_MAX: usize = 17;
/// The largest of them.
const SMALL_MAX: u64 = 10_u64.pow(SMALL_DIGITS_MAX as u32) - 1;

impl<'a> Decimal<'a> {
    /// Reads a JSON number.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = sign(text);
        let (mantissa, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, &b"0"[..]),
        };
        let (whole, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &b""[..]),
        };
        let (exponent_negative, exponent) = match exponent {
            [b'+', digits @ ..] => (false, digits),
            other => sign(other),
        };
        let all_digits = [whole, fraction, exponent].iter().all(|part| part.iter().all(u8::is_ascii_digit));
        if whole.is_empty() || exponent.is_empty() || !all_digits {
            return None;
        }
        Some(Self::normal(negative, whole, fraction, exponent_negative, exponent))
    }

    /// Appends a form that is the same for equal numbers, and for no others.
    pub(super) fn append_canonical(&self, out: &mut Vec<u8>) {
        let sign = u64::from(self.negative);
        match &self.exponent {
            // Signs in the lowest bits, so that small numbers take a byte.
            Exponent::Small(value) => {
                append_number(out, sign);
                append_number(out, value.unsigned_abs() << 1 | u64::from(*value < 0));
            }
            Exponent::Large { negative, digits } => {
                append_number(out, sign | 2 | u64::from(*negative) << 2);
                append_number(out, digits.len() as u64);
                out.extend_from_slice(digits);
            }
        }
        append_number(out, self.digits.len() as u64);
        out.extend_from_slice(&self.digits);
    }

    /// Writes the number to the end of `out` in the one spelling that all equal numbers have: plain
    /// where that is short, and else with an exponent.
    pub fn append_plain(&self, out: &mut Vec<u8>) {
        let digits = &*self.digits;
        if self.negative {
            out.push(b'-');
        }
        match &self.exponent {
            _ if digits.is_empty() => out.push(b'0'),
            Exponent::Small(exponent @ -5..=0) => {
                out.extend_from_slice(b"0.");
                out.resize(out.len() + exponent.unsigned_abs() as usize, b'0');
                out.extend_from_slice(digits);
            }
            Exponent::Small(exponent @ 1..=21) => {
                let whole = *exponent as usize;
                let (before, after) = digits.split_at(whole.min(digits.len()));
                out.extend_from_slice(before);
                out.resize(out.len() + (whole - before.len()), b'0');
                if !after.is_empty() {
                    out.push(b'.');
                    out.extend_from_slice(after);
                }
            }
            exponent => {
                out.extend_from_slice(b"0.");
                out.extend_from_slice(digits);
                out.push(b'e');
                exponent.append(out);
            }
        }
    }

    /// The same number, owning its digits.
    pub fn into_owned(self) -> Decimal<'static> {
        Decimal { digits: Cow::Owned(self.digits.into_owned()), ..self }
    }

    fn normal(
        negative: bool,
        whole: &'a [u8],
        fraction: &'a [u8],
        exponent_negative: bool,
        exponent: &'a [u8],
    ) -> Self {
        let joined: Cow<'a, [u8]> =
            if fraction.is_empty() { Cow::Borrowed(whole) } else { Cow::Owned([whole, fraction].concat()) };
        let leading = joined.iter().take_while(|&&digit| digit == b'0').count();
        let trailing = joined[leading..].iter().rev().take_while(|&&digit| digit == b'0').count();
        let (start, end) = (leading, joined.len() - trailing);
        if start == end {
            return Self { negative: false, digits: Cow::Borrowed(b""), exponent: Exponent::Small(0) };
        }
        let digits = match joined {
            Cow::Borrowed(all) => Cow::Borrowed(&all[start..end]),
            Cow::Owned(all) => Cow::Owned(all[start..end].to_vec()),
        };
        // The point is behind the integer part. The normal form moves it before the first digit.
        let shift = whole.len() as i64 - leading as i64;
        Self { negative, digits, exponent: Exponent::new(exponent_negative, exponent, shift) }
    }
}

impl Exponent {
    /// Returns the integer in `digits` plus `shift`.
    fn new(negative: bool, digits: &[u8], shift: i64) -> Self {
        let digits = without_leading_zeros(digits);
        if let Some(size) = small(digits) {
            let value = if negative { shift - size } else { shift + size };
            if value.unsigned_abs() <= SMALL_MAX {
                return Self::Small(value);
            }
            return Self::normal(value < 0, value.unsigned_abs().to_string().as_bytes());
        }
        let mut digits = digits.to_vec();
        // Away from zero if both have the same sign. It cannot cross zero, because the shift is
        // smaller by many digits.
        if negative == (shift < 0) {
            add(&mut digits, shift.unsigned_abs());
        } else {
            subtract(&mut digits, shift.unsigned_abs());
        }
        Self::normal(negative, without_leading_zeros(&digits))
    }

    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Self::Small(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Self::Large { negative, digits } => {
                if *negative {
                    out.push(b'-');
                }
                out.extend_from_slice(digits);
            }
        }
    }

    /// Integers near the border of the two forms can come from either side.
    fn normal(negative: bool, digits: &[u8]) -> Self {
        match small(digits) {
            Some(size) => Self::Small(if negative { -size } else { size }),
            None => Self::Large { negative, digits: digits.to_vec() },
        }
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let size = self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
            if self.negative { size.reverse() } else { size }
        })
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Decimal<'_> {
    /// -1, 0 or 1.
    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Exponent {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(one), Self::Small(other)) => one.cmp(other),
            (Self::Large { negative, .. }, Self::Small(_)) => away_from_zero(*negative),
            (Self::Small(_), Self::Large { negative, .. }) => away_from_zero(*negative).reverse(),
            (Self::Large { negative: true, .. }, Self::Large { negative: false, .. }) => Ordering::Less,
            (Self::Large { negative: false, .. }, Self::Large { negative: true, .. }) => Ordering::Greater,
            (Self::Large { negative, digits }, Self::Large { digits: others, .. }) => {
                let size = digits.len().cmp(&others.len()).then_with(|| digits.cmp(others));
                if *negative { size.reverse() } else { size }
            }
        }
    }
}

impl PartialOrd for Exponent {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How an integer too large for [`Exponent::Small`] compares with one that is not.
fn away_from_zero(negative: bool) -> Ordering {
    if negative { Ordering::Less } else { Ordering::Greater }
}

/// Appends a number, seven bits to a byte, the lowest first.
pub(super) fn append_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn small(digits: &[u8]) -> Option<i64> {
    let value = || digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    (digits.len() <= SMALL_DIGITS_MAX).then(value)
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    }
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

fn add(digits: &mut Vec<u8>, mut number: u64) {
    for digit in digits.iter_mut().rev() {
        if number == 0 {
            return;
        }
        let sum = u64::from(*digit - b'0') + number;
        *digit = b'0' + (sum % 10) as u8;
        number = sum / 10;
    }
    if number > 0 {
        digits.splice(..0, number.to_string().into_bytes());
    }
}

/// Subtracts a number that is smaller than the digits.
fn subtract(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        if number == 0 {
            return;
        }
        let (from, take) = (*digit - b'0', (number % 10) as u8);
        number /= 10;
        if from < take {
            number += 1;
        }
        *digit = b'0' + (from + 10 - take) % 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_canonical_spelling() {
        for (spellings, canonical) in [
            (&["0", "-0", "0.0e9"][..], "0"),
            (&["5", "5.0", "50e-1", "0.5E+1"], "5"),
            (&["-1200", "-1.2e3"], "-1200"),
            (&["12.50", "1250e-2"], "12.5"),
            (&["0.00001", "1e-5"], "0.00001"),
            (&["1e-7"], "0.1e-6"),
            (&["1e20"], "100000000000000000000"),
            (&["1e22", "10e21"], "0.1e23"),
            (&["1e99999999999999999999"], "0.1e100000000000000000000"),
            (&["-1e-99999999999999999999"], "-0.1e-99999999999999999998"),
        ] {
            for spelling in spellings {
                let mut out = Vec::new();
                let number = Decimal::parse(spelling.as_bytes()).unwrap();
                number.append_plain(&mut out);
                assert_eq!(String::from_utf8(out.clone()).unwrap(), canonical, "{spelling}");
                assert_eq!(Decimal::parse(&out).unwrap(), number);
            }
        }
    }

    #[test]
    fn numbers_are_ordered_by_their_exact_value() {
        let ascending = [
            "-1e99999999999999999999",
            "-1e5",
            "-12",
            "-1.5",
            "-1",
            "-0.1",
            "-1e-99999999999999999999",
            "0",
            "1e-99999999999999999999",
            "1e-99999999999999999998",
            "0.1",
            "0.10000000000000000000001",
            "1",
            "1.5",
            "9007199254740992",
            "9007199254740993",
            "1e99999999999999999998",
            "1e99999999999999999999",
        ];
        let numbers = ascending.map(|text| Decimal::parse(text.as_bytes()).unwrap());
        for (at, number) in numbers.iter().enumerate() {
            for (other_at, other) in numbers.iter().enumerate() {
                assert_eq!(number.cmp(other), at.cmp(&other_at), "{} {}", ascending[at], ascending[other_at]);
            }
        }
        let [same, others] = ["-0.0", "0e5"].map(|text| Decimal::parse(text.as_bytes()).unwrap());
        assert_eq!(same.cmp(&others), std::cmp::Ordering::Equal);
    }
}
