//! The same over gRPC: `LogsService/Export`, one message in and one out.
//! Specification: grpc/doc/PROTOCOL-HTTP2.md.
//!
//! Of gRPC this takes five bytes in front of each message and a status in the trailers; the rest is
//! HTTP/2.

use std::borrow::Cow;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::read::MultiGzDecoder;
use hyper::header::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use sekali_wire::error_code::Code;
use sekali_wire::limits::BODY_BYTES_MAX;

use super::answer::{append_bytes, append_number, partial, partial_protobuf};
use super::{Logs, protobuf};
use crate::identity::Way;
use crate::ingest::Drafts;
use crate::protocols::{Adapter, Asked, Port, Refusal, Reply};
use crate::service::ItemResult;

const MEDIA_TYPE: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ACCEPT: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// Bytes in front of a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// The first piece of a message that is decompressed. Memory is counted before it is taken.
const PIECE_BYTES: usize = 256 * 1024;
/// Characters of a message that are not written as they are.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
/// The name of the detail that tells a client when to come back.
const RETRY_INFO: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";

/// Codes of gRPC.
const INVALID_ARGUMENT: u16 = 3;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const UNIMPLEMENTED: u16 = 12;
const UNAVAILABLE: u16 = 14;
const UNAUTHENTICATED: u16 = 16;

/// A request with log records.
pub(crate) struct GrpcLogs(Logs);

impl Adapter for GrpcLogs {
    const WAY: Way = Way::Otlp;
    const PORT: Option<Port> = Some(Port::OtlpGrpc);

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        if !matches!(asked.media_type().as_str(), MEDIA_TYPE | "application/grpc+proto") {
            return Err(Refusal::new(Code::UnsupportedMediaType, "Content-Type must be application/grpc"));
        }
        let message = message(asked, body, drafts)?;
        Logs::read_with(asked, drafts, |sink| protobuf::read(&message, sink)).map(Self)
    }

    fn by_content(&self) -> bool {
        self.0.by_content()
    }

    fn answer(self, _: &Asked, results: &[ItemResult]) -> Reply {
        let message = partial(results).map(partial_protobuf).unwrap_or_default();
        // It is short: the text of a partial success.
        let len = u32::try_from(message.len()).unwrap_or_default();
        let body = [&[0][..], &len.to_be_bytes(), &message].concat();
        let mut reply = Reply::of(200, MEDIA_TYPE, body).with(ACCEPT, "identity,gzip");
        reply.trailers.push((STATUS, HeaderValue::from_static("0")));
        reply
    }

    fn refuse(refusal: &Refusal, _: Option<&Asked>) -> Reply {
        let Refusal { code, message } = refusal;
        if *code == Code::UnsupportedMediaType {
            return Reply::of(415, "text/plain; charset=utf-8", format!("{}: {message}\n", code.as_str()));
        }
        let status = status_of(*code);
        let message = format!("{}: {message}", code.as_str());
        let mut reply = Reply::empty(200).with(hyper::header::CONTENT_TYPE, MEDIA_TYPE).with(ACCEPT, "identity,gzip");
        reply.headers.push((STATUS, status.into()));
        let escaped = percent_encode(message.as_bytes(), ESCAPED).to_string();
        reply.headers.extend(HeaderValue::try_from(escaped).ok().map(|text| (MESSAGE, text)));
        if let Some(seconds) = code.retry_after_seconds() {
            let details = STANDARD_NO_PAD.encode(details(status, &message, seconds));
            reply.headers.extend(HeaderValue::try_from(details).ok().map(|text| (DETAILS, text)));
        }
        reply
    }
}

/// The status for a code. Clients repeat after `UNAVAILABLE`, and after `RESOURCE_EXHAUSTED` with a
/// time to wait; every other one is final.
fn status_of(code: Code) -> u16 {
    match code {
        Code::Unauthenticated => UNAUTHENTICATED,
        Code::Forbidden | Code::WrongHost | Code::InvalidHost => PERMISSION_DENIED,
        Code::NotFound | Code::MethodNotAllowed => UNIMPLEMENTED,
        Code::Overloaded => RESOURCE_EXHAUSTED,
        code if code.status() >= 500 || code == Code::RequestTimeout => UNAVAILABLE,
        _ => INVALID_ARGUMENT,
    }
}

/// A `google.rpc.Status` with a `RetryInfo`.
fn details(status: u16, message: &str, seconds: u32) -> Vec<u8> {
    let (mut delay, mut info, mut any, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    append_number(&mut delay, 1, seconds.into());
    append_bytes(&mut info, 1, &delay);
    append_bytes(&mut any, 1, RETRY_INFO);
    append_bytes(&mut any, 2, &info);
    append_number(&mut out, 1, status.into());
    append_bytes(&mut out, 2, message.as_bytes());
    append_bytes(&mut out, 3, &any);
    out
}

/// The one message of a body, decompressed.
fn message<'b>(asked: &Asked, body: &'b [u8], drafts: &mut Drafts) -> Result<Cow<'b, [u8]>, Refusal> {
    let malformed = |reason: &str| {
        Refusal::new(Code::InvalidEncoding, format!("the body is no message of gRPC: {reason}; nothing was stored"))
    };
    let (prefix, message) = body.split_first_chunk::<PREFIX_BYTES>().ok_or_else(|| malformed("it is cut off"))?;
    let [flag, len @ ..] = *prefix;
    if u32::from_be_bytes(len) as usize != message.len() {
        return Err(malformed("its length is another, or there is more than one"));
    }
    match (flag, asked.header("grpc-encoding").unwrap_or("identity")) {
        (0, _) => Ok(message.into()),
        (1, "gzip") => inflate(message, drafts)?.map(Cow::Owned).ok_or_else(|| malformed("it is not gzip")),
        (1, other) => Err(malformed(&format!("{other:?} is not supported, gzip is"))),
        _ => Err(malformed("its first byte is neither 0 nor 1")),
    }
}

/// Decompresses gzip. `None` if it is none.
fn inflate(packed: &[u8], drafts: &mut Drafts) -> Result<Option<Vec<u8>>, Refusal> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut out = Vec::new();
    loop {
        // Twofold each time.
        let more = out.len().max(PIECE_BYTES);
        drafts.reserve_beside(more)?;
        out.reserve_exact(more);
        match decoder.by_ref().take(more as u64).read_to_end(&mut out) {
            Err(_) => return Ok(None),
            Ok(_) if out.len() > BODY_BYTES_MAX => {
                let message =
                    format!("the message is larger than {BODY_BYTES_MAX} bytes; send fewer records at a time");
                return Err(Refusal::new(Code::TooLarge, message));
            }
            Ok(read) if read < more => return Ok(Some(out)),
            Ok(_) => {}
        }
    }
}
