//! Equality of payloads, and the evidence that is kept of a conflict.

mod members;
mod texts;

use sekali_store::{ContentRules, EventRef};

use sekali_wire::json::{self, append_string};

/// The engine's four questions about payloads, which it cannot read. An unreadable payload equals
/// only itself: the conflict is kept as evidence, so nothing is lost.
pub const CONTENT_RULES: ContentRules =
    ContentRules { canonical: json::canonical, evidence, members: members::members, texts: texts::texts };

/// The payload of the event kept in `$conflicts`: the event as sent, and the seq of the stored one.
fn evidence(event: &EventRef<'_>, first_seq: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(event.payload.len() + event.topic.len() + event.event_id.len() + 64);
    out.extend_from_slice(b"{\"topic\":");
    append_string(&mut out, event.topic);
    out.extend_from_slice(b",\"event_id\":");
    append_string(&mut out, event.event_id);
    out.extend_from_slice(format!(",\"stored_seq\":{first_seq},\"payload\":").as_bytes());
    out.extend_from_slice(event.payload);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests;
