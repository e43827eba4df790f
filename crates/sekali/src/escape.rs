//! Text of events is data from strangers: on a terminal it is shown, never obeyed.

use std::borrow::Cow;

/// `text` with every control and direction-changing character replaced by its JSON escape (`\u001b`). Inside a JSON
/// string the result still means the same; for anything else it is how the character is shown.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    for character in text.chars() {
        if is_dangerous(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Characters that move the cursor, change the terminal's state, reorder or hide what follows.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_bidi_overrides_are_shown() {
        assert_eq!(escape("\x1b[31mred\x07"), "\\u001b[31mred\\u0007");
        assert_eq!(escape("abc\u{202e}txt.exe"), "abc\\u202etxt.exe");
        assert_eq!(escape("c1 \u{9b}31m"), "c1 \\u009b31m");
        assert_eq!(escape("tag \u{e0041}"), "tag \\udb40\\udc41");
    }

    #[test]
    fn plain_text_of_any_language_is_untouched() {
        for text in ["plain", "héllo wörld", "日本語", "שלום", "👩‍💻".split('\u{200d}').next().unwrap()]
        {
            assert!(matches!(escape(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn escaped_json_still_means_the_same() {
        let json = serde_json::to_string("a\u{202e}b\u{e0041}").unwrap();
        assert_ne!(escape(&json), json);
        assert_eq!(serde_json::from_str::<String>(&escape(&json)).unwrap(), "a\u{202e}b\u{e0041}");
    }
}
