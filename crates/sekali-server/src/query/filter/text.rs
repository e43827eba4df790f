//! Text anywhere in a payload, whatever its case: in strings, in member names and in numbers as
//! they are written.

use memchr::memmem::Finder;

use super::ascii::AsciiSearch;
use sekali_wire::json::Tokens;

/// A text to look for in payloads.
///
/// Characters are equal if their lower cases are, one by one: `É` and `é`, but not `ß` and `SS`.
#[derive(Debug)]
pub struct TextSearch {
    /// The text to find, in lower case.
    folded: Finder<'static>,
    /// The text to find, if it is ASCII.
    ascii: Option<AsciiSearch>,
    /// A part of it that must be in the raw text, unless that has `\u` escapes: the longest part of
    /// characters that can otherwise only be written as themselves.
    literal: Option<AsciiSearch>,
    escape: Finder<'static>,
}

impl TextSearch {
    /// A search for `wanted`, which must not be empty.
    pub fn new(wanted: &str) -> Self {
        let literal = wanted.split(|char| !is_literal(char)).max_by_key(|part| part.len()).unwrap_or_default();
        Self {
            folded: Finder::new(&*fold(wanted.as_bytes())).into_owned(),
            ascii: AsciiSearch::new(wanted.as_bytes()),
            literal: AsciiSearch::new(literal.as_bytes()),
            escape: Finder::new(b"\\u"),
        }
    }

    /// It, in lower case.
    pub(super) fn text(&self) -> &[u8] {
        self.folded.needle()
    }

    /// Whether a payload has it.
    pub fn is_in(&self, payload: &[u8]) -> bool {
        let impossible = self.literal.as_ref().is_some_and(|literal| !literal.is_in(payload));
        if impossible && self.escape.find(payload).is_none() {
            return false;
        }
        self.is_in_tokens(payload).unwrap_or(false)
    }

    /// Looks into every string and number. `None` where the text is not JSON.
    fn is_in_tokens(&self, payload: &[u8]) -> Option<bool> {
        let mut tokens = Tokens::new(payload);
        if tokens.any(|token| self.is_in_token(&token)) {
            return Some(true);
        }
        tokens.is_sound().then_some(false)
    }

    fn is_in_token(&self, token: &[u8]) -> bool {
        match &self.ascii {
            // Nothing but an ASCII letter has the lower case of one here, so the rest need not be
            // folded.
            Some(ascii) => ascii.is_in(token),
            None => self.folded.find(&fold(token)).is_some(),
        }
    }
}

/// Whether a character is always itself in JSON text, or a `\u` escape.
fn is_literal(char: char) -> bool {
    (char.is_ascii_graphic() || char == ' ') && !matches!(char, '"' | '\\' | '/')
}

/// Text in lower case. What is not UTF-8 (halves of surrogate pairs) stays as it is.
fn fold(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        let folded = chunk.valid().chars().map(fold_char);
        folded.for_each(|char| out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()));
        out.extend_from_slice(chunk.invalid());
    }
    out
}

/// The lower case of the upper case, so that both forms of a small sigma are one. Characters that
/// become several, or that would leave or enter ASCII (the Kelvin sign), stay what they are.
fn fold_char(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    let upper = only(char.to_uppercase());
    upper.and_then(|upper| only(upper.to_lowercase())).filter(|folded| !folded.is_ascii()).unwrap_or(char)
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(wanted: &str, payload: &str, expected: bool) {
        assert_eq!(TextSearch::new(wanted).is_in(payload.as_bytes()), expected, "{wanted} in {payload}");
    }

    #[test]
    fn strings_names_and_numbers_are_searched() {
        let payload =
            r#"{"Message": "Time OUT", "code": [-504.50, 1e9], "ok": true, "none": null, "deep": {"x": ["Y"]}}"#;
        for wanted in ["time out", "MESSAGE", "e o", "504.5", "-504", "1E9", "y", "deep", "None"] {
            check(wanted, payload, true);
        }
        for wanted in ["timeout", "true", "null", "{", "\"", "code\": [", "out\"", ",", "504.51", "x\": [\"Y"] {
            check(wanted, payload, false);
        }
    }

    #[test]
    fn escapes_do_not_hide_text() {
        let payload = r#"{"a":"say \"hi\"\n\u0041\u00c9\/z","\u006bey":"c:\\dir","s":"\ud83d\ude00","half":"\ud800x"}"#;
        for wanted in ["\"hi\"", "\"\n", "aé", "É/Z", "KEY", "c:\\dir", "😀", "x", "é/z"] {
            check(wanted, payload, true);
        }
        for wanted in ["u0041", "\\n", "\\\"", "d800", "u00"] {
            check(wanted, payload, false);
        }
    }

    #[test]
    fn case_does_not_matter_in_any_script() {
        for (wanted, text) in [("straße", "STRAßE"), ("οδος", "ΟΔΟΣ"), ("ЙОД", "йод"), ("é", "É"), ("ＡＢ", "ａｂ")]
        {
            check(wanted, &format!("{{\"a\":\"{text}\"}}"), true);
            check(text, &format!("{{\"a\":\"{wanted}\"}}"), true);
        }
        // One rule for all: ASCII is only ever equal to ASCII.
        check("k", "{\"a\":\"\u{212a}\"}", false);
        check("\u{212a}", "{\"a\":\"k\"}", false);
        check("ss", "{\"a\":\"ß\"}", false);
    }

    /// A search that compares at every place takes some 100 times as long as this one: minutes.
    #[test]
    fn runs_of_one_character_are_searched_in_one_pass() {
        let run = |char: &str, len: usize| char.repeat(len / char.len());
        for char in ["z", "é", "A"] {
            let payload = format!("{{\"a\":\"{}\"}}", run(char, 1_000_000));
            for wanted in
                [run(char, 200) + "q", "q".to_owned() + &run(char, 200), run(char, 100) + "q" + &run(char, 100)]
            {
                for _ in 0..20 {
                    check(&wanted, &payload, false);
                }
            }
            check(&run(char, 200), &payload, true);
        }
    }

    proptest! {
        #[test]
        fn the_raw_search_rejects_nothing_that_is_there(
            wanted in "[aAkK\"/\\\\ é\u{212a}]{1,3}",
            text in "[aAkK\"/\\\\ éÉ\u{212a}\n]{0,10}",
        ) {
            let search = TextSearch::new(&wanted);
            let payload = serde_json::json!({ "1": text }).to_string();
            let folded = |text: &str| text.chars().map(fold_char).collect::<String>();
            prop_assert_eq!(search.is_in(payload.as_bytes()), folded(&text).contains(&folded(&wanted)));
        }
    }
}
