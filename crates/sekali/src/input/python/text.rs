//! Text in quotes.

use super::Parser;

impl Parser<'_> {
    /// Converts text in single or double quotes.
    pub(super) fn text(&mut self) -> Result<(), String> {
        let Some(quote) = self.rest.chars().next() else { return Err(self.error("expected text")) };
        let start = self.rest;
        self.skip(1);
        if self.rest.starts_with([quote; 2].as_slice())
            && start.get(..3).is_some_and(|three| three.chars().all(|c| c == quote))
        {
            return Err(self.error_at(start, "text in triple quotes, which repr never writes"));
        }
        self.json.push('"');
        loop {
            let plain = self.rest.find([quote, '\\', '\n', '\r']).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(plain);
            text.chars().for_each(|character| self.push(character));
            self.rest = rest;
            match rest.chars().next() {
                Some('\\') => self.escape()?,
                Some(end) if end == quote => break,
                Some(_) => return Err(self.error("a line break inside of quotes")),
                None => return Err(self.error_at(start, "text without a closing quote")),
            }
        }
        self.skip(1);
        self.json.push('"');
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(kind) = self.rest.chars().nth(1) else { return Err(self.error("the text ends inside an escape")) };
        let simple = match kind {
            '\\' | '\'' | '"' => Some(kind),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            _ => None,
        };
        if let Some(character) = simple {
            self.push(character);
            self.skip(2);
            return Ok(());
        }
        match kind {
            'x' => self.code(2, 2, 16),
            'u' => self.code(2, 4, 16),
            'U' => self.code(2, 8, 16),
            '0'..='7' => {
                let digits = self.rest[1..].chars().take(3).take_while(|digit| digit.is_digit(8)).count();
                self.code(1, digits, 8)
            }
            other => Err(self.error(&format!("unknown escape \\{}", other.escape_default()))),
        }
    }

    /// A character by its number, of which the digits stand behind `prefix` bytes.
    fn code(&mut self, prefix: usize, digits: usize, radix: u32) -> Result<(), String> {
        let text = self.rest.get(prefix..prefix + digits).unwrap_or_default();
        let well_formed = text.len() == digits && text.chars().all(|digit| digit.is_digit(radix));
        let code = u32::from_str_radix(text, radix).ok().filter(|_| well_formed);
        let Some(code) = code.filter(|&code| code <= u32::from(char::MAX)) else {
            return Err(self.error("an escape without a character"));
        };
        match char::from_u32(code) {
            Some(character) => self.push(character),
            // Half a surrogate pair: JSON can say it only by an escape, and Python's own json
            // module does.
            None => self.json.push_str(&format!("\\u{code:04x}")),
        }
        self.skip(prefix + digits);
        Ok(())
    }

    /// Writes a character of a string as JSON has it.
    fn push(&mut self, character: char) {
        match character {
            '"' => self.json.push_str("\\\""),
            '\\' => self.json.push_str("\\\\"),
            '\0'..='\u{1f}' => self.json.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => self.json.push(character),
        }
    }
}
