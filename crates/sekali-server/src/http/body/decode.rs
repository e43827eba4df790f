//! Decompression in pieces of bounded size. Whoever takes the pieces can stop at any of them.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation as _, OutBuffer};

use crate::limits::ZSTD_WINDOW_LOG_MAX;

/// Value of `Content-Encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    /// A zlib stream (RFC 9110, 8.4.1.2), or the bare deflate data that some clients send instead.
    Deflate,
    Zstd,
}

impl Encoding {
    /// Most bytes of what it has put out that a decoder keeps, beyond some 64 KiB.
    pub(super) fn window_max(self) -> usize {
        match self {
            Self::Identity | Self::Gzip | Self::Deflate => 0,
            Self::Zstd => 1 << ZSTD_WINDOW_LOG_MAX,
        }
    }
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
            let taken_before = input.pos;
            let mut output = OutBuffer::around(self.piece.as_mut_slice());
            let hint = self.stream.run(&mut input, &mut output).map_err(|error| Broken(error.to_string()))?;
            let (taken, made) = (input.pos - taken_before, output.pos());
            if taken == 0 && made == 0 {
                // The hint is then about the next frame, which need not come.
                return Ok(());
            }
            // A frame is at its end once all of it has been put out, and not before.
            self.ended = hint == 0;
            sink(output.as_slice())?;
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

    /// A frame as the library makes it, of one level, with or without checksum and content size.
    fn zstd_frame(data: &[u8], level: i32, has_checksum: bool, has_size: bool) -> Vec<u8> {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), level).unwrap();
        encoder.include_checksum(has_checksum).unwrap();
        encoder.include_contentsize(has_size).unwrap();
        if has_size {
            encoder.set_pledged_src_size(Some(data.len() as u64)).unwrap();
        }
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// RFC 8878, 3.1.2.
    fn skippable(data: &[u8]) -> Vec<u8> {
        [&0x184D_2A53_u32.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), data].concat()
    }

    /// Bytes that repeat, or that no level makes shorter.
    fn bytes(len: usize, is_random: bool) -> Vec<u8> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if is_random { state as u8 } else { b' ' }
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn zstd_frames_of_every_size_around_the_buffer_come_back() {
        for len in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 16 * PIECE_BYTES] {
            for (level, is_random) in [(1, false), (3, true), (19, false)] {
                for (has_checksum, has_size) in [(false, false), (true, false), (false, true), (true, true)] {
                    let data = bytes(len, is_random);
                    let frame = zstd_frame(&data, level, has_checksum, has_size);
                    for step in [frame.len().max(1), 4096, 1021] {
                        let decoded = decode(Encoding::Zstd, &frame, step).unwrap();
                        assert!(decoded == data, "{len} bytes at level {level} in steps of {step}");
                    }
                    assert!(decode(Encoding::Zstd, &frame[..frame.len() - 1], 4096).is_err(), "{len} bytes, cut");
                }
            }
        }
    }

    #[test]
    fn frames_that_are_skipped_may_stand_anywhere() {
        let data = bytes(PIECE_BYTES, false);
        let frame = zstd_frame(&data, 1, true, true);
        let body = [&skippable(b"")[..], &frame, &skippable(&data), &frame, &skippable(b"end")].concat();
        for step in [1, 7, body.len()] {
            assert!(decode(Encoding::Zstd, &body, step).unwrap() == [&data[..], &data].concat());
        }
        assert!(decode(Encoding::Zstd, &body[..body.len() - 1], 7).is_err());
    }

    #[test]
    fn gzip_members_of_every_size_around_the_buffer_come_back() {
        for len in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let data = bytes(len, false);
            let (members, zlib, bare) = ([gzip(&data), gzip(b""), gzip(&data)].concat(), zlib(&data), bare(&data));
            for step in [1021, members.len()] {
                assert!(decode(Encoding::Gzip, &members, step).unwrap() == [&data[..], &data].concat(), "{len}");
                assert!(decode(Encoding::Deflate, &zlib, step).unwrap() == data, "{len}");
                assert!(decode(Encoding::Deflate, &bare, step).unwrap() == data, "{len}");
            }
            assert!(decode(Encoding::Gzip, &members[..members.len() - 1], 1021).is_err(), "{len} bytes, cut");
        }
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
        fn zstd_frames_of_any_sizes_and_levels_are_one_body(
            frames in prop::collection::vec((0_usize..200_000, 1_i32..=12, any::<[bool; 3]>()), 1..4),
            step in 1_usize..100_000,
        ) {
            let (mut data, mut body) = (Vec::new(), Vec::new());
            for (len, level, [is_random, has_checksum, has_size]) in frames {
                let part = bytes(len, is_random);
                body.extend(zstd_frame(&part, level, has_checksum, has_size));
                data.extend(part);
            }
            prop_assert!(decode(Encoding::Zstd, &body, step).unwrap() == data);
            prop_assert!(decode(Encoding::Zstd, &body[..body.len() - 1], step).is_err());
        }

        #[test]
        fn no_bytes_panic(data: Vec<u8>, step in 1_usize..9) {
            for encoding in ENCODINGS {
                let _ = decode(encoding, &data, step);
            }
        }
    }
}
