//! Webhooks: `POST /webhooks/{topic}`, signed by Standard Webhooks, GitHub's or Stripe's rules, or
//! sent with a key.

mod signature;

use hyper::header::WWW_AUTHENTICATE;
use sekali_wire::error_code::Code;
use sekali_wire::json::append_string;
use serde::de::IgnoredAny;
use serde_json::json;

use super::json::{append_name, append_text};
use super::places::Defaults;
use super::{Adapter, Asked, Places, Refusal, Reply, times};
use crate::identity::{Pointers, Way};
use crate::ingest::{Drafts, OnInvalid};
use crate::service::ItemResult;

/// Headers that have the id of a delivery, which is the same when it is sent again.
const IDS: [&str; 4] = ["webhook-id", "x-github-delivery", "x-gitlab-event-uuid", "idempotency-key"];
/// Headers that have the kind of the event, which senders leave out of the body.
const KINDS: [&str; 5] = ["x-github-event", "x-gitlab-event", "x-event-key", "x-shopify-topic", "x-event-type"];
/// Places of the time, in bodies of several senders.
const TIMES: &str = "/timestamp,/created_at,/created,/time";
/// Where the body has an id, with senders that have no header for it: Stripe's events.
const STRIPE_ID: &str = "/id";

/// A delivery.
pub(crate) struct Delivery {
    places: Places,
}

impl Adapter for Delivery {
    const WAY: Way = Way::Webhooks;

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let this = Self { places: Places::of(asked)? };
        if let Some(secret) = asked.secret() {
            signature::check(secret, asked, body, drafts.now_ns())
                .map_err(|reason| Refusal::new(Code::Unauthenticated, reason))?;
        }
        let topic = asked.segments.first().map_or("", String::as_str);
        let payload = payload(asked, body);
        let pointers = |text| Pointers::parse(text).map_err(|reason| Refusal::setting("id", &reason));
        let header = IDS.iter().find_map(|name| asked.header(name)).map(|id| id.trim().trim_matches('"'));
        let stripe = pointers(STRIPE_ID)?;
        let own = if asked.header("stripe-signature").is_some() { stripe.text(&payload) } else { None };
        let id = header.filter(|id| !id.is_empty()).or(own.as_deref());
        let sent = asked.header("webhook-timestamp").and_then(times::of_number);
        let time_ns = pointers(TIMES)?.find(&payload).and_then(times::of_json).or(sent.filter(|_| id.is_some()));
        let parts = this.places.parts(&payload, Defaults { topic, id, time_ns, source: "webhook" });
        drafts.push(&parts.draft(&payload), OnInvalid::Quarantine, body)?;
        Ok(this)
    }

    fn by_content(&self) -> bool {
        self.places.by_content()
    }

    fn answer(self, _: &Asked, _: &[ItemResult]) -> Reply {
        // Senders give up on a hook that answers with errors, and a conflict is kept as evidence.
        Reply::json(200, &json!({"received": true}))
    }

    fn refuse(refusal: &Refusal, _: Option<&Asked>) -> Reply {
        let code = refusal.code;
        let reply = Reply::json(code.status(), &json!({"code": code.as_str(), "message": refusal.message}));
        if code == Code::Unauthenticated { reply.with(WWW_AUTHENTICATE, "Bearer") } else { reply }
    }
}

/// The body, with the kind of the event in front if a header has it.
fn payload(asked: &Asked, body: &[u8]) -> Vec<u8> {
    let mut out = b"{".to_vec();
    for name in KINDS {
        if let Some(kind) = asked.header(name) {
            append_text(&mut out, name, kind);
        }
    }
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    let members = body.trim_ascii().strip_prefix(b"{").filter(|_| is_json);
    match members {
        Some(members) => {
            if out.len() > 1 && members.trim_ascii_start() != b"}" {
                out.push(b',');
            }
            out.extend_from_slice(members);
        }
        None => {
            append_name(&mut out, "body");
            match std::str::from_utf8(body) {
                _ if is_json => out.extend_from_slice(body.trim_ascii()),
                Ok(text) => append_string(&mut out, text),
                Err(_) => append_string(&mut out, &String::from_utf8_lossy(body)),
            }
            out.push(b'}');
        }
    }
    out
}
