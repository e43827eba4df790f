//! The texts that a search of JSON looks at.

use std::borrow::Cow;

use super::reader::{Reader, Text};

/// Strings without their escapes, names of members included, and numbers as they are written, one
/// after the other.
pub struct Tokens<'a> {
    reader: Reader<'a>,
    is_sound: bool,
}

impl<'a> Tokens<'a> {
    /// Of a JSON text, or of a part of one that begins and ends between tokens.
    pub fn new(text: &'a [u8]) -> Self {
        Self { reader: Reader::new(text), is_sound: true }
    }

    /// Whether it did not end early because the text is not JSON.
    pub fn is_sound(&self) -> bool {
        self.is_sound
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        loop {
            match self.reader.peek()? {
                b'"' => {
                    let string = self.reader.string();
                    if string.is_none() {
                        (self.reader, self.is_sound) = (Reader::new(b""), false);
                    }
                    return string;
                }
                b'-' | b'0'..=b'9' => return Some(Cow::Borrowed(self.reader.number())),
                _ => self.reader.skip_byte(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> (Vec<String>, bool) {
        let mut tokens = Tokens::new(text.as_bytes());
        let found = tokens.by_ref().map(|text| String::from_utf8_lossy(&text).into_owned()).collect();
        (found, tokens.is_sound())
    }

    #[test]
    fn strings_names_and_numbers_are_told_and_nothing_else() {
        let text = r#"{"a": [-1.50, "x\n\u0041", true, null, {"b,c": 2e3}], "d": ""}"#;
        let expected = ["a", "-1.50", "x\nA", "b,c", "2e3", "d", ""].map(str::to_owned);
        assert_eq!(tokens(text), (expected.to_vec(), true));
        assert_eq!(tokens(r#""a":1"#), (vec!["a".to_owned(), "1".to_owned()], true), "a part of one");
        assert_eq!(tokens("true"), (Vec::new(), true));
        for broken in [r#"1 "x"#, r#"1 "\q""#] {
            assert_eq!(tokens(broken), (vec!["1".to_owned()], false), "{broken}");
        }
    }
}
