//! Segment's HTTP API, which RudderStack and others speak as well.

use hyper::header::WWW_AUTHENTICATE;
use sekali_wire::error_code::Code;
use serde::de::IgnoredAny;
use serde_json::json;

use super::json::{append_name, elements, member, members};
use super::places::Defaults;
use super::{Adapter, Asked, Places, Refusal, Reply, times};
use crate::identity::{Way, text_of};
use crate::ingest::{Drafts, OnInvalid};
use crate::service::ItemResult;

/// Members that change with every attempt. Kept, they would make a conflict of every repeat.
const OF_THE_ATTEMPT: [&str; 2] = ["sentAt", "sent_at"];

/// One message, or a batch of them.
pub(crate) struct Messages {
    places: Places,
}

impl Adapter for Messages {
    const WAY: Way = Way::Segment;

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let this = Self { places: Places::of(asked)? };
        serde_json::from_slice::<IgnoredAny>(body)
            .map_err(|error| Refusal::new(Code::InvalidJson, format!("the body is not JSON: {error}")))?;
        let call = asked.path.rsplit('/').next().unwrap_or_default();
        if matches!(call, "batch" | "import") {
            let batch = member(body, "batch").filter(|batch| batch.starts_with(b"["));
            let batch = batch.ok_or_else(|| Refusal::new(Code::InvalidEvent, "the body has no array `batch`"))?;
            elements(batch).try_for_each(|message| this.message(None, message, drafts))?;
        } else {
            this.message(Some(call), body.trim_ascii(), drafts)?;
        }
        Ok(this)
    }

    fn by_content(&self) -> bool {
        self.places.by_content()
    }

    fn answer(self, _: &Asked, _: &[ItemResult]) -> Reply {
        Reply::json(200, &json!({"success": true}))
    }

    fn refuse(refusal: &Refusal, _: Option<&Asked>) -> Reply {
        let code = refusal.code;
        let error = json!({"code": code.as_str(), "message": refusal.message});
        let reply = Reply::json(code.status(), &json!({"success": false, "error": error}));
        if code == Code::Unauthenticated { reply.with(WWW_AUTHENTICATE, "Basic realm=\"sekali\"") } else { reply }
    }
}

impl Messages {
    fn message(&self, call: Option<&str>, message: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let text = |name: &str| member(message, name).and_then(text_of).filter(|text| !text.is_empty());
        let kind = text("type").or_else(|| call.map(Into::into));
        let topic = format!("segment.{}", kind.as_deref().unwrap_or("message"));
        let (id, time) = (text("messageId"), text("timestamp").or_else(|| text("originalTimestamp")));
        let mut payload = Vec::with_capacity(message.len());
        if message.starts_with(b"{") {
            payload.push(b'{');
            for (name, value) in members(message).filter(|(name, _)| !OF_THE_ATTEMPT.contains(&name.as_ref())) {
                append_name(&mut payload, &name);
                payload.extend_from_slice(value);
            }
            payload.push(b'}');
        } else {
            payload.extend_from_slice(message);
        }
        let time_ns = time.as_deref().and_then(times::of_text);
        let defaults = Defaults { topic: &topic, id: id.as_deref(), time_ns, source: "segment" };
        let parts = self.places.parts(&payload, defaults);
        Ok(drafts.push(&parts.draft(&payload), OnInvalid::Quarantine, message)?)
    }
}
