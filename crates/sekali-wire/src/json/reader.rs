//! Reads JSON text piece by piece. The text was validated when it was accepted, but this reader
//! does not rely on that: it returns `None` for anything unexpected.

use std::borrow::Cow;

use memchr::memchr2;

/// A string without its escapes, as UTF-8 where half a surrogate pair is encoded like any other
/// code point (WTF-8).
pub type Text<'a> = Cow<'a, [u8]>;

/// The unread rest of a JSON text.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `text` from its beginning.
    pub fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// Returns the first byte of the next token without consuming it.
    pub fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.rest.first().copied()
    }

    /// The text that is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether only white space is left.
    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Skips a byte.
    pub fn skip_byte(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Skips a whole value of any depth. Returns its text.
    pub fn skip_value(&mut self) -> Option<&'a [u8]> {
        self.skip_space();
        let len = value_len(self.rest)?;
        Some(self.advance(len, 0))
    }

    /// Reads a string.
    pub fn string(&mut self) -> Option<Text<'a>> {
        self.take(b'"')?;
        let plain = memchr2(b'"', b'\\', self.rest)?;
        if self.rest[plain] == b'"' {
            return Some(Cow::Borrowed(self.advance(plain, 1)));
        }
        let mut out = Vec::new();
        loop {
            let plain = memchr2(b'"', b'\\', self.rest)?;
            let end = self.rest[plain] == b'"';
            out.extend_from_slice(self.advance(plain, 1));
            if end {
                return Some(Cow::Owned(out));
            }
            self.escape(&mut out)?;
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let kind = *self.rest.first()?;
        self.advance(1, 0);
        out.push(match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let code = self.code_point()?;
                append_code_point(out, code);
                return Some(());
            }
            _ => return None,
        });
        Some(())
    }

    /// Reads the digits of `\uXXXX`, and the second half of a surrogate pair if it follows.
    fn code_point(&mut self) -> Option<u32> {
        let first = self.hex()?;
        if (0xD800..0xDC00).contains(&first) && self.rest.starts_with(b"\\u") {
            let before = self.rest;
            self.advance(2, 0);
            let second = self.hex()?;
            if (0xDC00..0xE000).contains(&second) {
                return Some(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            }
            self.rest = before;
        }
        Some(first)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = std::str::from_utf8(self.rest.get(..4)?).ok()?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.advance(4, 0);
        Some(code)
    }

    /// Consumes the characters of a number.
    pub fn number(&mut self) -> &'a [u8] {
        let len = self.rest.iter().position(|&byte| !is_of_number(byte)).unwrap_or(self.rest.len());
        self.advance(len, 0)
    }

    /// Consumes `text`, which must come next.
    pub fn literal(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Consumes `byte`, which must come next.
    pub fn take(&mut self, byte: u8) -> Option<()> {
        self.take_if(byte).then_some(())
    }

    /// Consumes `byte` if it comes next.
    pub fn take_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1, 0);
        }
        found
    }

    /// Consumes `len` bytes, and skips `more` bytes behind them. The caller has seen both.
    fn advance(&mut self, len: usize, more: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = &rest[more..];
        taken
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

/// The length of the value that `text` begins with.
fn value_len(text: &[u8]) -> Option<usize> {
    match *text.first()? {
        b'"' => string_len(text),
        b'{' | b'[' => nested_len(text),
        // A number or a literal.
        _ => {
            let len = text.iter().position(|byte| matches!(byte, b',' | b'}' | b']')).unwrap_or(text.len());
            Some(text.get(..len)?.trim_ascii_end().len()).filter(|&len| len > 0)
        }
    }
}

fn nested_len(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match *text.get(at)? {
            b'"' => at += string_len(&text[at..])?,
            byte => {
                depth = match byte {
                    b'{' | b'[' => depth + 1,
                    b'}' | b']' => depth.checked_sub(1)?,
                    _ => depth,
                };
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
    }
}

fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// UTF-8, extended to the surrogates.
fn append_code_point(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend([0xE0 | (code >> 12), 0x80 | ((code >> 6) & 0x3F), 0x80 | (code & 0x3F)].map(|b| b as u8)),
    }
}
