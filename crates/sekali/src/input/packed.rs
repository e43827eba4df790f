//! Compressed input, told by how it begins: gzip and zstd are read, others are named.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::peek::Peeked;

/// How a compressed file begins, what it is called, and what decompresses it.
const NAMED: [(&[u8], &str, &str); 6] = [
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"\xfd7zXZ\0", "xz", "xz -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "7z x -so"),
    (b"\x1f\x9d", "compress", "gzip -dc"),
];
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// The decompressed content of `input`, if it is compressed.
///
/// # Errors
/// It cannot be read; or, as the inner error, it is compressed in a way that is not read here.
pub(super) fn unpack(input: Peeked) -> io::Result<Result<Peeked, String>> {
    let unpacked = match input.beginning() {
        beginning if beginning.starts_with(GZIP) => {
            Peeked::new(Unpacking { what: "gzip", decoder: Members(Some(GzDecoder::new(input.whole()))) })?
        }
        beginning if beginning.starts_with(ZSTD) || is_skippable(beginning) => {
            // Frames that follow one another are read one after the other.
            let decoder = zstd::stream::read::Decoder::with_buffer(input.whole())?;
            Peeked::new(Unpacking { what: "zstd", decoder })?
        }
        _ => return Ok(name(&input).map_or(Ok(input), Err)),
    };
    if is_packed(unpacked.beginning()) {
        return Ok(Err("it is compressed twice: decompress it first".to_owned()));
    }
    Ok(name(&unpacked).map_or(Ok(unpacked), Err))
}

/// Whether something begins as gzip or zstd data does.
pub(super) fn is_packed(beginning: &[u8]) -> bool {
    beginning.starts_with(GZIP) || beginning.starts_with(ZSTD) || is_skippable(beginning)
}

/// The reason for refusing a compression that is not supported.
fn name(input: &Peeked) -> Option<String> {
    let (_, name, tool) = NAMED.into_iter().find(|(magic, ..)| input.beginning().starts_with(magic))?;
    Some(format!("it is compressed with {name}: pipe it in, as with {tool} FILE | sekali publish"))
}

/// Whether it begins with a frame that holds no data, as some zstd programs write.
fn is_skippable(beginning: &[u8]) -> bool {
    matches!(beginning, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Names what is being decompressed in its errors.
struct Unpacking<D> {
    what: &'static str,
    decoder: D,
}

impl<D: Read> Read for Unpacking<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            // The device itself.
            _ if error.raw_os_error().is_some() => error,
            io::ErrorKind::UnexpectedEof => damaged(format!("the {} data ends too early: it was cut off", self.what)),
            _ => damaged(format!("the {} data is damaged: {error}", self.what)),
        })
    }
}

fn damaged(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// The members of gzip data, one after the other. There is one in many files, several where files
/// or pieces were joined; zeros behind the last, as tapes and power cuts leave them, are nothing.
struct Members<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.0 else { return Ok(0) };
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut input) = self.0.take().map(GzDecoder::into_inner) else { return Ok(0) };
            if !skip_zeros(&mut input)? {
                return Ok(0);
            }
            self.0 = Some(GzDecoder::new(input));
        }
    }
}

/// Passes over zeros; whether something follows.
fn skip_zeros(input: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let buffer = input.fill_buf()?;
        let (zeros, length) = (buffer.iter().take_while(|&&byte| byte == 0).count(), buffer.len());
        input.consume(zeros);
        if length == 0 || zeros < length {
            return Ok(length > 0);
        }
    }
}
