//! UTF-16 text, as Windows PowerShell and spreadsheets write it, told by its mark or its zeros and
//! read as UTF-8.

use std::io::{self, BufRead, Read};

use super::peek::Peeked;

/// How text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
    Utf32,
}

/// The text of `input` in UTF-8.
///
/// # Errors
/// It cannot be read; or, as the inner error, it is in an encoding that is not read here.
pub(super) fn to_utf8(input: Peeked) -> io::Result<Result<Peeked, String>> {
    let from_bytes = match Encoding::of(input.beginning()) {
        Encoding::Utf8 => return Ok(Ok(input)),
        Encoding::Utf32 => return Ok(Err("it is UTF-32: save it as UTF-8".to_owned())),
        Encoding::Utf16LittleEndian => u16::from_le_bytes,
        Encoding::Utf16BigEndian => u16::from_be_bytes,
    };
    let text = Transcoded { input: input.whole(), from_bytes, odd: None, high: None, ready: Vec::new(), taken: 0 };
    Peeked::new(text).map(Ok)
}

impl Encoding {
    /// By a mark, or else by where the zeros of ASCII characters are.
    fn of(beginning: &[u8]) -> Self {
        match beginning {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Self::Utf32,
            [0xff, 0xfe, ..] => Self::Utf16LittleEndian,
            [0xfe, 0xff, ..] => Self::Utf16BigEndian,
            [1..=0x7f, 0, 0, 0, ..] | [0, 0, 0, 1..=0x7f, ..] => Self::Utf32,
            [1..=0x7f, 0, 1..=0x7f, 0, ..] => Self::Utf16LittleEndian,
            [0, 1..=0x7f, 0, 1..=0x7f, ..] => Self::Utf16BigEndian,
            _ => Self::Utf8,
        }
    }
}

/// Turns UTF-16 into UTF-8. Half a surrogate pair becomes bytes that are not UTF-8, so that the
/// reader names its line and goes on with the next.
struct Transcoded<R> {
    input: R,
    from_bytes: fn([u8; 2]) -> u16,
    /// The first byte of a unit whose second has not come.
    odd: Option<u8>,
    /// The first half of a pair whose second half has not come.
    high: Option<u16>,
    ready: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> Transcoded<R> {
    /// Turns what is there; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.ready.clear();
        self.taken = 0;
        let buffer = self.input.fill_buf()?;
        let length = buffer.len();
        let bytes: Vec<u8> = self.odd.take().into_iter().chain(buffer.iter().copied()).collect();
        self.input.consume(length);
        let (units, rest) = bytes.as_chunks::<2>();
        for &unit in units {
            self.push((self.from_bytes)(unit));
        }
        self.odd = rest.first().copied();
        if length == 0 {
            // What is left over is half of something.
            self.ready.extend(self.high.take().map(wtf8).into_iter().flatten());
            self.ready.extend(self.odd.take().map(|_| 0xff));
        }
        Ok(length > 0 || !self.ready.is_empty())
    }

    fn push(&mut self, unit: u16) {
        let high = self.high.take();
        if let Some(high) = high {
            if let Some(Ok(character)) = char::decode_utf16([high, unit]).next() {
                self.push_char(character);
                return;
            }
            self.ready.extend(wtf8(high));
        }
        match char::decode_utf16([unit]).next() {
            Some(Ok(character)) => self.push_char(character),
            _ if (0xd800..0xdc00).contains(&unit) => self.high = Some(unit),
            _ => self.ready.extend(wtf8(unit)),
        }
    }

    fn push_char(&mut self, character: char) {
        self.ready.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl<R: BufRead> Read for Transcoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        let read = (&self.ready[self.taken..]).read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}

/// Half a surrogate pair, as if it were a character: three bytes that are not UTF-8.
fn wtf8(unit: u16) -> [u8; 3] {
    [0xe0 | (unit >> 12) as u8, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands out a few bytes at a time, as pipes do.
    struct Dribble(io::Cursor<Vec<u8>>, usize);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.1);
            self.0.read(&mut buffer[..length])
        }
    }

    fn utf8(bytes: Vec<u8>, step: usize) -> Vec<u8> {
        let input = Peeked::new(Dribble(io::Cursor::new(bytes), step)).unwrap();
        let mut text = Vec::new();
        to_utf8(input).unwrap().unwrap().whole().read_to_end(&mut text).unwrap();
        text
    }

    proptest! {
        #[test]
        fn any_text_is_read_with_and_without_a_mark_and_in_either_order(text in "[a-z]{2}\\PC{0,20}", step in 1..9_usize) {
            let units = || text.encode_utf16();
            let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
            prop_assert_eq!(utf8(little.clone(), step), text.as_bytes());
            prop_assert_eq!(utf8(big.clone(), step), text.as_bytes());
            let marked = format!("\u{feff}{text}");
            prop_assert_eq!(utf8([&[0xff, 0xfe], &little[..]].concat(), step), marked.as_bytes());
            prop_assert_eq!(utf8([&[0xfe, 0xff], &big[..]].concat(), step), marked.as_bytes());
        }
    }

    #[test]
    fn half_a_pair_and_half_a_unit_are_not_utf8_and_spoil_nothing_else() {
        let units = |units: &[u16]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
        let text = utf8(units(&[0x61, 0x62, 0xd83d, 0x0a, 0x63, 0xde00, 0x0a, 0xd83d]), 3);
        let lines: Vec<_> = text.split(|&byte| byte == b'\n').map(|line| std::str::from_utf8(line).is_ok()).collect();
        assert_eq!(lines, [false, false, false]);
        assert!(text.starts_with(b"ab") && text.contains(&b'c'));
        let mut odd = units(&[0x61, 0x62]);
        odd.push(0x63);
        assert_eq!(utf8(odd, 4), b"ab\xff");
    }

    #[test]
    fn text_in_utf8_stays_as_it_is() {
        for text in ["", "a", "{\"a\":1}", "\u{feff}x", "\0\0\0\0x"] {
            assert_eq!(utf8(text.as_bytes().to_vec(), 1), text.as_bytes());
        }
    }
}
