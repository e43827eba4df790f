//! Splunk's HTTP Event Collector: events, raw lines, and acknowledgement by the indexer.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::WWW_AUTHENTICATE;
use sekali_wire::error_code::Code;
use sekali_wire::json::append_string;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::json::{append_name, append_text, elements, member};
use super::places::Defaults;
use super::{Adapter, Asked, Places, Port, Refusal, Reply, times};
use crate::identity::{Way, text_of};
use crate::ingest::{Drafts, OnInvalid};
use crate::service::ItemResult;

/// The topic of events without a sourcetype and an index.
const TOPIC: &str = "splunk";

/// The number of the last acknowledgement. It may begin again after a start: a client is only given
/// a number once its events are durable, so that every number that it has is acknowledged.
static LAST_ACK: AtomicU64 = AtomicU64::new(0);

/// A request with events.
pub(crate) struct Collector {
    places: Places,
}

impl Adapter for Collector {
    const WAY: Way = Way::Hec;
    const PORT: Option<Port> = Some(Port::Hec);

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let this = Self { places: Places::of(asked)? };
        if asked.path.contains("/raw") {
            this.raw(asked, body, drafts)?;
        } else {
            this.events(body, drafts)?;
        }
        if drafts.len() == 0 {
            return Err(Refusal::new(Code::InvalidEvent, "No data"));
        }
        Ok(this)
    }

    fn by_content(&self) -> bool {
        self.places.by_content()
    }

    fn answer(self, asked: &Asked, _: &[ItemResult]) -> Reply {
        let mut answer = json!({"text": "Success", "code": 0});
        if channel(asked).is_some() {
            answer["ackId"] = (LAST_ACK.fetch_add(1, Ordering::Relaxed) + 1).into();
        }
        Reply::json(200, &answer)
    }

    fn refuse(refusal: &Refusal, _: Option<&Asked>) -> Reply {
        let (status, code, text) = match refusal.code {
            Code::Unauthenticated => (401, 3, "Invalid authorization"),
            Code::Forbidden => (403, 4, "Invalid token"),
            Code::InvalidEvent if refusal.message == "No data" => (400, 5, "No data"),
            Code::InvalidEvent | Code::InvalidJson => (400, 6, "Invalid data format"),
            code if code.is_retryable() => (503, 9, "Server is busy"),
            code => (code.status(), 8, "Internal server error"),
        };
        let message = format!("{}: {}", refusal.code.as_str(), refusal.message);
        let reply = Reply::json(status, &json!({"text": text, "code": code, "message": message}));
        if status == 401 { reply.with(WWW_AUTHENTICATE, "Splunk, Basic realm=\"sekali\"") } else { reply }
    }
}

impl Collector {
    /// JSON objects, with or without anything between them.
    fn events(&self, body: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let values = serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>();
        for value in values {
            let value = value.map_err(|error| invalid(drafts.len(), &error.to_string()))?.get().as_bytes();
            if value.starts_with(b"[") {
                elements(value).try_for_each(|event| self.event(event, drafts))?;
            } else {
                self.event(value, drafts)?;
            }
        }
        Ok(())
    }

    fn event(&self, object: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let event = member(object, "event").filter(|event| !matches!(*event, b"null" | b"\"\""));
        if event.is_none() {
            return Err(invalid(drafts.len(), "an event must have a member `event` that is not blank"));
        }
        let text = |name: &str| member(object, name).and_then(text_of).filter(|text| !text.is_empty());
        let topic = text("sourcetype").or_else(|| text("index"));
        let id = member(object, "fields").and_then(|fields| member(fields, "event_id")).and_then(text_of);
        let host = text("host");
        let defaults = Defaults {
            topic: topic.as_deref().unwrap_or(TOPIC),
            id: id.as_deref().filter(|id| !id.is_empty()),
            time_ns: member(object, "time").and_then(times::of_json),
            source: host.as_deref().unwrap_or(""),
        };
        let parts = self.places.parts(object, defaults);
        Ok(drafts.push(&parts.draft(object), OnInvalid::Quarantine, object)?)
    }

    /// Lines of text; what is known of all of them stands in the query.
    fn raw(&self, asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let named = |name: &str| asked.query(name).filter(|text| !text.is_empty());
        let topic = named("sourcetype").or_else(|| named("index")).unwrap_or(TOPIC);
        for line in body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
            let Ok(text) = std::str::from_utf8(line) else {
                drafts.invalid(topic, None, "not valid UTF-8".to_owned(), OnInvalid::Quarantine, line)?;
                continue;
            };
            let mut payload = b"{\"event\":".to_vec();
            append_string(&mut payload, text);
            for name in ["host", "source", "sourcetype", "index"] {
                if let Some(text) = named(name) {
                    append_text(&mut payload, name, text);
                }
            }
            payload.push(b'}');
            let source = named("host").unwrap_or("");
            let time_ns = named("time").and_then(times::of_text);
            let parts = self.places.parts(&payload, Defaults { topic, id: None, time_ns, source });
            drafts.push(&parts.draft(&payload), OnInvalid::Quarantine, line)?;
        }
        Ok(())
    }
}

fn invalid(number: usize, reason: &str) -> Refusal {
    Refusal::new(Code::InvalidEvent, format!("event {number}: {reason}; nothing was stored"))
}

fn channel(asked: &Asked) -> Option<&str> {
    asked.header("x-splunk-request-channel").or_else(|| asked.query("channel"))
}

/// `/services/collector/ack`: which of these numbers are durable. A number is only given once they
/// are.
pub(crate) struct Acknowledgement {
    asked: Vec<u64>,
}

impl Adapter for Acknowledgement {
    const WAY: Way = Way::Hec;
    const PORT: Option<Port> = Some(Port::Hec);

    fn read(asked: &Asked, body: &[u8], _: &mut Drafts) -> Result<Self, Refusal> {
        if channel(asked).is_none() {
            return Err(Refusal::new(Code::InvalidEvent, "a channel is missing: X-Splunk-Request-Channel"));
        }
        let body: Value = serde_json::from_slice(body).map_err(|error| invalid(0, &error.to_string()))?;
        let acks = body.get("acks").and_then(Value::as_array);
        let acks = acks.ok_or_else(|| invalid(0, "the body must be {\"acks\":[…]}"))?;
        Ok(Self { asked: acks.iter().filter_map(Value::as_u64).collect() })
    }

    fn answer(self, _: &Asked, _: &[ItemResult]) -> Reply {
        let mut body = b"{".to_vec();
        for number in self.asked {
            append_name(&mut body, &number.to_string());
            body.extend_from_slice(b"true");
        }
        body.push(b'}');
        Reply::of(200, "application/json", [b"{\"acks\":", &body[..], b"}"].concat())
    }

    fn refuse(refusal: &Refusal, asked: Option<&Asked>) -> Reply {
        Collector::refuse(refusal, asked)
    }
}

/// `GET /services/collector/health`
pub(crate) fn health(_: &Asked) -> Reply {
    Reply::json(200, &json!({"text": "HEC is healthy", "code": 17}))
}
