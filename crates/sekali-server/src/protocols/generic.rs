//! `POST /ingest`: JSON of any shape, and lines of text.

use sekali_wire::error_code::Code;
use sekali_wire::json::{Reader, append_string};
use serde::Serialize;
use serde::de::IgnoredAny;

use super::places::Defaults;
use super::{Adapter, Asked, Places, Refusal, Reply, times};
use crate::identity::{Pointers, Way};
use crate::ingest::{Drafts, DraftsError, OnInvalid};
use crate::limits::PROBLEMS_LISTED_MAX;
use crate::service::ItemResult;

/// The topic of events whose request names none.
const TOPIC: &str = "ingest";
/// Where the time is looked for unless the request says where it is.
const TIMES: &str = "/timestamp,/@timestamp,/time,/ts";

/// A request of any shape.
pub(crate) struct Generic {
    places: Places,
    times: Pointers,
    /// Where an array of records is inside of each value, if not the value itself.
    records: Option<Pointers>,
    on_invalid: OnInvalid,
}

impl Adapter for Generic {
    const WAY: Way = Way::Ingest;

    fn read(asked: &Asked, body: &[u8], drafts: &mut Drafts) -> Result<Self, Refusal> {
        let this = Self::of(asked)?;
        let media_type = asked.media_type();
        let is_json = matches!(media_type.as_str(), "application/json" | "text/json" | "");
        if media_type == "text/plain" {
            lines(body).try_for_each(|line| this.text_line(line, drafts))?;
        } else if is_json && !is_ndjson(body) {
            this.whole(body, drafts)?;
        } else {
            lines(body).try_for_each(|line| this.json_line(line, drafts))?;
        }
        Ok(this)
    }

    fn by_content(&self) -> bool {
        self.places.by_content()
    }

    fn answer(self, _: &Asked, results: &[ItemResult]) -> Reply {
        let count = |wanted: fn(&ItemResult) -> bool| results.iter().filter(|result| wanted(result)).count();
        let quarantined = count(|result| matches!(result, ItemResult::Quarantined(_)));
        let conflicts = count(|result| matches!(result, ItemResult::Conflict { .. }));
        let stored = count(|result| matches!(result, ItemResult::Stored { .. }));
        let reason = |(index, result): (usize, &ItemResult)| match result {
            ItemResult::Quarantined(reason) => Some(Problem { index, reason: reason.clone() }),
            _ => None,
        };
        let errors = results.iter().enumerate().filter_map(reason).take(PROBLEMS_LISTED_MAX).collect();
        let (received, duplicates) = (results.len() - quarantined, results.len() - quarantined - stored);
        Reply::json(202, &IngestAnswer { received, stored, duplicates, conflicts, quarantined, errors })
    }

    fn refuse(refusal: &Refusal, _: Option<&Asked>) -> Reply {
        // The API's own words: never asked for.
        Reply::of(refusal.code.status(), "text/plain", refusal.message.clone())
    }
}

#[derive(Serialize)]
struct IngestAnswer {
    received: usize,
    stored: usize,
    duplicates: usize,
    conflicts: usize,
    quarantined: usize,
    errors: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    index: usize,
    reason: String,
}

impl Generic {
    fn of(asked: &Asked) -> Result<Self, Refusal> {
        let on_invalid = match asked.query("invalid") {
            None | Some("quarantine") => OnInvalid::Quarantine,
            Some("reject") => OnInvalid::Fail,
            Some(_) => return Err(Refusal::setting("invalid", "no such value; allowed: quarantine, reject")),
        };
        let pointers = |name: &str, text: &str| Pointers::parse(text).map_err(|reason| Refusal::setting(name, &reason));
        let records = asked.setting("records").map(|text| pointers("records", text)).transpose()?;
        Ok(Self { places: Places::of(asked)?, times: pointers("timestamp", TIMES)?, records, on_invalid })
    }

    /// A body that is one JSON value.
    fn whole(&self, body: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => self.value(body, drafts),
            Err(error) => self.invalid(format!("the body is not JSON: {error}"), body, drafts),
        }
    }

    fn json_line(&self, line: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        match serde_json::from_slice::<IgnoredAny>(line) {
            Ok(_) => self.value(line, drafts),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.split(" at line ").next().unwrap_or_default();
                self.invalid(format!("not JSON: {reason} at column {}", error.column()), line, drafts)
            }
        }
    }

    fn text_line(&self, line: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let Ok(text) = std::str::from_utf8(line) else {
            return self.invalid("not valid UTF-8".to_owned(), line, drafts);
        };
        let mut payload = b"{\"message\":".to_vec();
        append_string(&mut payload, text);
        payload.push(b'}');
        self.record(&payload, drafts)
    }

    /// A valid JSON value: an event, an array of them, or a document that has one somewhere.
    fn value(&self, value: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let value = match &self.records {
            None => value.trim_ascii(),
            Some(records) => match records.find(value) {
                Some(found) => found,
                None => return self.invalid("has nothing at the place of the records".to_owned(), value, drafts),
            },
        };
        if value.first() != Some(&b'[') {
            return self.record(value, drafts);
        }
        let mut reader = Reader::new(value);
        reader.skip_byte();
        while !reader.take_if(b']') {
            let Some(element) = reader.skip_value() else { return Ok(()) };
            self.record(element, drafts)?;
            reader.take_if(b',');
        }
        Ok(())
    }

    fn record(&self, record: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        let wrapped;
        let payload = if record.first() == Some(&b'{') {
            record
        } else {
            wrapped = [b"{\"value\":", record, b"}"].concat();
            &wrapped
        };
        let time_ns = self.times.find(payload).and_then(times::of_json);
        let defaults = Defaults { topic: TOPIC, id: None, time_ns, source: "" };
        let parts = self.places.parts(payload, defaults);
        drafts.push(&parts.draft(payload), self.on_invalid, record)?;
        self.rejected(drafts)
    }

    fn invalid(&self, reason: String, record: &[u8], drafts: &mut Drafts) -> Result<(), Refusal> {
        drafts
            .invalid(TOPIC, None, reason, self.on_invalid, record)
            .map_err(|error: DraftsError| Refusal::from(error))?;
        self.rejected(drafts)
    }

    /// Refuses the request if its last item is not valid and the client wants all or nothing.
    fn rejected(&self, drafts: &Drafts) -> Result<(), Refusal> {
        match drafts.last_failure() {
            None => Ok(()),
            Some(reason) => {
                let message = format!("event {}: {reason}; nothing was stored", drafts.len() - 1);
                Err(Refusal::new(Code::InvalidEvent, message))
            }
        }
    }
}

/// The lines of a body that are not blank.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

/// Whether a body that is said to be JSON, or nothing, has a value of its own in its first line and
/// another line behind it.
fn is_ndjson(body: &[u8]) -> bool {
    let mut lines = lines(body);
    let first = lines.next().is_some_and(|line| serde_json::from_slice::<IgnoredAny>(line).is_ok());
    first && lines.next().is_some()
}
