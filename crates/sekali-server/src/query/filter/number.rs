//! Ranges of numbers in payloads, compared exactly.

use std::borrow::Cow;

use sekali_wire::json::{Decimal, Reader};

/// Numbers from `min` on and less than `below`. Unbounded where they are `None`.
#[derive(Debug, Default)]
pub(super) struct NumberRange {
    pub(super) min: Option<Decimal<'static>>,
    pub(super) below: Option<Decimal<'static>>,
}

impl NumberRange {
    pub(super) fn is_unbounded(&self) -> bool {
        self.min.is_none() && self.below.is_none()
    }

    /// Whether a JSON value is in it: a number, or a string that holds one. Without bounds every
    /// value is.
    pub(super) fn contains(&self, value: &[u8]) -> bool {
        if self.is_unbounded() {
            return true;
        }
        let text = match value.first() {
            Some(b'"') => Reader::new(value).string(),
            _ => Some(Cow::Borrowed(value)),
        };
        let number = text.as_deref().and_then(parse_number);
        number.is_some_and(|number| {
            self.min.as_ref().is_none_or(|min| number >= *min)
                && self.below.as_ref().is_none_or(|below| number < *below)
        })
    }
}

/// Reads a number as JSON writes it, and nothing around it.
pub(crate) fn parse_number(text: &[u8]) -> Option<Decimal<'_>> {
    let text_is_number = || {
        let text = std::str::from_utf8(text).ok()?;
        // The parser skips white space, which is not part of a number.
        (text.trim() == text && serde_json::from_str::<serde_json::Number>(text).is_ok()).then_some(())
    };
    text.first().filter(|first| first.is_ascii_digit() || **first == b'-')?;
    text_is_number()?;
    Decimal::parse(text)
}
