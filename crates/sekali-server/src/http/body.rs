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
use crate::budget::{Budget, Reservation};
use crate::limits::{BODIES_BYTES_MAX, BODY_BYTES_PER_SECOND_MIN, BODY_TIMEOUT, BODY_WIRE_BYTES_MAX};
use sekali_wire::limits::BODY_BYTES_MAX;

pub use request::{BodyWatch, RequestBody};

use crate::query::off_thread;
use decode::{Broken, Decoder, Encoding};

/// What all bodies share. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    budget: Budget,
    /// What a body has on top of the time that its bytes have.
    timeout: Duration,
}

impl Intake {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { budget: Budget::new(BODIES_BYTES_MAX), timeout }
    }
}

/// A whole body, decompressed.
#[derive(Debug)]
pub(super) struct Received {
    /// Its bytes.
    pub(super) bytes: Bytes,
    /// What it takes up, unless it still lies where the transport has put it.
    _room: Option<Reservation>,
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

/// Reads the body of a request, with this head.
///
/// # Errors
/// `too_large`, `overloaded`, `invalid_encoding`, `request_timeout`.
pub(super) async fn receive(
    headers: &HeaderMap,
    mut body: RequestBody,
    head: BodyHead,
    intake: &Intake,
) -> Result<Received, ApiError> {
    let received = read(head, &mut body, intake).await;
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
        while let Ok(Some(Ok(frame))) = timeout_at(pace.deadline(), body.frame()).await {
            if !frame.data_ref().is_none_or(|data| pace.advance(data.len())) {
                break;
            }
        }
    });
}

async fn read(head: BodyHead, body: &mut RequestBody, intake: &Intake) -> Result<Received, ApiError> {
    let BodyHead { encoding, announced } = head;
    if !intake.budget.has_room(announced) {
        return Err(overloaded());
    }
    let mut pace = Pace::new(intake.timeout);
    let mut piece = next_piece(body, &mut pace).await?;
    if let Some(bytes) = piece.take_if(|_| encoding == Encoding::Identity && body.is_end_stream()) {
        return Ok(Received { bytes, _room: None });
    }
    // Room is taken for what has come, and not for what was announced: announcing costs a client
    // nothing.
    let room = intake.budget.reserve(0).ok_or_else(overloaded)?;
    let mut gathered = Gathered { decoder: Decoder::new(encoding), bytes: Vec::with_capacity(announced), room };
    while let Some(bytes) = piece {
        gathered = match encoding {
            Encoding::Identity => gathered.take(&bytes)?,
            // Few bytes may become many, which must not keep the other connections of this thread
            // waiting.
            _ => off_thread(move || gathered.take(&bytes)).await??,
        };
        piece = next_piece(body, &mut pace).await?;
    }
    gathered.decoder.finish()?;
    Ok(Received { bytes: gathered.bytes.into(), _room: Some(gathered.room) })
}

/// The next bytes of a body as they come over the wire, if there are any.
async fn next_piece(body: &mut RequestBody, pace: &mut Pace) -> Result<Option<Bytes>, ApiError> {
    while let Some(frame) = next_frame(body, pace).await? {
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
        None => timeout_at(pace.deadline(), body.frame()).await.map_err(|_| too_slow()),
    }
}

/// A body that comes in pieces, or compressed, with the room it takes up.
struct Gathered {
    decoder: Decoder,
    bytes: Vec<u8>,
    room: Reservation,
}

impl Gathered {
    /// The same with what a piece decompresses to.
    fn take(mut self, piece: &[u8]) -> Result<Self, ApiError> {
        let Self { decoder, bytes, room } = &mut self;
        decoder.feed(piece, &mut |more| append(bytes, room, more))?;
        Ok(self)
    }
}

fn append(bytes: &mut Vec<u8>, room: &mut Reservation, more: &[u8]) -> Result<(), ApiError> {
    let len = bytes.len() + more.len();
    if len > BODY_BYTES_MAX {
        let message = format!("the body is larger than {BODY_BYTES_MAX} bytes; send fewer events at a time");
        return Err(ApiError::new(Code::TooLarge, message));
    }
    if let Some(lacking) = len.checked_sub(room.bytes()).filter(|&lacking| lacking > 0)
        && !room.grow(lacking.max(GROWTH_BYTES))
    {
        return Err(overloaded());
    }
    bytes.extend_from_slice(more);
    Ok(())
}

/// Room is taken in steps of this size.
const GROWTH_BYTES: usize = 64 * 1024;

/// How fast a body comes, and how much of it has come.
struct Pace {
    timeout: Duration,
    /// When it was first waited for.
    begun: Option<Instant>,
    bytes: usize,
}

impl Pace {
    fn new(timeout: Duration) -> Self {
        Self { timeout, begun: None, bytes: 0 }
    }

    /// When the next bytes must be there.
    fn deadline(&mut self) -> Instant {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        begun + self.timeout + Duration::from_secs(self.bytes as u64 / BODY_BYTES_PER_SECOND_MIN)
    }

    /// Counts bytes. `false` if they are too many.
    fn advance(&mut self, bytes: usize) -> bool {
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
