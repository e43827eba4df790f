//! Records of any shape as events, for programs that read files themselves. Places, times and ids
//! are those of `POST /ingest`; but what a record lacks is an error here, since somebody looks.

use std::borrow::Cow;

use crate::identity::{Pointers, declared_id};
use crate::protocols::time_of_json;

/// Where the parts of events are in records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    topic: Template,
    source: Template,
    id: Option<Place>,
    time: Option<Place>,
}

/// The parts of the event that a record is; its payload is the record itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The topic.
    pub topic: String,
    /// The id that the record has, if it was said where.
    pub id: Option<String>,
    /// The time that it has, if it was said where, in nanoseconds since 1970.
    pub time_ns: Option<i64>,
    /// The source.
    pub source: String,
}

/// Places of which the first that has a value counts, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    text: String,
    pointers: Pointers,
}

/// Text with places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

impl Mapping {
    /// Topic and source are text in which `{place}` stands for a value. A place is the name of a
    /// member or column, or a JSON pointer; several have commas between them.
    ///
    /// # Errors
    /// The part, a colon and the reason why it cannot be read.
    pub fn new(topic: &str, source: &str, id: Option<&str>, timestamp: Option<&str>) -> Result<Self, String> {
        let of =
            |name: &str, text: Option<&str>| text.map(Place::parse).transpose().map_err(|why| format!("{name}: {why}"));
        let template = |name: &str, text: &str| Template::parse(text).map_err(|why| format!("{name}: {why}"));
        if topic.is_empty() {
            return Err("topic: must not be empty".to_owned());
        }
        Ok(Self {
            topic: template("topic", topic)?,
            source: template("source", source)?,
            id: of("id", id)?,
            time: of("timestamp", timestamp)?,
        })
    }

    /// The parts of the event that this record is, given as JSON.
    ///
    /// # Errors
    /// The reason why it is none.
    pub fn parts(&self, record: &[u8]) -> Result<Mapped, String> {
        if record.trim_ascii_start().first() != Some(&b'{') {
            return Err("not a JSON object".to_owned());
        }
        let id = self.id.as_ref().map(|place| {
            let id = place.pointers.text(record).filter(|id| !id.is_empty());
            id.map(|id| declared_id(&id).into()).ok_or_else(|| format!("has no id at {}", place.text))
        });
        let time = self.time.as_ref().map(|place| {
            let value = place.pointers.find(record).ok_or_else(|| format!("has no time at {}", place.text))?;
            time_of_json(value).ok_or_else(|| {
                let value: String = String::from_utf8_lossy(value).chars().take(SHOWN_CHARS_MAX).collect();
                format!("has no time that is understood at {}: {value}", place.text)
            })
        });
        let topic = self.topic.of(record).map_err(|place| format!("has no value for the topic at {place}"))?;
        let source = self.source.of(record).unwrap_or_default();
        Ok(Mapped { topic, id: id.transpose()?, time_ns: time.transpose()?, source })
    }

    /// Which columns of a table have parts of their own, and so need not be in the payload.
    ///
    /// # Errors
    /// A place that is no column.
    pub fn columns(&self, header: &[String]) -> Result<Vec<bool>, String> {
        let mut is_part = vec![false; header.len()];
        let in_templates = [&self.topic, &self.source].into_iter().flat_map(|template| &template.0);
        let in_templates = in_templates.filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Place(place) => Some(place),
        });
        for place in self.id.iter().chain(&self.time).chain(in_templates) {
            let column = |steps: &Vec<String>| match steps.as_slice() {
                [name] => header.iter().position(|column| column == name),
                _ => None,
            };
            let found: Vec<usize> = place.pointers.steps().iter().filter_map(column).collect();
            if found.is_empty() {
                return Err(format!("no column {}: the header has {}", place.text, header.join(", ")));
            }
            is_part.iter_mut().enumerate().for_each(|(at, is_part)| *is_part |= found.contains(&at));
        }
        Ok(is_part)
    }
}

/// Longest piece of a value that an error shows, in characters.
const SHOWN_CHARS_MAX: usize = 40;

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        let pointer = |place: &str| match place.trim() {
            "" => Err("a place is empty".to_owned()),
            place if place.starts_with('/') => Ok(place.to_owned()),
            name => Ok(format!("/{}", name.replace('~', "~0").replace('/', "~1"))),
        };
        let pointers = text.split(',').map(pointer).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text: text.to_owned(), pointers: Pointers::parse(&pointers.join(","))? })
    }
}

impl Template {
    fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').ok_or("a `{` has no `}` behind it")?;
            parts.extend((!before.is_empty()).then(|| Part::Text(before.to_owned())));
            parts.push(Part::Place(Place::parse(place)?));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        Ok(Self(parts))
    }

    /// The text, or the place that has no value.
    fn of(&self, record: &[u8]) -> Result<String, &str> {
        let part = |part: &'_ Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Place(place) => place.pointers.text(record).filter(|text| !text.is_empty()).map(Cow::into_owned),
        };
        let mut whole = String::new();
        for piece in &self.0 {
            match (part(piece), piece) {
                (Some(text), _) => whole.push_str(&text),
                (None, Part::Place(place)) => return Err(&place.text),
                (None, Part::Text(_)) => {}
            }
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_where_it_was_said() {
        let mapping = Mapping::new("web.{service}", "{/host/name}", Some("request_id,/id"), Some("ts")).unwrap();
        let record = br#"{"service":"shop","host":{"name":"h"},"id":7,"ts":"1761339600123"}"#;
        let expected = Mapped {
            topic: "web.shop".to_owned(),
            id: Some("7".to_owned()),
            time_ns: Some(1_761_339_600_123_000_000),
            source: "h".to_owned(),
        };
        assert_eq!(mapping.parts(record), Ok(expected));
        // As from `POST /ingest`: an id of a record is never taken for one that was derived.
        let own = mapping.parts(br#"{"service":"s","id":"r:x","ts":0}"#).unwrap();
        assert_eq!((own.id.as_deref(), own.source.as_str()), (Some("d:r:x"), ""));
    }

    #[test]
    fn a_record_that_lacks_a_part_says_which() {
        let mapping = Mapping::new("{service}", "", Some("id"), Some("/t/s")).unwrap();
        for (record, reason) in [
            ("[]", "not a JSON object"),
            (r#"{"service":"s","t":{"s":1}}"#, "has no id at id"),
            (r#"{"service":"s","id":"","t":{"s":1}}"#, "has no id at id"),
            (r#"{"service":"s","id":1}"#, "has no time at /t/s"),
            (r#"{"service":"s","id":1,"t":{"s":"soon"}}"#, r#"has no time that is understood at /t/s: "soon""#),
            (r#"{"service":null,"id":1,"t":{"s":1}}"#, "has no value for the topic at service"),
        ] {
            assert_eq!(mapping.parts(record.as_bytes()).unwrap_err(), reason, "{record}");
        }
    }

    #[test]
    fn columns_are_found_by_name() {
        let header = ["a/b", "time", "x"].map(str::to_owned);
        let mapping = Mapping::new("t", "", Some("missing,a/b"), Some("/time")).unwrap();
        assert_eq!(mapping.columns(&header), Ok(vec![true, true, false]));
        for (topic, id) in [("{none}", None), ("t", Some("/x/y")), ("t", Some("none,nor"))] {
            let error = Mapping::new(topic, "", id, None).unwrap().columns(&header).unwrap_err();
            assert!(error.starts_with("no column ") && error.ends_with("the header has a/b, time, x"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (topic, id) in [("", None), ("{a", None), ("{}", None), ("t", Some("")), ("t", Some("a,"))] {
            let error = Mapping::new(topic, "", id, None).unwrap_err();
            assert!(error.starts_with("topic: ") || error.starts_with("id: "), "{error}");
        }
    }
}
