//! The problems of one event.

use std::borrow::Cow;

use sekali_wire::timestamp::parse_timestamp;

use super::fields::{self, Wrong};
use super::members::{EVENT, Members};

/// Reports every problem of an invalid event, given as valid JSON text: the field (empty
/// for the event as a whole) and the reason. There is always at least one.
pub(super) fn diagnose(json: &str, mut report: impl FnMut(&str, Wrong)) {
    if !json.starts_with('{') {
        return report("", format!("must be an object, not {}", fields::kind(json)).into());
    }
    let members = Members::of(json, &EVENT);
    if members.unreadable {
        return report("", "has a member name that is not valid Unicode".to_owned().into());
    }
    let mut found = false;
    let mut note = |field: &str, wrong| {
        found = true;
        report(field, wrong);
    };
    for (field, check) in CHECKS {
        let outcome = match members.get(field) {
            None => Err("is missing".to_owned().into()),
            Some(_) if members.repeated.contains(&field) => Err("must be given once".to_owned().into()),
            Some(value) => check(value),
        };
        if let Err(wrong) = outcome {
            note(field, wrong);
        }
    }
    for name in members.repeated.iter().filter(|name| !CHECKS.iter().any(|(field, _)| field == *name)) {
        note(name, "must be given once".to_owned().into());
    }
    for name in &members.unknown {
        note(name, "unknown field: put it inside payload".to_owned().into());
    }
    if !found {
        report("", "is not a valid event".to_owned().into());
    }
}

type Check = fn(&str) -> Result<(), Wrong>;

const CHECKS: [(&str, Check); 5] = [
    ("topic", |json| fields::check_topic(&string(json)?)),
    ("event_id", |json| fields::check_event_id(&string(json)?)),
    ("timestamp", |json| Ok(parse_timestamp(&string(json)?).map(|_| ())?)),
    ("source", |json| fields::check_source(&string(json)?)),
    ("payload", fields::check_payload),
];

fn string(json: &str) -> Result<Cow<'_, str>, Wrong> {
    if !json.starts_with('"') {
        return Err(format!("must be a string, not {}", fields::kind(json)).into());
    }
    // Valid JSON may still name half of a surrogate pair, which no Unicode string can hold.
    serde_json::from_str(json).map(|Text(text)| text).map_err(|_| "is not valid Unicode".to_owned().into())
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
