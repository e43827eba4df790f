//! Decompression in pieces of bounded size. Whoever takes the pieces can stop at any of them.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation as _, OutBuffer};

use crate::limits::ZSTD_WINDOW_LOG_MAX;

/// What `Content-Encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    /// A zlib stream (RFC 9110, 8.4.1.2), or the bare deflate data that some clients send instead.
    Deflate,
    Zstd,
}

/// The data is not what its encoding says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) String);

/// Takes the pieces.
type Sink<'a, E> = &'a mut dyn FnMut(&[u8]) -> Result<(), E>;

/// Decompresses a body as it comes.
pub(super) enum Decoder {
    Identity,
    Deflate(Inflate),
    Zstd(Unzstd),
    /// The library refused to start; said at the first byte.
    Failed(String),
}

impl Decoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Gzip => Self::Deflate(Inflate::new(Container::Gzip)),
            Encoding::Deflate => Self::Deflate(Inflate::new(Container::Unknown)),
            Encoding::Zstd => Unzstd::new().map_or_else(|error| Self::Failed(error.to_string()), Self::Zstd),
        }
    }

    /// Decompresses the next bytes of the body into `sink`.
    pub(super) fn feed<E: From<Broken>>(&mut self, input: &[u8], sink: Sink<'_, E>) -> Result<(), E> {
        match self {
            Self::Identity => sink(input),
            Self::Deflate(inflate) => inflate.feed(input, sink),
            Self::Zstd(unzstd) => unzstd.feed(input, sink),
            Self::Failed(why) => Err(Broken(why.clone()).into()),
        }
    }

    /// Checks that the body was complete.
    pub(super) fn finish(&self) -> Result<(), Broken> {
        let complete = match self {
            Self::Identity => true,
            Self::Deflate(inflate) => inflate.ended,
            Self::Zstd(unzstd) => unzstd.ended,
            Self::Failed(_) => false,
        };
        if complete { Ok(()) } else { Err(Broken("the compressed data ends too early".to_owned())) }
    }
}

const PIECE_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Gzip,
    Zlib,
    Bare,
    /// Zlib or bare: its first two bytes will tell.
    Unknown,
}

impl Container {
    fn decompress(self) -> Decompress {
        const WINDOW_BITS: u8 = 15;
        match self {
            Self::Gzip => Decompress::new_gzip(WINDOW_BITS),
            Self::Zlib => Decompress::new(true),
            Self::Bare | Self::Unknown => Decompress::new(false),
        }
    }

    /// RFC 1950, 2.2: method 8, and a multiple of 31 as a number.
    fn of(head: [u8; 2]) -> Self {
        let zlib = head[0] & 0x0F == 8 && u16::from_be_bytes(head).is_multiple_of(31);
        if zlib { Self::Zlib } else { Self::Bare }
    }
}

/// gzip, zlib and bare deflate data.
pub(super) struct Inflate {
    container: Container,
    /// The first byte, kept while the container is unknown.
    head: Option<u8>,
    stream: Decompress,
    piece: Vec<u8>,
    ended: bool,
}

impl Inflate {
    fn new(container: Container) -> Self {
        Self { container, head: None, stream: container.decompress(), piece: vec![0; PIECE_BYTES], ended: false }
    }

    fn feed<E: From<Broken>>(&mut self, input: &[u8], sink: Sink<'_, E>) -> Result<(), E> {
        if self.container != Container::Unknown {
            return self.inflate(input, sink);
        }
        let joined: Vec<u8> = self.head.take().into_iter().chain(input.iter().copied()).collect();
        match *joined.as_slice() {
            [] => return Ok(()),
            [only] => {
                self.head = Some(only);
                return Ok(());
            }
            [first, second, ..] => self.container = Container::of([first, second]),
        }
        self.stream = self.container.decompress();
        self.inflate(&joined, sink)
    }

    fn inflate<E: From<Broken>>(&mut self, mut input: &[u8], sink: Sink<'_, E>) -> Result<(), E> {
        loop {
            if self.ended {
                match (input, self.container) {
                    ([], _) => return Ok(()),
                    // A gzip body may have several members (RFC 1952, 2.2).
                    (_, Container::Gzip) => self.stream = self.container.decompress(),
                    _ => return Err(Broken("there are bytes behind the compressed data".to_owned()).into()),
                }
                self.ended = false;
            }
            let (in_before, out_before) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(input, &mut self.piece, FlushDecompress::None);
            let taken = (self.stream.total_in() - in_before) as usize;
            let made = (self.stream.total_out() - out_before) as usize;
            sink(self.piece.get(..made).unwrap_or_default())?;
            input = input.get(taken..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) if taken == 0 && made == 0 => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(Broken(error.to_string()).into()),
            }
        }
    }
}

/// Zstandard, one frame or several.
pub(super) struct Unzstd {
    stream: ZstdDecoder<'static>,
    piece: Vec<u8>,
    ended: bool,
}

impl Unzstd {
    fn new() -> std::io::Result<Self> {
        let mut stream = ZstdDecoder::new()?;
        stream.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
        Ok(Self { stream, piece: vec![0; PIECE_BYTES], ended: false })
    }

    fn feed<E: From<Broken>>(&mut self, input: &[u8], sink: Sink<'_, E>) -> Result<(), E> {
        let mut input = InBuffer::around(input);
        loop {
            let mut output = OutBuffer::around(self.piece.as_mut_slice());
            let hint = self.stream.run(&mut input, &mut output).map_err(|error| Broken(error.to_string()))?;
            self.ended = hint == 0;
            let full = output.pos() == output.capacity();
            sink(output.as_slice())?;
            if input.pos == input.src.len() && !full {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    const ENCODINGS: [Encoding; 4] = [Encoding::Identity, Encoding::Gzip, Encoding::Deflate, Encoding::Zstd];

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn bare(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(data, 1).unwrap()
    }

    fn decode(encoding: Encoding, data: &[u8], step: usize) -> Result<Vec<u8>, Broken> {
        let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
        for piece in data.chunks(step) {
            decoder.feed(piece, &mut |bytes| {
                assert!(encoding == Encoding::Identity || bytes.len() <= PIECE_BYTES);
                out.extend_from_slice(bytes);
                Ok::<_, Broken>(())
            })?;
        }
        decoder.finish().map(|()| out)
    }

    #[test]
    fn several_members_and_frames_are_one_body() {
        assert_eq!(decode(Encoding::Gzip, &[gzip(b"one "), gzip(b"two")].concat(), 3).unwrap(), b"one two");
        assert_eq!(decode(Encoding::Zstd, &[zstd(b"one "), zstd(b"two")].concat(), 3).unwrap(), b"one two");
    }

    #[test]
    fn what_is_cut_off_or_continued_is_broken() {
        let text = b"the same again and again, the same again and again";
        for (encoding, data) in [
            (Encoding::Gzip, gzip(text)),
            (Encoding::Deflate, zlib(text)),
            (Encoding::Deflate, bare(text)),
            (Encoding::Zstd, zstd(text)),
        ] {
            for len in 0..data.len() {
                assert!(decode(encoding, &data[..len], 7).is_err(), "{encoding:?} cut at {len}");
            }
            assert!(decode(encoding, &[&data[..], b"more"].concat(), 7).is_err(), "{encoding:?} continued");
        }
    }

    #[test]
    fn a_huge_window_is_refused() {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.set_parameter(zstd::stream::raw::CParameter::WindowLog(27)).unwrap();
        encoder.write_all(&vec![7; 1 << 20]).unwrap();
        let data = encoder.finish().unwrap();
        assert!(decode(Encoding::Zstd, &data, 1 << 20).is_err());
    }

    proptest! {
        #[test]
        fn every_encoding_comes_back(data in prop::collection::vec(0_u8..4, 0..5000), step in 1_usize..700) {
            prop_assert_eq!(&decode(Encoding::Identity, &data, step).unwrap(), &data);
            prop_assert_eq!(&decode(Encoding::Gzip, &gzip(&data), step).unwrap(), &data);
            prop_assert_eq!(&decode(Encoding::Deflate, &zlib(&data), step).unwrap(), &data);
            prop_assert_eq!(&decode(Encoding::Deflate, &bare(&data), step).unwrap(), &data);
            prop_assert_eq!(&decode(Encoding::Zstd, &zstd(&data), step).unwrap(), &data);
        }

        #[test]
        fn no_bytes_panic(data: Vec<u8>, step in 1_usize..9) {
            for encoding in ENCODINGS {
                let _ = decode(encoding, &data, step);
            }
        }
    }
}
