//! Looking ahead in an input without losing what was seen.

use std::io::{self, BufRead, BufReader, Cursor, Read};

/// The mark that some programs put in front of UTF-8 text, and that stands in the middle where
/// files are joined.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The longest beginning that is looked at, in bytes.
const PEEK_BYTES_MAX: usize = 64 * 1024;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 256 * 1024;

/// An input whose beginning has been read.
pub(super) struct Peeked {
    beginning: Vec<u8>,
    rest: Box<dyn Read + Send>,
}

impl Peeked {
    /// Reads the first line that is not empty, or the beginning of a longer one.
    pub(super) fn new(mut input: impl Read + Send + 'static) -> io::Result<Self> {
        let mut beginning = vec![0; PEEK_BYTES_MAX];
        let mut length = 0;
        while length < PEEK_BYTES_MAX && !holds_line(&beginning[..length]) {
            match input.read(&mut beginning[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What came before an error is read first, and then the error comes again.
                Err(error) if length > 0 => {
                    let rest = Box::new(Failing(Some(error)));
                    beginning.truncate(length);
                    return Ok(Self { beginning, rest });
                }
                Err(error) => return Err(error),
            }
        }
        beginning.truncate(length);
        Ok(Self { beginning, rest: Box::new(input) })
    }

    pub(super) fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    /// Everything, from the start.
    pub(super) fn whole(self) -> impl BufRead + Send + 'static {
        BufReader::with_capacity(READ_BYTES, Cursor::new(self.beginning).chain(self.rest))
    }

    /// Everything, from the start, for readers of text.
    pub(super) fn into_input(self) -> Input {
        Input { unread: Vec::new(), at: 0, rest: Box::new(self.whole()) }
    }
}

/// Fails once, and then is at its end.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The input of readers of text. They may give back bytes that they took.
pub(super) struct Input {
    /// The bytes that were given back.
    unread: Vec<u8>,
    /// How much of that was taken again.
    at: usize,
    rest: Box<dyn BufRead + Send>,
}

impl Input {
    /// Gives back `bytes`, so that they are the next to be read.
    pub(super) fn unread(&mut self, mut bytes: Vec<u8>) {
        bytes.extend_from_slice(&self.unread[self.at..]);
        (self.unread, self.at) = (bytes, 0);
    }

    /// Reads the rest of a line, with the `\n` that ends it, to the end of `line`, up to
    /// `bytes_max` bytes in all; what is more is passed over. Returns the number of bytes that it
    /// has in the input; 0 at the end.
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>, bytes_max: usize) -> io::Result<usize> {
        self.read_to(line, bytes_max, |bytes| memchr::memchr(b'\n', bytes))
    }

    /// The same for lines that end with `\n`, `\r\n` or `\r`.
    pub(super) fn read_any_line(&mut self, line: &mut Vec<u8>, bytes_max: usize) -> io::Result<usize> {
        let read = self.read_to(line, bytes_max, |bytes| memchr::memchr2(b'\n', b'\r', bytes))?;
        if line.last() == Some(&b'\r') && self.peek()? == Some(b'\n') {
            self.consume(1);
            line.push(b'\n');
            return Ok(read + 1);
        }
        Ok(read)
    }

    /// The next byte, which is not taken; `None` at the end.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        retry(|| self.fill_buf().map(|buffer| buffer.first().copied()))
    }

    fn read_to(
        &mut self,
        line: &mut Vec<u8>,
        bytes_max: usize,
        end: impl Fn(&[u8]) -> Option<usize>,
    ) -> io::Result<usize> {
        let mut length = 0;
        while self.peek()?.is_some() {
            let buffer = self.fill_buf()?;
            let end = end(buffer).map(|at| at + 1);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = bytes_max.saturating_sub(line.len());
            line.extend_from_slice(&part[..part.len().min(room)]);
            let read = part.len();
            self.consume(read);
            length += read;
            if end.is_some() {
                break;
            }
        }
        Ok(length)
    }
}

/// Tries again where a signal came in between.
fn retry<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.unread.len() { Ok(&self.unread[self.at..]) } else { self.rest.fill_buf() }
    }

    fn consume(&mut self, bytes: usize) {
        if self.at < self.unread.len() {
            self.at += bytes;
            if self.at >= self.unread.len() {
                (self.unread, self.at) = (Vec::new(), 0);
            }
        } else {
            self.rest.consume(bytes);
        }
    }
}

fn holds_line(text: &[u8]) -> bool {
    text.trim_ascii_start().contains(&b'\n')
}
