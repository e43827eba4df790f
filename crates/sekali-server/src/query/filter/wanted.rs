//! A value that is looked for in a place of the payload.

use memchr::memmem::Finder;

use super::number::parse_number;
use sekali_store::Need;
use sekali_wire::json::{Decimal, Reader};

/// A value to compare JSON values with.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The text of a string that is equal.
    string: Vec<u8>,
    /// The number or literal that is equal.
    other: Option<Scalar>,
    rejection: Option<Rejection>,
}

#[derive(Debug)]
enum Scalar {
    Number(Decimal<'static>),
    /// `true`, `false` or `null`.
    Literal(&'static [u8]),
}

/// Tells from the raw text that a string is nowhere in it: without `\u` escapes, most characters
/// can only be written as themselves.
#[derive(Debug)]
struct Rejection {
    quoted: Finder<'static>,
    escape: Finder<'static>,
}

impl Wanted {
    /// Reads a value. `5` is the number 5 (or 5.0, or 50e-1) or the string "5"; `true`, `false`
    /// and `null` are these or strings that say so; `"5"` in quotes is a JSON string and nothing
    /// else; anything else is a string.
    ///
    /// # Errors
    /// The value begins with a quote and is no whole JSON string.
    pub(super) fn parse(value: &str) -> Result<Self, String> {
        let (string, other) = if value.starts_with('"') {
            let mut reader = Reader::new(value.as_bytes());
            let string =
                reader.string().filter(|_| reader.is_at_end() && serde_json::from_str::<String>(value).is_ok());
            let string = string.ok_or("a value that begins with a quote must be a whole JSON string, like \"5\"")?;
            (string.into_owned(), None)
        } else {
            (value.as_bytes().to_vec(), Scalar::parse(value))
        };
        let rejection = if other.is_none() { Rejection::new(&string) } else { None };
        Ok(Self { string, other, rejection })
    }

    /// Whether the raw text of a payload shows that the value is nowhere in it. `false` where that
    /// cannot be told.
    pub(super) fn is_ruled_out(&self, payload: &[u8]) -> bool {
        self.rejection.as_ref().is_some_and(|rejection| rejection.rejects(payload))
    }

    /// The text or number that any JSON value has which is this one. `None` where that cannot be told.
    pub(super) fn need(&self) -> Option<Need> {
        // A string that says a number is kept as that number.
        match (parse_number(&self.string), &self.other) {
            (Some(number), _) => {
                let mut spelled = Vec::new();
                number.append_plain(&mut spelled);
                Some(Need::Number(spelled))
            }
            (None, None) => Some(Need::Text(self.string.clone())),
            (None, Some(_)) => None,
        }
    }

    /// Whether a JSON value is this one.
    pub(super) fn is(&self, found: &[u8]) -> bool {
        match (found, &self.other) {
            ([b'"', ..], _) => Reader::new(found).string().is_some_and(|text| *text == *self.string),
            (_, Some(Scalar::Literal(literal))) => found == *literal,
            (_, Some(Scalar::Number(number))) => Decimal::parse(found).is_some_and(|found| found == *number),
            (_, None) => false,
        }
    }
}

impl Scalar {
    fn parse(text: &str) -> Option<Self> {
        let literals: [&'static [u8]; 3] = [b"true", b"false", b"null"];
        if let Some(literal) = literals.into_iter().find(|literal| *literal == text.as_bytes()) {
            return Some(Self::Literal(literal));
        }
        Some(Self::Number(parse_number(text.as_bytes())?.into_owned()))
    }
}

impl Rejection {
    fn new(string: &[u8]) -> Option<Self> {
        let is_plain = !string.iter().any(|&byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\\' | b'/'));
        let quoted = || Finder::new(&[b"\"", string, b"\""].concat()).into_owned();
        is_plain.then(|| Self { quoted: quoted(), escape: Finder::new(b"\\u") })
    }

    fn rejects(&self, payload: &[u8]) -> bool {
        self.quoted.find(payload).is_none() && self.escape.find(payload).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, matching: &[&str], others: &[&str]) {
        let wanted = Wanted::parse(value).unwrap();
        let holds = |found: &str| {
            let is = wanted.is(found.as_bytes());
            assert!(!(is && wanted.is_ruled_out(format!("{{\"a\": {found} }}").as_bytes())));
            is
        };
        for found in matching {
            assert!(holds(found), "{value} should match {found}");
        }
        for found in others {
            assert!(!holds(found), "{value} should not match {found}");
        }
    }

    #[test]
    fn numbers_match_by_their_exact_value() {
        check(
            "5",
            &["5", "5.0", "50e-1", "0.5E+1", "\"5\""],
            &["-5", "5.000000000000000000001", "\"5.0\"", "[5]", "true"],
        );
        check("-0", &["0", "-0.0", "\"-0\""], &["\"0\""]);
        let big = "12345678901234567890.123456789";
        check(big, &[big, &format!("{big}000")], &["12345678901234567890.123456788"]);
        check("1e999999999", &["10e999999998"], &["1e999999998"]);
    }

    #[test]
    fn what_only_looks_like_a_number_is_a_string() {
        check("05", &["\"05\""], &["5"]);
        check(" 5", &["\" 5\""], &["5"]);
        check("+5", &["\"+5\""], &["5"]);
        check("NaN", &["\"NaN\""], &["null", "0"]);
        check("", &["\"\""], &["null", "{}", "0"]);
    }

    #[test]
    fn literals_match_themselves_and_strings() {
        check("true", &["true", "\"true\""], &["false", "\"True\"", "1"]);
        check("null", &["null", "\"null\""], &["0", "\"\"", "{}"]);
    }

    #[test]
    fn a_quoted_value_is_a_string_only() {
        check("\"5\"", &["\"5\"", "\"\\u0035\""], &["5"]);
        check("\"null\"", &["\"null\""], &["null"]);
        check("\"a\\nb\"", &["\"a\\nb\"", "\"a\\u000ab\""], &["\"a\\\\nb\""]);
        check("\"\"", &["\"\""], &["null"]);
    }

    #[test]
    fn strings_match_however_they_are_escaped() {
        check("é/\"", &["\"é/\\\"\"", "\"\\u00e9\\/\\u0022\""], &["\"É/\\\"\"", "\"é/\""]);
        check("plain", &["\"plain\"", "\"pl\\u0061in\""], &["\"plai\"", "\"plain \""]);
    }

    #[test]
    fn a_broken_quoted_value_is_refused() {
        for value in ["\"", "\"a", "\"a\"b", "\"\\x\"", "\"\\ud800\""] {
            assert!(Wanted::parse(value).is_err(), "{value}");
        }
    }
}
