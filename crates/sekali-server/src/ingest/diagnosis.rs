//! The problems of one event.

use std::borrow::Cow;

use sekali_wire::timestamp::{Timestamp, parse_timestamp};

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
    ("timestamp", timestamp),
    ("source", |json| fields::check_source(&string(json)?)),
    ("payload", fields::check_payload),
];

fn timestamp(json: &str) -> Result<(), Wrong> {
    if fields::kind(json) == "a number" {
        return Err(
            format!("must be a string such as \"2025-10-24T21:00:00Z\", not a number{}", since_1970(json)).into()
        );
    }
    let text = string(json)?;
    parse_timestamp(&text).map(|_| ()).map_err(|reason| format!("{reason}{}", since_1970(&text)).into())
}

/// The timestamp that a number means if it counts seconds, milliseconds, microseconds or
/// nanoseconds since 1970, as the end of a message; empty if it is no such number.
fn since_1970(number: &str) -> String {
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return String::new();
    }
    let (unit, unit_ns) = match whole.len() {
        9..=11 => ("seconds", 1_000_000_000),
        12..=14 => ("milliseconds", 1_000_000),
        15..=17 => ("microseconds", 1_000),
        18..=19 => ("nanoseconds", 1),
        _ => return String::new(),
    };
    let ns = whole.parse::<i64>().ok().and_then(|count| count.checked_mul(unit_ns));
    ns.map_or_else(String::new, |ns| format!("; {whole} {unit} since 1970 are {}", Timestamp(ns)))
}

fn string(json: &str) -> Result<Cow<'_, str>, Wrong> {
    if !json.starts_with('"') {
        return Err(format!("must be a string, not {}", fields::kind(json)).into());
    }
    // Valid JSON may still name half of a surrogate pair, which no Unicode string can hold.
    serde_json::from_str(json).map(|Text(text)| text).map_err(|_| "is not valid Unicode".to_owned().into())
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
