//! Finds ASCII text whatever its case, fast: jumps from one occurrence of its rarest byte to the
//! next.

use memchr::memchr2;

/// A text to look for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AsciiSearch {
    wanted: Vec<u8>,
    /// Where the byte is that is likely to be the rarest.
    rare_at: usize,
}

/// Bytes that are frequent in JSON and in English, the most frequent first. Any other is taken to
/// be rare.
const FREQUENT: &[u8] = b" \"etaoinsrlhdcu:,mpf-g_y10.b2w";

impl AsciiSearch {
    /// A search for `wanted`, unless it is empty or not ASCII.
    pub(super) fn new(wanted: &[u8]) -> Option<Self> {
        let frequency = |byte: u8| {
            let place = FREQUENT.iter().position(|&frequent| frequent == byte.to_ascii_lowercase());
            place.map_or(0, |place| FREQUENT.len() - place)
        };
        let (rare_at, _) = wanted.iter().enumerate().min_by_key(|(_, byte)| frequency(**byte))?;
        wanted.is_ascii().then(|| Self { wanted: wanted.to_vec(), rare_at })
    }

    /// Whether `text` has it.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let rare = self.wanted[self.rare_at];
        let (lower, upper) = (rare.to_ascii_lowercase(), rare.to_ascii_uppercase());
        let mut from = self.rare_at;
        while let Some(at) = text.get(from..).and_then(|rest| memchr2(lower, upper, rest)) {
            let start = from + at - self.rare_at;
            if text.get(start..start + self.wanted.len()).is_some_and(|part| part.eq_ignore_ascii_case(&self.wanted)) {
                return true;
            }
            from += at + 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_found_is_what_is_there(wanted in "[abAB k]{1,4}", text in "[abAB kKé]{0,12}") {
            let expected = text.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase());
            prop_assert_eq!(AsciiSearch::new(wanted.as_bytes()).unwrap().is_in(text.as_bytes()), expected);
        }
    }

    #[test]
    fn only_ascii_can_be_looked_for() {
        assert_eq!(AsciiSearch::new(b""), None);
        assert_eq!(AsciiSearch::new("é".as_bytes()), None);
    }
}
