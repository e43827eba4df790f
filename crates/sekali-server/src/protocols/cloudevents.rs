//! CloudEvents 1.0 over HTTP: structured, binary and batched, and the handshake of web hooks.
//! Specification: cloudevents/spec, bindings/http-protocol-binding.md and http-webhook.md.

mod binary;

use hyper::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use sekali_wire::error_code::Code;
use serde::de::IgnoredAny;
use serde_json::json;

use super::json::{elements, member};
use super::places::Defaults;
use super::{Adapter, Asked, Places, Refusal, Reply, times};
use crate::identity::{Way, text_of};
use crate::ingest::{Drafts, OnInvalid};
use crate::service::ItemResult;

/// A request with events.
pub(crate) struct CloudEvents {
    places: Places,
    is_batch: bool,
}

impl Adapter for CloudEvents {
    const WAY: Way = Way::CloudEvents;

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let media_type = asked.media_type();
        // A batch's type begins with that of a single event.
        let is_batch = media_type.starts_with("application/cloudevents-batch");
        let this = Self { places: Places::of(asked)?, is_batch };
        if !media_type.starts_with("application/cloudevents") {
            let event = binary::event(asked, &media_type, body)?;
            this.event(&event, drafts)?;
            return Ok(this);
        }
        if !media_type.ends_with("+json") && media_type != "application/cloudevents" {
            return Err(Refusal::new(
                Code::UnsupportedMediaType,
                "events must be in JSON: application/cloudevents+json",
            ));
        }
        serde_json::from_slice::<IgnoredAny>(body)
            .map_err(|error| Refusal::new(Code::InvalidJson, format!("the body is not JSON: {error}")))?;
        match (is_batch, body.trim_ascii().first()) {
            (true, Some(b'[')) => elements(body).try_for_each(|event| this.event(event, drafts))?,
            (true, _) => return Err(invalid("a batch must be an array of events")),
            (false, _) => this.event(body.trim_ascii(), drafts)?,
        }
        Ok(this)
    }

    fn by_content(&self) -> bool {
        self.places.by_content()
    }

    fn answer(self, _: &Asked, results: &[ItemResult]) -> Reply {
        let conflicts = results.iter().filter(|result| matches!(result, ItemResult::Conflict { .. })).count();
        if conflicts == 0 {
            return Reply::empty(202);
        }
        let message = "an event with this source and id is stored with other content; this one is kept as evidence";
        let status = if self.is_batch { 202 } else { 409 };
        Reply::json(status, &json!({"code": "conflict", "message": message, "conflicts": conflicts}))
    }

    fn refuse(refusal: &Refusal, _: Option<&Asked>) -> Reply {
        let code = refusal.code;
        // The profile of web hooks knows 429 for every "not now".
        let status = match code.status() {
            503 => 429,
            422 => 400,
            status => status,
        };
        let reply = Reply::json(status, &json!({"code": code.as_str(), "message": refusal.message}));
        if status == 401 { reply.with(WWW_AUTHENTICATE, "Bearer") } else { reply }
    }
}

impl CloudEvents {
    /// Adds an event, a JSON object with all its attributes.
    fn event(&self, event: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let text = |name: &str| member(event, name).and_then(text_of).filter(|text| !text.is_empty());
        let required = |name: &str| text(name).ok_or_else(|| invalid(&format!("the attribute `{name}` is missing")));
        required("specversion")?;
        let (id, source, kind) = (required("id")?, required("source")?, required("type")?);
        if source.contains(' ') {
            return Err(invalid("the attribute `source` must be a URI reference, which has no space"));
        }
        // Two sources may use the same id. A source has no space, so that the two cannot be confused.
        let key = format!("{source} {id}");
        let time_ns = text("time").as_deref().and_then(times::of_text);
        let defaults = Defaults { topic: &kind, id: Some(&key), time_ns, source: &source };
        let parts = self.places.parts(event, defaults);
        drafts.push(&parts.draft(event), OnInvalid::Fail, event)?;
        drafts.last_failure().map_or(Ok(()), |reason| Err(invalid(reason)))
    }
}

fn invalid(reason: &str) -> Refusal {
    Refusal::new(Code::InvalidEvent, format!("{reason}; nothing was stored"))
}

/// `OPTIONS`: a sender asks whether its events are wanted, and how many.
pub(crate) fn handshake(asked: &Asked) -> Reply {
    let origin = asked.header("webhook-request-origin").and_then(|origin| HeaderValue::from_str(origin).ok());
    let mut reply = Reply::empty(200).with(hyper::header::ALLOW, "POST, OPTIONS");
    if let Some(origin) = origin {
        reply.headers.push((HeaderName::from_static("webhook-allowed-origin"), origin));
        reply = reply.with(HeaderName::from_static("webhook-allowed-rate"), "*");
    }
    reply
}
