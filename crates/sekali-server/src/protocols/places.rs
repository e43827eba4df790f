//! Where a request finds topic, id, time and source of its events: by its protocol, unless it says
//! so itself in its query or headers.

use std::borrow::Cow;

use super::times;
use super::{Asked, Refusal};
use crate::identity::Pointers;
use crate::ingest::Draft;

/// Where the id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum IdPlace {
    /// From where the protocol has it.
    Protocol,
    /// From the first of these places that has a value, or else from the protocol.
    Pointers(Pointers),
    /// From the content.
    Content,
}

/// A topic, perhaps with places of the record in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TopicTemplate(Vec<TopicPart>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum TopicPart {
    Text(String),
    Place(Pointers),
}

/// Where the parts of an event are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    id: IdPlace,
    topic: Option<TopicTemplate>,
    time: Option<Pointers>,
    source: Option<Pointers>,
}

/// The parts of an event by its protocol, where it has any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults<'a> {
    pub(super) topic: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) time_ns: Option<i64>,
    pub(super) source: &'a str,
}

/// The parts of an event.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    topic: Cow<'a, str>,
    id: Option<Cow<'a, str>>,
    time_ns: Option<i64>,
    source: Cow<'a, str>,
}

/// Stands in a topic for a place that has no value.
const UNKNOWN: &str = "unknown";

impl Places {
    /// Those that a request names.
    ///
    /// # Errors
    /// One of its settings cannot be read.
    pub(super) fn of(asked: &Asked) -> Result<Self, Refusal> {
        let pointers = |name: &str| {
            let text = asked.setting(name);
            text.map(|text| Pointers::parse(text).map_err(|reason| Refusal::setting(name, &reason))).transpose()
        };
        let id = match asked.setting("id") {
            None => IdPlace::Protocol,
            Some("content") => IdPlace::Content,
            Some(_) => pointers("id")?.map_or(IdPlace::Protocol, IdPlace::Pointers),
        };
        let topic = asked.setting("topic").map(TopicTemplate::parse).transpose();
        let topic = topic.map_err(|reason| Refusal::setting("topic", &reason))?;
        Ok(Self { id, topic, time: pointers("timestamp")?, source: pointers("source")? })
    }

    /// Whether ids come from the content.
    pub(super) fn by_content(&self) -> bool {
        self.id == IdPlace::Content
    }

    /// The parts of the event that this record is, given as JSON.
    pub(super) fn parts<'a>(&self, record: &'a [u8], defaults: Defaults<'a>) -> Parts<'a> {
        let id = match &self.id {
            IdPlace::Content => None,
            IdPlace::Protocol => defaults.id.map(Cow::Borrowed),
            IdPlace::Pointers(pointers) => pointers.text(record).or(defaults.id.map(Cow::Borrowed)),
        };
        let topic = self.topic.as_ref().map_or(Cow::Borrowed(defaults.topic), |topic| topic.of(record).into());
        let time_ns = match &self.time {
            None => defaults.time_ns,
            Some(pointers) => pointers.find(record).and_then(times::of_json),
        };
        let source = self.source.as_ref().and_then(|pointers| pointers.text(record));
        Parts { topic, id, time_ns, source: source.unwrap_or(Cow::Borrowed(defaults.source)) }
    }
}

impl Parts<'_> {
    /// The event with this payload.
    pub(super) fn draft<'s>(&'s self, payload: &'s [u8]) -> Draft<'s> {
        Draft {
            topic: &self.topic,
            id: self.id.as_deref(),
            time_ns: self.time_ns,
            source: shortened(&self.source),
            payload,
        }
    }
}

/// A source that is too long is cut: it only says where an event comes from.
fn shortened(source: &str) -> &str {
    use sekali_store::limits::SOURCE_BYTES_MAX;
    let end = (0..=source.len().min(SOURCE_BYTES_MAX)).rev().find(|end| source.is_char_boundary(*end));
    source.get(..end.unwrap_or_default()).unwrap_or_default()
}

impl TopicTemplate {
    /// Reads `web.{/kubernetes/namespace_name}`.
    fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').ok_or("a `{` has no `}` behind it")?;
            parts.extend((!before.is_empty()).then(|| TopicPart::Text(before.to_owned())));
            parts.push(TopicPart::Place(Pointers::parse(place)?));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| TopicPart::Text(rest.to_owned())));
        if parts.is_empty() { Err("must not be empty".to_owned()) } else { Ok(Self(parts)) }
    }

    fn of(&self, record: &[u8]) -> String {
        let part = |part: &TopicPart| match part {
            TopicPart::Text(text) => text.clone(),
            TopicPart::Place(place) => place.text(record).map_or_else(|| UNKNOWN.to_owned(), Cow::into_owned),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderMap;

    use super::*;

    fn places(query: &str) -> Result<Places, Refusal> {
        Places::of(&Asked::new("/", Vec::new(), Some(query), HeaderMap::new()))
    }

    #[test]
    fn a_request_says_where_its_parts_are() {
        let record = br#"{"k":{"ns":"blue"},"id":7,"ts":1700000000,"host":"h"}"#;
        let defaults = Defaults { topic: "d", id: Some("own"), time_ns: Some(1), source: "s" };
        let places = places("topic=web.{/k/ns}.{/none}&id=/x,/id&timestamp=/ts&source=/host").unwrap();
        let parts = places.parts(record, defaults);
        let draft = parts.draft(record);
        assert_eq!((draft.topic, draft.id, draft.source), ("web.blue.unknown", Some("7"), "h"));
        assert_eq!(draft.time_ns, Some(1_700_000_000_000_000_000));
    }

    #[test]
    fn what_it_does_not_say_comes_from_the_protocol() {
        let defaults = Defaults { topic: "d", id: Some("own"), time_ns: Some(1), source: "s" };
        let places = places("id=/missing").unwrap();
        let parts = places.parts(b"{}", defaults);
        let draft = parts.draft(b"{}");
        assert_eq!((draft.topic, draft.id, draft.time_ns, draft.source), ("d", Some("own"), Some(1), "s"));
    }

    #[test]
    fn settings_that_cannot_be_read_are_refused() {
        for wrong in ["id=x", "id=", "topic=", "topic=a{/b", "topic={b}", "timestamp=ts", "source=host"] {
            assert!(places(wrong).is_err(), "{wrong}");
        }
        assert!(places("id=content").unwrap().by_content());
    }
}
