//! The slow path: names every problem of a body, and keeps the valid events if the client asked for
//! that.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::batch_builder::{Accepted, BatchBuilder, PushError, Target};
use super::fast::lines;
use super::members::{ENVELOPE, EVENT, Members};
use super::problem::{IngestError, Problem, Rejected};
use super::wire::WireEvent;
use super::{Format, Options, diagnosis};
use sekali_wire::json::quoting_hint;
use sekali_wire::limits::BATCH_EVENTS_MAX;

/// Reads all events of `text`, looking closely.
pub(super) fn read(text: &str, format: Format, options: Options<'_>, target: &Target) -> Result<Accepted, IngestError> {
    let builder = BatchBuilder::new(target, options, text.len());
    let mut judge = Judge { builder, rejected: Rejected::default(), index: 0 };
    match format {
        Format::Ndjson => read_lines(text, options, &mut judge)?,
        Format::Json => read_json(text, &mut judge)?,
    }
    if judge.rejected.is_empty() || options.skip_invalid {
        Ok(judge.builder.finish(judge.rejected))
    } else {
        Err(IngestError::Invalid(judge.rejected))
    }
}

/// Sorts events into valid and invalid ones.
struct Judge<'t> {
    builder: BatchBuilder<'t>,
    rejected: Rejected,
    index: usize,
}

impl Judge<'_> {
    /// Judges an event, given as valid JSON text.
    fn event(&mut self, json: &str) -> Result<(), IngestError> {
        let wire = serde_json::from_str::<WireEvent<'_>>(json);
        if let Some(event) = wire.as_ref().ok().and_then(WireEvent::check) {
            let index = self.index;
            self.count()?;
            return self.builder.push(&event).map_err(|unfit| match unfit {
                PushError::Full => IngestError::TooManyEvents,
                PushError::Forbidden => IngestError::Forbidden { index, topic: event.topic.to_owned() },
            });
        }
        let (index, rejected) = (self.index, &mut self.rejected);
        diagnosis::diagnose(json, |field, wrong| {
            let field = field.to_owned();
            rejected.note(Problem { index, field, reason: wrong.reason, too_large: wrong.too_large });
        });
        self.count()
    }

    /// Rejects an event as a whole.
    fn reject(&mut self, reason: String) -> Result<(), IngestError> {
        self.rejected.note(Problem { index: self.index, field: String::new(), reason, too_large: false });
        self.count()
    }

    fn count(&mut self) -> Result<(), IngestError> {
        self.index += 1;
        if self.index > BATCH_EVENTS_MAX { Err(IngestError::TooManyEvents) } else { Ok(()) }
    }
}

fn read_lines(text: &str, options: Options<'_>, judge: &mut Judge<'_>) -> Result<(), IngestError> {
    for (number, line) in lines(text) {
        let Err(error) = serde_json::from_str::<IgnoredAny>(line) else {
            judge.event(line)?;
            continue;
        };
        let reason = with_hint(bare(&error), quoting_hint(line.as_bytes()));
        if !options.skip_invalid {
            return Err(IngestError::NotJson { line: number, column: error.column(), reason });
        }
        judge.reject(format!("line {number} is not JSON: {reason}"))?;
    }
    Ok(())
}

fn read_json(text: &str, judge: &mut Judge<'_>) -> Result<(), IngestError> {
    // From here on the text is known to be JSON.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        let is_ndjson = is_followed_by_an_object(text);
        let hint = is_ndjson.then_some("for one event a line send application/x-ndjson");
        let reason = with_hint(bare(&error), hint.or_else(|| quoting_hint(text.as_bytes())));
        IngestError::NotJson { line: error.line(), column: error.column(), reason }
    })?;
    let text = text.trim_ascii();
    if text.starts_with('[') {
        return read_array(text, judge);
    }
    if !text.starts_with('{') {
        return judge.event(text);
    }
    let envelope = Members::of(text, &ENVELOPE);
    match envelope.get("events") {
        // Without `events` it is an event; with members of both it is taken for the one it has more
        // members of.
        None => judge.event(text),
        Some(_) if Members::of(text, &EVENT).known() > 1 => judge.event(text),
        Some(events) => read_envelope(&envelope, events, judge),
    }
}

fn with_hint(reason: String, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{reason}; {hint}"),
        None => reason,
    }
}

/// Whether a second object stands behind the first one: most often the text is NDJSON.
fn is_followed_by_an_object(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let first = values.next().is_some_and(|value| value.is_ok());
    first && text.get(values.byte_offset()..).is_some_and(|rest| rest.trim_ascii_start().starts_with('{'))
}

/// `{"events": [...]}`: a broken envelope refuses the request, even with `invalid=skip`.
fn read_envelope(envelope: &Members<'_>, events: &str, judge: &mut Judge<'_>) -> Result<(), IngestError> {
    let mut broken = Rejected::default();
    let mut note = |field: &str, reason: &str| {
        broken.note(Problem { index: 0, field: field.to_owned(), reason: reason.to_owned(), too_large: false });
    };
    if !events.starts_with('[') {
        note("events", "must be an array of events");
    }
    for name in &envelope.repeated {
        note(name, "must be given once");
    }
    for name in &envelope.unknown {
        note(name, "unknown member beside `events`");
    }
    if broken.is_empty() { read_array(events, judge) } else { Err(IngestError::Invalid(broken)) }
}

fn read_array(text: &str, judge: &mut Judge<'_>) -> Result<(), IngestError> {
    let mut refusal = None;
    let each = Each(|json| judge.event(json).map_err(|error| refusal = Some(error)));
    let end = serde_json::Deserializer::from_str(text).deserialize_seq(each);
    match (refusal, end) {
        (Some(refusal), _) => Err(refusal),
        (None, Err(error)) => {
            Err(IngestError::NotJson { line: error.line(), column: error.column(), reason: bare(&error) })
        }
        (None, Ok(())) => Ok(()),
    }
}

/// Hands out the elements of an array as text, until the callback stops it.
struct Each<F>(F);

impl<'de, F: FnMut(&'de str) -> Result<(), ()>> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&'de RawValue>()? {
            (self.0)(element.get()).map_err(|()| serde::de::Error::custom("stopped"))?;
        }
        Ok(())
    }
}

/// The message of `serde_json` without the place, which the answer has on its own.
pub(super) fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
