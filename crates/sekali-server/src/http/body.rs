//! Request bodies: received, decompressed and measured on the way in, so that none is ever larger
//! in memory than allowed, whatever it claims.

mod decode;
mod request;

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HeaderMap};
use tokio::time::{Instant, timeout_at};

use super::answer::{ApiError, Code};
use crate::clients::{Client, FairShares, HeldShare, ShareSizes, Workers};
use crate::limits::{BODIES_BYTES_MAX, BODY_BYTES_PER_SECOND_MIN, BODY_TIMEOUT, BODY_WIRE_BYTES_MAX};
use crate::limits::{SMALL_BODIES_BYTES_MAX, SMALL_BYTES_MAX};
use crate::spent::{self, Stage};
use sekali_wire::limits::BODY_BYTES_MAX;

pub use request::{BodyWatch, RequestBody};

use decode::{Broken, Decoder, Encoding};

/// The memory and time of all bodies. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    memory: FairShares,
    /// How far a body may fall behind its pace.
    timeout: Duration,
}

impl Intake {
    pub(super) fn new(timeout: Duration) -> Self {
        let sizes = ShareSizes { large: BODIES_BYTES_MAX, small: SMALL_BODIES_BYTES_MAX, small_max: SMALL_BYTES_MAX };
        Self { memory: FairShares::new(sizes, timeout), timeout }
    }

    /// Bytes of the bodies in memory.
    pub(super) fn used(&self) -> usize {
        self.memory.used()
    }

    /// Memory for what a body is turned into.
    pub(super) fn hold(&self, client: Client) -> HeldShare {
        self.memory.hold(client)
    }
}

/// A whole body, decompressed.
#[derive(Debug)]
pub(super) struct Received {
    /// Its bytes.
    pub(super) bytes: Bytes,
    /// The memory of the body, unless it still lies in the buffer of the transport.
    _room: Option<HeldShare>,
}

/// The headers of a request about its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyHead {
    encoding: Encoding,
    /// Its length as it comes, before it is decompressed; 0 if that is not said.
    pub(super) announced: usize,
}

impl BodyHead {
    /// Reads them. A body that can never be taken is refused here, whatever the load.
    ///
    /// # Errors
    /// `unsupported_media_type`, `too_large`.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, ApiError> {
        let head = Self { encoding: encoding(headers)?, announced: content_length(headers) };
        if head.announced > BODY_WIRE_BYTES_MAX { Err(too_large_on_the_wire()) } else { Ok(head) }
    }
}

/// Reads the body of a request, with this head. `client` is asked for if the body needs memory of
/// its own.
///
/// # Errors
/// `too_large`, `overloaded`, `invalid_encoding`, `request_timeout`.
pub(super) async fn receive(
    headers: &HeaderMap,
    mut body: RequestBody,
    head: BodyHead,
    intake: &Intake,
    workers: &Workers,
    client: impl FnOnce() -> Client,
) -> Result<Received, ApiError> {
    let received = read(head, &mut body, intake, workers, client).await;
    match &received {
        // A slow client has had its time.
        Ok(_) | Err(ApiError { code: Code::RequestTimeout, .. }) => {}
        Err(_) => discard(headers, body),
    }
    received
}

/// Reads and forgets what is left of a body, within the usual limits, while the answer is sent: a
/// client that is cut off while it still sends often does not see the answer.
pub(super) fn discard(headers: &HeaderMap, mut body: RequestBody) {
    if headers.contains_key(EXPECT) {
        // It waits for leave to send, and has sent nothing. Reading would give it leave.
        return;
    }
    tokio::spawn(async move {
        let mut pace = Pace::new(BODY_TIMEOUT);
        while let Ok(Some(Ok(frame))) = pace.wait(None, body.frame()).await {
            if !frame.data_ref().is_none_or(|data| pace.advance(data.len())) {
                break;
            }
        }
    });
}

async fn read(
    head: BodyHead,
    body: &mut RequestBody,
    intake: &Intake,
    workers: &Workers,
    client: impl FnOnce() -> Client,
) -> Result<Received, ApiError> {
    let BodyHead { encoding, announced } = head;
    let mut pace = Pace::new(intake.timeout);
    let mut piece = next_piece(body, &mut pace, None).await?;
    if let Some(bytes) = piece.take_if(|_| encoding == Encoding::Identity && body.is_end_stream()) {
        return Ok(Received { bytes, _room: None });
    }
    let room = intake.memory.hold(client());
    let buffer = Buffer { bytes: Vec::new(), len_max: announced, window_max: encoding.window_max(), room };
    let mut gathered = Gathered { decoder: Decoder::new(encoding), buffer };
    while let Some(bytes) = piece {
        gathered = match encoding {
            Encoding::Identity => gathered.take(&bytes)?,
            // Few bytes may become many, which must not keep the other connections of this thread
            // waiting.
            _ => {
                let client = gathered.buffer.room.client().clone();
                workers.run_always(client, move || gathered.take(&bytes)).await??
            }
        };
        piece = next_piece(body, &mut pace, Some(&gathered.buffer.room)).await?;
    }
    gathered.decoder.finish()?;
    let Buffer { bytes, room, .. } = gathered.buffer;
    Ok(Received { bytes: bytes.into(), _room: Some(room) })
}

/// The next bytes of a body as they come over the wire, if there are any.
async fn next_piece(
    body: &mut RequestBody,
    pace: &mut Pace,
    room: Option<&HeldShare>,
) -> Result<Option<Bytes>, ApiError> {
    while let Some(frame) = next_frame(body, pace, room).await? {
        let frame = frame.map_err(|error| broken(&why_broken(&error)))?;
        if let Ok(data) = frame.into_data() {
            return if pace.advance(data.len()) { Ok(Some(data)) } else { Err(too_large_on_the_wire()) };
        }
    }
    Ok(None)
}

/// The next piece of a body, if there is one.
///
/// Nearly always the transport has it, and hands it over when it was asked and could look once
/// more. A timer, which costs more than that, is only set if this was not so.
async fn next_frame(
    body: &mut RequestBody,
    pace: &mut Pace,
    room: Option<&HeldShare>,
) -> Result<Option<Result<Frame<Bytes>, hyper::Error>>, ApiError> {
    let mut has_looked = false;
    let at_once = poll_fn(|cx| match Pin::new(&mut *body).poll_frame(cx) {
        Poll::Ready(frame) => Poll::Ready(Some(frame)),
        Poll::Pending if has_looked => Poll::Ready(None),
        Poll::Pending => {
            has_looked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match at_once.await {
        Some(frame) => Ok(frame),
        None => spent::until(Stage::Body, pace.wait(room, body.frame())).await,
    }
}

/// A body that comes in pieces, or compressed.
struct Gathered {
    decoder: Decoder,
    buffer: Buffer,
}

impl Gathered {
    /// The same with what a piece decompresses to.
    fn take(mut self, piece: &[u8]) -> Result<Self, ApiError> {
        let Self { decoder, buffer } = &mut self;
        decoder.feed(piece, &mut |more| buffer.append(more))?;
        Ok(self)
    }
}

/// The part of a body that has come, with the memory that it takes up.
struct Buffer {
    bytes: Vec<u8>,
    /// Its length as the client says, which costs nothing to say; 0 if it does not.
    len_max: usize,
    /// Most bytes that the decoder keeps of what it has decompressed.
    window_max: usize,
    room: HeldShare,
}

impl Buffer {
    /// Appends. The buffer grows with what has come: twofold, and not beyond what was announced.
    fn append(&mut self, more: &[u8]) -> Result<(), ApiError> {
        let len = self.bytes.len() + more.len();
        if len > BODY_BYTES_MAX {
            let message = format!("the body is larger than {BODY_BYTES_MAX} bytes; send fewer events at a time");
            return Err(ApiError::new(Code::TooLarge, message));
        }
        if len > self.bytes.capacity() {
            let twofold = (2 * self.bytes.capacity()).clamp(GROWTH_BYTES, BODY_BYTES_MAX);
            let capacity = if self.len_max < len { twofold } else { twofold.min(self.len_max) }.max(len);
            if !self.room.resize(capacity + capacity.min(self.window_max)) {
                return Err(overloaded());
            }
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }
}

/// The first room of a buffer, where more may come.
const GROWTH_BYTES: usize = 16 * 1024;

/// The pace of a body: how far it may fall behind, and how much of it has come.
struct Pace {
    timeout: Duration,
    /// How long its client may let the server wait from now on. Bytes add to it, up to the timeout:
    /// what came fast is no credit for what comes much later.
    patience: Duration,
    bytes: usize,
}

impl Pace {
    fn new(timeout: Duration) -> Self {
        Self { timeout, patience: timeout, bytes: 0 }
    }

    /// Waits for something that the client is to do. It may be evicted meanwhile from the memory
    /// that it holds.
    ///
    /// # Errors
    /// It took too long: `request_timeout`; or it was evicted: `overloaded`.
    async fn wait<T>(&mut self, room: Option<&HeldShare>, event: impl Future<Output = T>) -> Result<T, ApiError> {
        let begun = Instant::now();
        let deadline = begun + self.patience;
        let outcome = match room {
            None => timeout_at(deadline, event).await.map_err(|_| too_slow()),
            Some(room) => {
                room.waits(deadline);
                let outcome = tokio::select! {
                    biased;
                    () = room.evicted() => Err(evicted()),
                    outcome = timeout_at(deadline, event) => outcome.map_err(|_| too_slow()),
                };
                room.works();
                outcome
            }
        };
        self.patience = self.patience.saturating_sub(begun.elapsed());
        outcome
    }

    /// Counts bytes. `false` if they are too many.
    fn advance(&mut self, bytes: usize) -> bool {
        let earned = Duration::from_nanos(bytes as u64 * (1_000_000_000 / BODY_BYTES_PER_SECOND_MIN));
        self.patience = (self.patience + earned).min(self.timeout);
        self.bytes += bytes;
        self.bytes <= BODY_WIRE_BYTES_MAX
    }
}

fn content_length(headers: &HeaderMap) -> usize {
    let value = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    // The transport has already refused what is no number.
    value.map_or(0, |text| text.parse().unwrap_or(usize::MAX))
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, ApiError> {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let first = values.next().map(|value| value.to_str().unwrap_or_default().trim().to_ascii_lowercase());
    let known = match first.as_deref() {
        _ if values.next().is_some() => None,
        None | Some("identity" | "") => Some(Encoding::Identity),
        Some("gzip" | "x-gzip") => Some(Encoding::Gzip),
        Some("deflate") => Some(Encoding::Deflate),
        Some("zstd") => Some(Encoding::Zstd),
        Some(_) => None,
    };
    known.ok_or_else(|| {
        let message = "Content-Encoding must be one of gzip, deflate, zstd and identity";
        ApiError::new(Code::UnsupportedMediaType, message)
    })
}

fn too_large_on_the_wire() -> ApiError {
    let message = format!("the body is larger than {BODY_WIRE_BYTES_MAX} bytes; send fewer events at a time");
    ApiError::new(Code::TooLarge, message)
}

fn overloaded() -> ApiError {
    ApiError::new(Code::Overloaded, "too many requests are being read; nothing was stored, send it again")
}

fn evicted() -> ApiError {
    let message = "too many requests are being read, and this one came the slowest; nothing was stored, send it again";
    ApiError::new(Code::Overloaded, message)
}

fn too_slow() -> ApiError {
    ApiError::new(Code::RequestTimeout, "the body came too slowly; nothing was stored")
}

/// Why no more of a body can be read: the connection is gone, or a chunk is malformed.
fn why_broken(error: &hyper::Error) -> String {
    let mut source = error.source();
    let mut io = None;
    while let Some(error) = source {
        io = io.or_else(|| error.downcast_ref::<io::Error>());
        source = error.source();
    }
    match io.filter(|error| matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)) {
        Some(malformed) => format!("a chunk of it is malformed: {malformed}"),
        None => "the connection ended before the body did".to_owned(),
    }
}

fn broken(what: &str) -> ApiError {
    ApiError::new(Code::InvalidEncoding, format!("the body cannot be read: {what}"))
}

impl From<Broken> for ApiError {
    fn from(Broken(what): Broken) -> Self {
        broken(&what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_that_came_fast_are_no_credit_for_later() {
        let mut pace = Pace::new(BODY_TIMEOUT);
        assert!(pace.advance(BODY_WIRE_BYTES_MAX - 1));
        assert!(pace.wait(None, tokio::time::sleep(BODY_TIMEOUT / 2)).await.is_ok());
        assert!(pace.advance(1));
        assert!(pace.wait(None, tokio::time::sleep(BODY_TIMEOUT)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_at_its_pace_may_come_for_as_long_as_it_takes() {
        let mut pace = Pace::new(BODY_TIMEOUT);
        for _ in 0..100 {
            assert!(pace.wait(None, tokio::time::sleep(BODY_TIMEOUT / 2)).await.is_ok());
            assert!(pace.advance(BODY_BYTES_PER_SECOND_MIN as usize * 5));
        }
        for _ in 0..3 {
            pace.advance(BODY_BYTES_PER_SECOND_MIN as usize);
            assert_eq!(
                pace.wait(None, tokio::time::sleep(BODY_TIMEOUT / 2)).await.is_ok(),
                pace.patience > Duration::ZERO
            );
        }
        assert_eq!(pace.patience, Duration::ZERO, "half a pace is too slow");
    }

    /// A buffer that a hundred pieces of 1,000 bytes were appended to.
    fn filled(len_max: usize, window_max: usize) -> Buffer {
        let room = Intake::new(BODY_TIMEOUT).memory.hold(Client::Network([10, 0, 0, 1].into()));
        let mut buffer = Buffer { bytes: Vec::new(), len_max, window_max, room };
        for _ in 0..100 {
            buffer.append(&[b' '; 1_000]).unwrap();
            assert!(buffer.bytes.capacity() <= (2 * buffer.bytes.len()).max(GROWTH_BYTES));
        }
        buffer
    }

    #[tokio::test]
    async fn a_buffer_has_no_more_room_than_for_what_came_however_much_was_announced() {
        let buffer = filled(BODY_BYTES_MAX, 0);
        assert_eq!(buffer.bytes.capacity(), buffer.room.bytes());
        assert_eq!(filled(100_000, 0).bytes.capacity(), 100_000);
        let buffer = filled(0, 8 * GROWTH_BYTES);
        assert_eq!(buffer.room.bytes(), buffer.bytes.capacity() + 8 * GROWTH_BYTES);
    }
}
