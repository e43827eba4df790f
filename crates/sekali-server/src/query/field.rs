//! Fields of events by name: `source`, `received_at`, `payload.user.id`.

use std::borrow::Cow;

use sekali_store::{EventView, StoredEvent, Unread};
use sekali_wire::json::{Decimal, Reader, append_string};
use sekali_wire::timestamp::append_timestamp;

use super::filter::Path;

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Topic,
    EventId,
    Timestamp,
    Source,
    Payload,
    Seq,
    ReceivedAt,
    Place(Path),
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldValue<'e> {
    /// A text, or JSON that is none as it was published.
    Text(Cow<'e, [u8]>),
    /// A number.
    Number(u64),
    /// A time: nanoseconds since 1970-01-01T00:00:00Z.
    Time(i64),
}

/// Names of the fields that are no places in the payload.
const NAMES: [(&str, Kind); 7] = [
    ("topic", Kind::Topic),
    ("event_id", Kind::EventId),
    ("timestamp", Kind::Timestamp),
    ("source", Kind::Source),
    ("payload", Kind::Payload),
    ("seq", Kind::Seq),
    ("received_at", Kind::ReceivedAt),
];

impl Field {
    /// Reads the name of a field: one of those of events, or `payload.` and a path.
    ///
    /// # Errors
    /// It names no field.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let kind = match name.strip_prefix("payload.") {
            Some(path) => Kind::Place(Path::parse(path).map_err(|reason| format!("`{name}` {reason}"))?),
            None => {
                let known = NAMES.into_iter().find(|(known, _)| *known == name);
                let known = known.ok_or_else(|| {
                    let names = NAMES.map(|(name, _)| name).join(", ");
                    format!("`{name}` is no field: there are {names} and payload.<path>")
                });
                known?.1
            }
        };
        Ok(Self { name: name.to_owned(), kind })
    }

    /// Reads names with commas between them, at most `max`, none twice.
    ///
    /// # Errors
    /// One of them names no field, is there twice, or is too many.
    pub(crate) fn parse_list(text: &str, max: usize) -> Result<Vec<Self>, String> {
        let mut fields: Vec<Self> = Vec::new();
        for name in split_list(text) {
            let field = Self::parse(&name)?;
            if fields.contains(&field) {
                return Err(format!("names `{name}` twice"));
            }
            fields.push(field);
        }
        match fields.len() {
            count if count > max => Err(format!("names {count} fields, and may name {max}")),
            _ => Ok(fields),
        }
    }

    /// Every field but the places in the payload.
    pub(crate) fn all() -> Vec<Self> {
        NAMES.map(|(name, kind)| Self { name: name.to_owned(), kind }).to_vec()
    }

    /// How many levels down the payload it leads.
    pub(crate) fn levels(&self) -> usize {
        if let Kind::Place(path) = &self.kind { path.levels() } else { 0 }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the topic.
    pub(crate) fn is_topic(&self) -> bool {
        self.kind == Kind::Topic
    }

    /// Its path, if it is a place of the payload; an empty one, if it is the source.
    pub(super) fn place(&self) -> Option<String> {
        match &self.kind {
            Kind::Place(path) => Some(path.text()),
            Kind::Source => Some(String::new()),
            _ => None,
        }
    }

    /// Writes a text at that path to the end of `out`, as [`Field::append_key`] does. `false` if
    /// there is none.
    pub(super) fn append_text(&self, text: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
        match (&self.kind, text) {
            (_, None) => return false,
            (Kind::Source, Some(source)) => append_string(out, std::str::from_utf8(source).unwrap_or_default()),
            (_, Some(text)) => append_canonical(text, out),
        }
        true
    }

    /// The columns that it is not in.
    pub(super) fn unread(&self) -> Unread {
        Unread {
            event_ids: self.kind != Kind::EventId,
            sources: self.kind != Kind::Source,
            payloads: !matches!(self.kind, Kind::Payload | Kind::Place(_)),
        }
    }

    /// Its value in a payload, as JSON text. `None` if it is no place of the payload, or not there.
    pub(crate) fn in_payload<'e>(&self, payload: &'e [u8]) -> Option<&'e [u8]> {
        if let Kind::Place(path) = &self.kind { path.find(payload) } else { None }
    }

    /// Its value. `None` if the event does not have it.
    pub(crate) fn value<'e>(&self, event: &'e StoredEvent) -> Option<FieldValue<'e>> {
        let text = |text: &'e str| FieldValue::Text(Cow::Borrowed(text.as_bytes()));
        Some(match &self.kind {
            Kind::Topic => text(&event.topic),
            Kind::EventId => text(&event.event_id),
            Kind::Source => text(&event.source),
            Kind::Payload => FieldValue::Text(Cow::Borrowed(&event.payload)),
            Kind::Seq => FieldValue::Number(event.seq),
            Kind::Timestamp => FieldValue::Time(event.timestamp_ns),
            Kind::ReceivedAt => FieldValue::Time(event.received_at_ns),
            Kind::Place(path) => FieldValue::Text(plain_text(path.find(&event.payload)?)),
        })
    }

    /// Writes its value to the end of `out` as JSON, as it was published. `false` if the event does
    /// not have it.
    pub(crate) fn append_json(&self, event: &EventView<'_>, out: &mut Vec<u8>) -> bool {
        match &self.kind {
            Kind::Topic => append_string(out, event.topic),
            Kind::EventId => append_string(out, event.event_id),
            Kind::Source => append_string(out, event.source),
            Kind::Payload => out.extend_from_slice(event.payload),
            Kind::Seq => out.extend_from_slice(event.seq.to_string().as_bytes()),
            Kind::Timestamp => append_time(out, event.timestamp_ns),
            Kind::ReceivedAt => append_time(out, event.received_at_ns),
            Kind::Place(path) => match path.find(event.payload) {
                Some(value) => out.extend_from_slice(value),
                None => return false,
            },
        }
        true
    }

    /// Writes its value as JSON in the one spelling that all equal values have. `false` if the
    /// event does not have it.
    pub(crate) fn append_key(&self, event: &EventView<'_>, out: &mut Vec<u8>) -> bool {
        match &self.kind {
            Kind::Place(path) => path.find(event.payload).map(|value| append_canonical(value, out)).is_some(),
            _ => self.append_json(event, out),
        }
    }
}

/// A string without quotes and escapes, unless it has no such text; other JSON as it is.
fn plain_text(value: &[u8]) -> Cow<'_, [u8]> {
    let text = if value.first() == Some(&b'"') { Reader::new(value).string() } else { None };
    // Half a surrogate pair has no other spelling than an escape.
    text.filter(|text| std::str::from_utf8(text).is_ok()).unwrap_or(Cow::Borrowed(value))
}

/// Splits at commas; `\,` is a comma of a name.
fn split_list(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            ',' => names.push(std::mem::take(&mut name)),
            '\\' if chars.peek() == Some(&',') => name.extend(chars.next()),
            char => name.push(char),
        }
    }
    names.push(name);
    names
}

fn append_time(out: &mut Vec<u8>, ns: i64) {
    out.push(b'"');
    append_timestamp(out, ns);
    out.push(b'"');
}

/// Writes a JSON value to the end of `out` so that equal strings and numbers are equal bytes.
/// Objects and arrays stay as they are.
pub(super) fn append_canonical(value: &[u8], out: &mut Vec<u8>) {
    match value.first() {
        Some(b'"') if value.contains(&b'\\') => {
            let text = Reader::new(value).string().unwrap_or(Cow::Borrowed(value));
            match std::str::from_utf8(&text) {
                Ok(text) => append_string(out, text),
                // Half a surrogate pair has no other spelling than an escape.
                Err(_) => out.extend_from_slice(value),
            }
        }
        Some(b'0'..=b'9' | b'-') if !is_plain_integer(value) => match Decimal::parse(value) {
            Some(number) => number.append_plain(out),
            None => out.extend_from_slice(value),
        },
        _ => out.extend_from_slice(value),
    }
}

/// Whether a number is an integer that is canonical as it is.
fn is_plain_integer(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    number == b"0" || (digits.len() < 18 && digits.first() != Some(&b'0') && digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::test_event::test_event;

    fn show(name: &str, write: fn(&Field, &EventView<'_>, &mut Vec<u8>) -> bool) -> Option<String> {
        let mut event = test_event(r#"{"n":5.0,"s":"\u0061\n","o":{"a":1},"half":"\ud800","z":null,"a.b":1}"#);
        event.event_id = "a\"b".to_owned();
        let mut out = Vec::new();
        write(&Field::parse(name).unwrap(), &event.view(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn values_are_json_or_a_key() {
        for (name, json, key) in [
            ("topic", "\"web.access\"", "\"web.access\""),
            ("event_id", "\"a\\\"b\"", "\"a\\\"b\""),
            ("seq", "7", "7"),
            ("received_at", "\"1970-01-01T00:00:01.5Z\"", "\"1970-01-01T00:00:01.5Z\""),
            ("payload.n", "5.0", "5"),
            ("payload.s", "\"\\u0061\\n\"", "\"a\\n\""),
            ("payload.o", "{\"a\":1}", "{\"a\":1}"),
            ("payload.half", "\"\\ud800\"", "\"\\ud800\""),
            ("payload.z", "null", "null"),
            ("payload.a\\.b", "1", "1"),
        ] {
            assert_eq!(show(name, Field::append_json).as_deref(), Some(json), "{name}");
            assert_eq!(show(name, Field::append_key).as_deref(), Some(key), "{name}");
        }
        assert_eq!(show("payload.missing", Field::append_json), None);
    }

    #[test]
    fn values_are_text_without_escapes_where_there_is_such_a_text() {
        let event = test_event(r#"{"n":5.0,"s":"\u0061\n","o":{"a": 1},"half":"\ud800","z":null}"#);
        for (name, text) in [("n", "5.0"), ("s", "a\n"), ("o", "{\"a\": 1}"), ("half", "\"\\ud800\""), ("z", "null")] {
            let value = Field::parse(&format!("payload.{name}")).unwrap().value(&event);
            assert_eq!(value, Some(FieldValue::Text(text.as_bytes().into())), "{name}");
        }
        assert_eq!(Field::parse("payload.missing").unwrap().value(&event), None);
        assert_eq!(Field::parse("seq").unwrap().value(&event), Some(FieldValue::Number(7)));
        assert_eq!(Field::parse("timestamp").unwrap().value(&event), Some(FieldValue::Time(event.timestamp_ns)));
    }

    #[test]
    fn lists_of_fields_are_read_strictly() {
        assert_eq!(Field::parse_list("topic,payload.a\\,b", 2).unwrap().len(), 2);
        for wrong in ["", "topic,", "topics", "topic,topic", "topic,source,seq", "payload.", "payload.a!"] {
            assert!(Field::parse_list(wrong, 2).is_err(), "{wrong}");
        }
    }
}
