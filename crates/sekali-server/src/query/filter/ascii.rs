//! Finds ASCII text whatever its case: time in proportion to the text searched, whatever the two
//! texts are.

use memchr::{memchr2, memmem::Finder};

/// A text to look for.
#[derive(Debug)]
pub(super) struct AsciiSearch {
    /// The text, in lower case.
    folded: Finder<'static>,
    /// Its byte that is likely to be the rarest, in either case. Most texts lack it, which is quick
    /// to tell.
    rare: (u8, u8),
}

/// Bytes that are frequent in JSON and in English, the most frequent first. Any other is taken to
/// be rare.
const FREQUENT: &[u8] = b" \"etaoinsrlhdcu:,mpf-g_y10.b2w";

impl AsciiSearch {
    /// A search for `wanted`, unless it is empty or not ASCII.
    pub(super) fn new(wanted: &[u8]) -> Option<Self> {
        let folded = wanted.to_ascii_lowercase();
        let frequency = |byte: &&u8| {
            let place = FREQUENT.iter().position(|frequent| frequent == *byte);
            place.map_or(0, |place| FREQUENT.len() - place)
        };
        let rare = *folded.iter().min_by_key(frequency)?;
        let rare = (rare, rare.to_ascii_uppercase());
        folded.is_ascii().then(|| Self { folded: Finder::new(&folded).into_owned(), rare })
    }

    /// Whether `text` has it.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let len = self.folded.needle().len();
        let Some(first) = memchr2(self.rare.0, self.rare.1, text) else { return false };
        // Nothing before the first rare byte can be part of a match, but for the bytes that precede
        // it in the match.
        let text = text.get(first.saturating_sub(len)..).unwrap_or_default();
        text.len() >= len && self.folded.find(&text.to_ascii_lowercase()).is_some()
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
        assert!(AsciiSearch::new(b"").is_none());
        assert!(AsciiSearch::new("é".as_bytes()).is_none());
    }
}
