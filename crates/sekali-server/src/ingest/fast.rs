//! The fast path: one pass over the body, borrowing from it, straight into the batches.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de};

use super::Format;
use super::batch_builder::BatchBuilder;
use super::wire::WireEvent;

/// The body has a problem, which the slow path will name.
#[derive(Debug)]
pub(super) struct Failed;

/// Reads all events of `text` into `builder`.
pub(super) fn read(text: &str, format: Format, builder: &mut BatchBuilder<'_>) -> Result<(), Failed> {
    match format {
        Format::Ndjson => lines(text).try_for_each(|(_, line)| one(line, builder)),
        Format::Json => match text.trim_ascii_start().as_bytes().first() {
            Some(b'[') => whole(text, Events(builder)),
            // An envelope fails as an event at its first member, so trying costs nothing.
            _ => one(text, builder).or_else(|Failed| whole(text, Envelope(builder))),
        },
    }
}

/// The lines of NDJSON that are not blank, with their numbers from 1. A byte order mark in front of
/// a line, as files with marks that were joined have, is passed over.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let trim = str::trim_ascii;
    let lines = (1..).zip(text.split('\n')).map(move |(number, line)| {
        let line = trim(line);
        (number, line.strip_prefix('\u{feff}').map_or(line, trim))
    });
    lines.filter(|(_, line)| !line.is_empty())
}

fn one(text: &str, builder: &mut BatchBuilder<'_>) -> Result<(), Failed> {
    let wire: WireEvent<'_> = serde_json::from_str(text).map_err(|_| Failed)?;
    let event = wire.check().ok_or(Failed)?;
    builder.push(&event).map_err(|_| Failed)
}

fn whole<'de>(text: &'de str, seed: impl DeserializeSeed<'de, Value = ()>) -> Result<(), Failed> {
    let mut json = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut json).and_then(|()| json.end()).map_err(|_| Failed)
}

/// An array of events.
struct Events<'a, 't>(&'a mut BatchBuilder<'t>);

impl<'de> DeserializeSeed<'de> for Events<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Events<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<(), A::Error> {
        while let Some(wire) = events.next_element::<WireEvent<'de>>()? {
            let event = wire.check().ok_or_else(|| A::Error::custom("not an event"))?;
            self.0.push(&event).map_err(|_| A::Error::custom("not taken"))?;
        }
        Ok(())
    }
}

/// `{"events": [...]}`
struct Envelope<'a, 't>(&'a mut BatchBuilder<'t>);

impl<'de> DeserializeSeed<'de> for Envelope<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `events`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if members.next_key::<EventsName>()?.is_none() {
            return Err(A::Error::missing_field("events"));
        }
        members.next_value_seed(Events(self.0))?;
        match members.next_key::<de::IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("members beside `events`")),
        }
    }
}

/// The one member an envelope has.
#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum EventsName {
    Events,
}
