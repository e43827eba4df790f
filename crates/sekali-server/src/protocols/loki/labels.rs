//! The labels of a stream.

use sekali_wire::json::{Reader, append_string};

use crate::identity::text_of;
use crate::protocols::json::{append_name, members};

/// Labels that tell the topic, and those that tell the source; the first that is there counts.
const TOPICS: [&str; 4] = ["job", "app", "service_name", "service"];
const SOURCES: [&str; 4] = ["host", "hostname", "instance", "node"];

/// The labels of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labels {
    /// A JSON object of them.
    pub(super) json: Vec<u8>,
    pub(super) topic: Option<String>,
    pub(super) source: Option<String>,
}

impl Labels {
    /// Those of a JSON object.
    pub(super) fn of_json(object: &[u8]) -> Self {
        let mut json = b"{".to_vec();
        let (mut topic, mut source) = (Best::default(), Best::default());
        for (name, value) in members(object) {
            append_name(&mut json, &name);
            json.extend_from_slice(value);
            if let Some(text) = text_of(value).filter(|text| !text.is_empty()) {
                topic.offer(&TOPICS, &name, &text);
                source.offer(&SOURCES, &name, &text);
            }
        }
        json.push(b'}');
        Self { json, topic: topic.text, source: source.text }
    }

    /// Those of a selector: `{job="app", host="a"}`. `None` if it is none.
    pub(super) fn of_selector(selector: &str) -> Option<Self> {
        let mut rest = selector.trim().strip_prefix('{')?.trim_start();
        let mut json = b"{".to_vec();
        while !rest.starts_with('}') {
            let (name, after) = rest.split_once('=')?;
            let mut reader = Reader::new(after.as_bytes());
            let value = reader.skip_value().filter(|value| value.starts_with(b"\""))?;
            let text = String::from_utf8(Reader::new(value).string()?.into_owned()).ok()?;
            append_name(&mut json, name.trim());
            append_string(&mut json, &text);
            rest = after.trim_start().get(value.len()..)?.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        json.push(b'}');
        (rest == "}").then(|| Self::of_json(&json))
    }
}

/// The value of the first of several names.
#[derive(Default)]
struct Best {
    rank: Option<usize>,
    text: Option<String>,
}

impl Best {
    fn offer(&mut self, names: &[&str], name: &str, text: &str) {
        let Some(rank) = names.iter().position(|known| *known == name) else { return };
        if self.rank.is_none_or(|best| rank < best) {
            *self = Self { rank: Some(rank), text: Some(text.to_owned()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_read_like_the_object_that_it_means() {
        let selector = r#"{ app="web", host="a\"}b" ,job="blue",}"#;
        let labels = Labels::of_selector(selector).unwrap();
        assert_eq!(labels.json, br#"{"app":"web","host":"a\"}b","job":"blue"}"#);
        assert_eq!((labels.topic.as_deref(), labels.source.as_deref()), (Some("blue"), Some("a\"}b")));
        assert_eq!(Labels::of_selector("{}").unwrap().json, b"{}");
        for wrong in ["", "app", "{app}", "{app=}", "{app=\"x}", "{app=\"x\"", "{app=\"x\"}y", "{app=1}"] {
            assert_eq!(Labels::of_selector(wrong), None, "{wrong}");
        }
    }
}
