//! Untrusted text, escaped for terminals and logs, so that it is shown and has no effect.

use std::borrow::Cow;

/// Returns `text` with every control and direction-changing character replaced by its JSON escape
/// (`\u001b`). Inside a JSON string the meaning is unchanged; elsewhere the escape shows the
/// character.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    text.chars().for_each(|character| append(&mut safe, character));
    Cow::Owned(safe)
}

/// Like [`escape`], but keeps colours: for coloured text whose parts were escaped before.
pub fn escape_painted(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (colour, behind) = rest.split_at(colour_bytes(rest));
        safe.push_str(colour);
        rest = behind;
        if colour.is_empty() {
            append(&mut safe, character);
            rest = &rest[character.len_utf8()..];
        }
    }
    Cow::Owned(safe)
}

fn append(safe: &mut String, character: char) {
    if !is_dangerous(character) {
        return safe.push(character);
    }
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        safe.push_str(&format!("\\u{unit:04x}"));
    }
}

/// The length of the sequence at the beginning of `text` that sets a colour (ECMA-48, 8.3.117), or
/// 0.
fn colour_bytes(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = parameters.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b';')).count();
    if parameters[end..].starts_with('m') { "\u{1b}[".len() + end + 1 } else { 0 }
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
    fn of_what_we_painted_only_the_colours_stay() {
        let painted = "\u{1b}[1mbold\u{1b}[0m \u{1b}[38;5;1mred\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[1";
        assert_eq!(
            escape_painted(painted),
            "\u{1b}[1mbold\u{1b}[0m \u{1b}[38;5;1mred\\u001b[2J\\u001b]0;title\\u0007\\u001b[1"
        );
        assert_eq!(escape_painted("é\u{202e}x"), "é\\u202ex");
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
