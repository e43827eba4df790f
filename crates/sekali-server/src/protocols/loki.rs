//! Loki: `POST /loki/api/v1/push`, in JSON and in Protocol Buffers under Snappy.

mod labels;
mod protobuf;
mod text;

use std::time::Duration;

use hyper::header::WWW_AUTHENTICATE;
use sekali_wire::error_code::Code;
use sekali_wire::json::append_string;
use sekali_wire::limits::BODY_BYTES_MAX;

use super::json::append_name;
use super::places::Defaults;
use super::{Adapter, Asked, Places, Port, Refusal, Reply};
use crate::identity::{Pointers, Way};
use crate::ingest::{Drafts, OnInvalid};
use crate::service::ItemResult;
use labels::Labels;

/// The topic of streams without a label that tells one.
const TOPIC: &str = "loki";
/// The structured metadata that has the id of a line.
const EVENT_ID: &str = "/event_id";

/// A push request.
pub(crate) struct Push {
    places: Places,
    event_id: Pointers,
}

/// A line of a stream.
struct Entry<'a> {
    time_ns: Option<i64>,
    line: &'a str,
    /// A JSON object, or empty.
    metadata: &'a [u8],
}

impl Adapter for Push {
    const WAY: Way = Way::Loki;
    const PORT: Option<Port> = Some(Port::Loki);
    /// A refusal costs the events of most clients, and a minute of the others.
    const PATIENCE: Duration = Duration::from_secs(8);
    const OWN_ENCODING: Option<&'static str> = Some("snappy");

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let event_id = Pointers::parse(EVENT_ID).map_err(|reason| Refusal::setting("id", &reason))?;
        let this = Self { places: Places::of(asked)?, event_id };
        if asked.media_type() == "application/json" {
            text::read(body, &this, drafts)?;
        } else {
            match unpack(body, drafts)? {
                Some(message) => protobuf::read(&message, &this, drafts)?,
                None => this.broken("the body is not Snappy", body, drafts)?,
            }
        }
        Ok(this)
    }

    fn by_content(&self) -> bool {
        self.places.by_content()
    }

    fn answer(self, _: &Asked, _: &[ItemResult]) -> Reply {
        // Any other status is an error to some clients, and there is no word for a part of a batch.
        // Conflicts and what is no event are kept in their reserved topics.
        Reply::empty(204)
    }

    fn refuse(refusal: &Refusal, _: Option<&Asked>) -> Reply {
        let code = refusal.code;
        let text = format!("{}: {}\n", code.as_str(), refusal.message);
        let reply = Reply::of(code.status(), "text/plain; charset=utf-8", text);
        if code == Code::Unauthenticated {
            reply.with(WWW_AUTHENTICATE, "Basic realm=\"sekali\", Bearer")
        } else {
            reply
        }
    }
}

impl Push {
    /// Adds a line.
    fn push(&self, labels: &Labels, entry: &Entry<'_>, raw: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let mut payload = b"{\"body\":".to_vec();
        append_string(&mut payload, entry.line);
        if !entry.metadata.is_empty() {
            append_name(&mut payload, "attributes");
            payload.extend_from_slice(entry.metadata);
        }
        append_name(&mut payload, "labels");
        payload.extend_from_slice(&labels.json);
        payload.push(b'}');
        let id = self.event_id.text(entry.metadata).filter(|id| !id.is_empty());
        let topic = labels.topic.as_deref().unwrap_or(TOPIC);
        let source = labels.source.as_deref().unwrap_or("");
        let defaults = Defaults { topic, id: id.as_deref(), time_ns: entry.time_ns, source };
        let parts = self.places.parts(&payload, defaults);
        Ok(drafts.push(&parts.draft(&payload), OnInvalid::Quarantine, raw)?)
    }

    /// Keeps what is no request at all: a client would repeat it for ever, or drop it.
    fn broken(&self, reason: &str, raw: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        Ok(drafts.invalid(TOPIC, None, reason.to_owned(), OnInvalid::Quarantine, raw)?)
    }
}

/// Decompresses a body of Snappy's block format, whose first bytes say how long it becomes. `None`
/// if it is none.
fn unpack(body: &[u8], drafts: &mut Drafts) -> Result<Option<Vec<u8>>, Refusal> {
    let Ok(len) = snap::raw::decompress_len(body) else { return Ok(None) };
    if len > BODY_BYTES_MAX {
        let message = format!("the body is larger than {BODY_BYTES_MAX} bytes; send fewer lines at a time");
        return Err(Refusal::new(Code::TooLarge, message));
    }
    drafts.reserve_beside(len)?;
    let mut message = vec![0; len];
    let written = snap::raw::Decoder::new().decompress(body, &mut message);
    Ok(written.ok().filter(|&written| written == len).map(|_| message))
}
