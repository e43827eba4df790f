//! Finding where a value ends, piece by piece.

/// Counts brackets outside of strings.
#[derive(Debug, Default)]
pub(super) struct ValueScan {
    depth: usize,
    /// Which of the innermost brackets that are open are braces, the last one in the lowest bit.
    braces: u128,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

/// How far a piece of a value reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// To the end of the value.
    End,
    /// To the end of a line that is not the last one of the value.
    Line,
    /// To a line break inside of a string, which JSON does not have: the value has lost its end.
    LineBreakInText,
    /// To a bracket that closes another kind than was opened: the value has lost its end.
    WrongBracket,
    /// To the end of what there is.
    Part,
}

impl ValueScan {
    /// The next piece of the value at the beginning of `text`, and its length.
    pub(super) fn piece_of(&mut self, text: &[u8]) -> (Piece, usize) {
        for (index, &byte) in text.iter().enumerate() {
            if self.in_string {
                match byte {
                    b'\n' => return (Piece::LineBreakInText, index + 1),
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return (Piece::End, index + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    self.braces = self.braces << 1 | u128::from(byte == b'{');
                }
                b'}' | b']' if self.depth > 0 => {
                    // No event has so many levels that bits would be lost.
                    if self.depth < 128 && (self.braces & 1 == 1) != (byte == b'}') {
                        return (Piece::WrongBracket, index);
                    }
                    self.depth -= 1;
                    self.braces >>= 1;
                    if self.depth == 0 {
                        return (Piece::End, index + 1);
                    }
                }
                b'\n' if self.depth > 0 => return (Piece::Line, index + 1),
                // A bare word or number ends before what follows it; a stray bracket is a (bad)
                // value by itself.
                b'}' | b']' | b',' if self.depth == 0 => return (Piece::End, index.max(usize::from(!self.begun))),
                _ if self.depth == 0 && byte.is_ascii_whitespace() => return (Piece::End, index),
                _ => {}
            }
            self.begun = true;
        }
        (Piece::Part, text.len())
    }

    /// Whether the input may end here: only inside a bare word or number.
    pub(super) fn may_end(&self) -> bool {
        self.depth == 0 && !self.in_string
    }
}
