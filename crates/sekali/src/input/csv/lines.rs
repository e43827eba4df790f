//! From lines to rows: a row has several lines where line breaks stand in quotes.

use std::io;

use super::super::EVENT_TEXT_BYTES_MAX;
use super::super::peek::{BYTE_ORDER_MARK, Input};
use super::SEPARATORS;

/// Cuts an input into rows.
pub(super) struct Lines {
    input: Input,
    separator: u8,
    /// The number of the next line, from 1.
    line: i64,
}

/// The text of a row, or of a line that is none.
pub(super) enum Text {
    Row {
        /// It ends with a line break, wherever it was in the input.
        text: Vec<u8>,
        line: i64,
        last_line: i64,
    },
    Damaged {
        line: i64,
        reason: String,
    },
}

/// In which part of a row we are, as RFC 4180 has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    CellStart,
    Cell,
    Quoted,
    /// Behind a quote that closes the cell, unless another follows.
    Quote,
}

impl Lines {
    pub(super) fn new(input: Input) -> Self {
        Self { input, separator: SEPARATORS[0], line: 1 }
    }

    /// Finds out what separates cells: what a first line like `sep=;` says, or what makes a header
    /// of the next line, as `judge` sees it. Returns it.
    pub(super) fn start(&mut self, judge: fn(&[u8]) -> Option<u8>) -> io::Result<u8> {
        let mut first = Vec::new();
        while first.is_empty() {
            first = self.read_line()?;
            if first.is_empty() {
                return Ok(self.separator);
            }
            first.truncate(without_line_end(&first).len());
            self.line += 1;
        }
        if let [separator] | [b'"', separator, b'"'] = *strip_ascii_prefix(&first, b"sep=") {
            self.separator = separator;
            return Ok(separator);
        }
        self.separator = judge(&first).unwrap_or(SEPARATORS[0]);
        first.push(b'\n');
        self.input.unread(first);
        self.line -= 1;
        Ok(self.separator)
    }

    /// The separator of cells.
    pub(super) fn separator(&self) -> u8 {
        self.separator
    }

    /// The number of the next line.
    pub(super) fn line(&self) -> i64 {
        self.line
    }

    /// The next row; `None` at the end. Empty lines are passed over.
    pub(super) fn next(&mut self) -> io::Result<Option<Text>> {
        loop {
            let line = self.line;
            let mut text = self.read_line()?;
            if text.is_empty() {
                return Ok(None);
            }
            self.line += 1;
            if text.starts_with(BYTE_ORDER_MARK) {
                text.drain(..BYTE_ORDER_MARK.len());
            }
            if text.trim_ascii_end().is_empty() {
                continue;
            }
            if text.len() > EVENT_TEXT_BYTES_MAX {
                let reason = format!("longer than {EVENT_TEXT_BYTES_MAX} bytes");
                return Ok(Some(Text::Damaged { line, reason }));
            }
            let mut at = At::CellStart;
            self.follow(&mut at, &text);
            if at != At::Quoted {
                return Ok(Some(Text::Row { text, line, last_line: line }));
            }
            return self.join(text, line).map(Some);
        }
    }

    /// Joins the lines of a row whose first one ends in quotes. If that cannot be meant, only the
    /// first line is bad.
    fn join(&mut self, mut text: Vec<u8>, line: i64) -> io::Result<Text> {
        let first = text.len();
        let mut at = At::Quoted;
        loop {
            let next = self.read_line()?;
            let is_last = next.is_empty();
            text.extend_from_slice(&next);
            let is_sound = self.follow(&mut at, &next);
            if is_last || !is_sound || text.len() > EVENT_TEXT_BYTES_MAX {
                self.input.unread(text.split_off(first));
                self.line = line + 1;
                let reason = "a quote is opened and never closed; the lines behind it are read as rows".to_owned();
                return Ok(Text::Damaged { line, reason });
            }
            self.line += 1;
            if at != At::Quoted {
                return Ok(Text::Row { text, line, last_line: self.line - 1 });
            }
        }
    }

    /// Follows a line; `false` if a quote is closed where its cell does not end.
    fn follow(&self, at: &mut At, line: &[u8]) -> bool {
        let mut is_sound = true;
        for &byte in line {
            *at = match (*at, byte) {
                (At::CellStart, b'"') | (At::Quote, b'"') => At::Quoted,
                (At::Quoted, b'"') => At::Quote,
                (At::Quoted, _) => At::Quoted,
                (_, b'\n' | b'\r') => At::CellStart,
                (_, byte) if byte == self.separator => At::CellStart,
                (At::Quote, _) => {
                    is_sound = false;
                    At::Cell
                }
                (At::CellStart | At::Cell, _) => At::Cell,
            };
        }
        is_sound
    }

    /// A line with what ends it: `\n`, `\r\n` or `\r`; at the end of the input `\n` is added. Of a
    /// long one there is one byte more than a row may have. Empty at the end.
    fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.input.read_any_line(&mut line, EVENT_TEXT_BYTES_MAX + 1)?;
        if line.last().is_some_and(|&last| last != b'\n' && last != b'\r') {
            line.push(b'\n');
        }
        Ok(line)
    }
}

/// The separator of the names of a header.
pub(in crate::input) fn separator_of(header: &[u8]) -> Option<u8> {
    let header = header.strip_prefix(BYTE_ORDER_MARK).unwrap_or(header);
    SEPARATORS.into_iter().find(|separator| {
        let names: Vec<&[u8]> = header.split(|byte| byte == separator).map(name_of).collect();
        names.contains(&&b"topic"[..]) && names.contains(&&b"event_id"[..])
    })
}

/// The separator that stands most often in a header of any columns, outside of quotes.
pub(super) fn most_frequent(header: &[u8]) -> Option<u8> {
    let mut is_quoted = false;
    let mut counts = [0; SEPARATORS.len()];
    for byte in header {
        is_quoted ^= *byte == b'"';
        if let Some(at) = SEPARATORS.iter().position(|separator| !is_quoted && separator == byte) {
            counts[at] += 1;
        }
    }
    // The usual one where several are as frequent.
    let at = (0..counts.len()).rev().max_by_key(|&at| counts[at]).filter(|&at| counts[at] > 0)?;
    Some(SEPARATORS[at])
}

/// Whether a first line says what separates cells, as spreadsheets have it: `sep=;`.
pub(in crate::input) fn names_separator(line: &[u8]) -> bool {
    matches!(strip_ascii_prefix(without_line_end(line), b"sep="), [_] | [b'"', _, b'"'])
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let ends = line.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    &line[..line.len() - ends]
}

fn name_of(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell).trim_ascii()
}

/// The rest behind a prefix in upper or lower case; empty without the prefix.
fn strip_ascii_prefix<'a>(line: &'a [u8], prefix: &[u8]) -> &'a [u8] {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    match line.split_at_checked(prefix.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(prefix) => rest,
        _ => &[],
    }
}
