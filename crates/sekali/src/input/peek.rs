//! Looking at the beginning of an input without losing it.

use std::io::{self, BufReader, Cursor, Read};

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// As far as anybody looks ahead, in bytes.
const PEEK_BYTES_MAX: usize = 64 * 1024;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 256 * 1024;

/// What readers read from.
pub(super) type Input = BufReader<Box<dyn Read + Send>>;

/// An input whose beginning has been read.
pub(super) struct Peeked {
    beginning: Vec<u8>,
    rest: Box<dyn Read + Send>,
}

impl Peeked {
    /// Reads the first line that is not empty, or as much of it as anybody looks at.
    pub(super) fn new(mut input: impl Read + Send + 'static) -> io::Result<Self> {
        let mut beginning = vec![0; PEEK_BYTES_MAX];
        let mut length = 0;
        while length < PEEK_BYTES_MAX && !holds_line(&beginning[..length]) {
            match input.read(&mut beginning[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        beginning.truncate(length);
        Ok(Self { beginning, rest: Box::new(input) })
    }

    pub(super) fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    /// Everything, from the start. Spreadsheets like to put a byte order mark there.
    pub(super) fn without_byte_order_mark(self) -> Input {
        let mut beginning = Cursor::new(self.beginning);
        if beginning.get_ref().starts_with(BYTE_ORDER_MARK) {
            beginning.set_position(BYTE_ORDER_MARK.len() as u64);
        }
        BufReader::with_capacity(READ_BYTES, Box::new(beginning.chain(self.rest)))
    }
}

fn holds_line(text: &[u8]) -> bool {
    text.trim_ascii_start().contains(&b'\n')
}
