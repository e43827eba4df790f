//! A writer to a terminal.

use std::io::{Result, Write};

use sekali_wire::escape::{escape, escape_painted};

/// Writes text to a terminal, line by line. Control sequences are shown as text and have no effect.
/// Bytes that are not UTF-8 are shown as replacement characters.
#[derive(Debug)]
pub(crate) struct Screen<W: Write> {
    terminal: W,
    colours: bool,
    /// The beginning of an incomplete line.
    held: Vec<u8>,
}

impl<W: Write> Screen<W> {
    /// Creates a writer to `terminal`. `colours` passes colours on.
    pub(crate) fn new(terminal: W, colours: bool) -> Self {
        Self { terminal, colours, held: Vec::new() }
    }

    fn show(&mut self, text: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(text);
        for line in text.split_inclusive('\n') {
            // Line ends of CSV have a carriage return, which terminals add by themselves.
            let end = if line.ends_with('\n') { "\n" } else { "" };
            let line = line.trim_end_matches(['\r', '\n']);
            let shown = if self.colours { escape_painted(line) } else { escape(line) };
            write!(self.terminal, "{shown}{end}")?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, text: &[u8]) -> Result<usize> {
        self.held.extend_from_slice(text);
        if let Some(end) = self.held.iter().rposition(|&byte| byte == b'\n') {
            let rest = self.held.split_off(end + 1);
            let lines = std::mem::replace(&mut self.held, rest);
            self.show(&lines)?;
        }
        Ok(text.len())
    }

    /// Shows an incomplete line too, except for an incomplete character at its end.
    fn flush(&mut self) -> Result<()> {
        let whole = std::str::from_utf8(&self.held).map_or_else(|error| error.valid_up_to(), str::len);
        let rest = self.held.split_off(whole);
        let text = std::mem::replace(&mut self.held, rest);
        self.show(&text)?;
        self.terminal.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]], colours: bool) -> String {
        let mut terminal = Vec::new();
        let mut screen = Screen::new(&mut terminal, colours);
        pieces.iter().for_each(|piece| screen.write_all(piece).unwrap());
        screen.flush().unwrap();
        String::from_utf8(terminal).unwrap()
    }

    #[test]
    fn however_text_is_cut_nothing_in_it_is_obeyed() {
        let text = "a\u{1b}[2J\r\nb\u{202e}\rc\u{1b}[1m\n\né\u{9b}31m".as_bytes();
        let expected = "a\\u001b[2J\nb\\u202e\\u000dc\\u001b[1m\n\né\\u009b31m";
        for at in 0..=text.len() {
            assert_eq!(shown(&[&text[..at], &text[at..]], false), expected, "{at}");
        }
        assert_eq!(shown(&[text], true), expected.replace("\\u001b[1m", "\u{1b}[1m"));
    }
}
