//! Keys of events: topics with event ids.

use std::borrow::Cow;

use sekali_store::{Fingerprint, partition_of};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fast::lines;
use super::problem::{IngestError, Problem, Rejected};
use super::{Format, Target, fields};
use crate::access::Topics;
use sekali_wire::limits::BATCH_EVENTS_MAX;

/// A key as it is written in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEnvelope<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// Reads the keys of a body: an array, or `{"keys": [...]}`, or one a line. Each comes as its
/// partition and its fingerprint.
///
/// # Errors
/// A [`IngestError`], naming every problem up to
/// [`PROBLEMS_LISTED_MAX`](crate::limits::PROBLEMS_LISTED_MAX). A key of a topic that is not among
/// `topics` is one.
pub(crate) fn read_keys(
    body: &[u8],
    format: Format,
    topics: Option<&Topics>,
    target: &Target,
) -> Result<Vec<(u32, Fingerprint)>, IngestError> {
    let text = super::text(body)?;
    let mut keys = KeyList { topics, target, index: 0, found: Vec::new(), rejected: Rejected::default() };
    match format {
        Format::Ndjson => lines(text).try_for_each(|(_, line)| keys.add(line))?,
        Format::Json => {
            let not_json = |error: serde_json::Error| IngestError::NotJson {
                line: error.line(),
                column: error.column(),
                reason: format!("{}; send an array of {{\"topic\", \"event_id\"}}", super::slow::bare(&error)),
            };
            let listed = if text.trim_ascii_start().starts_with('[') {
                serde_json::from_str::<Vec<&RawValue>>(text).map_err(not_json)?
            } else {
                serde_json::from_str::<KeyEnvelope<'_>>(text).map_err(not_json)?.keys
            };
            listed.into_iter().try_for_each(|key| keys.add(key.get()))?;
        }
    }
    if keys.rejected.is_empty() { Ok(keys.found) } else { Err(IngestError::Invalid(keys.rejected)) }
}

struct KeyList<'t> {
    topics: Option<&'t Topics>,
    target: &'t Target,
    index: usize,
    found: Vec<(u32, Fingerprint)>,
    rejected: Rejected,
}

impl KeyList<'_> {
    fn add(&mut self, json: &str) -> Result<(), IngestError> {
        let index = self.index;
        self.index += 1;
        if self.index > BATCH_EVENTS_MAX {
            return Err(IngestError::TooManyEvents);
        }
        let key: WireKey<'_> = match serde_json::from_str(json) {
            Ok(key) => key,
            Err(error) => {
                let reason = format!("is no {{\"topic\", \"event_id\"}}: {}", super::slow::bare(&error));
                self.rejected.note(Problem { index, field: String::new(), reason, too_large: false });
                return Ok(());
            }
        };
        let checks = [("topic", fields::check_topic(&key.topic)), ("event_id", fields::check_event_id(&key.event_id))];
        let mut is_valid = true;
        for (field, check) in checks {
            if let Err(wrong) = check {
                is_valid = false;
                let problem = Problem { index, field: field.to_owned(), reason: wrong.reason, too_large: false };
                self.rejected.note(problem);
            }
        }
        if is_valid && self.topics.is_some_and(|topics| !topics.contains(&key.topic)) {
            return Err(IngestError::Forbidden { index, topic: key.topic.into_owned() });
        }
        let partition = partition_of(&key.topic, self.target.partitions);
        self.found.push((partition, self.target.hasher.fingerprint(&key.topic, &key.event_id)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sekali_store::{HashKey, KeyHasher};

    use super::*;

    fn read(body: &str, format: Format) -> Result<usize, IngestError> {
        let target = Target { hasher: KeyHasher::new(&HashKey([1; 32])), partitions: 2 };
        read_keys(body.as_bytes(), format, None, &target).map(|keys| keys.len())
    }

    #[test]
    fn keys_come_in_an_array_an_envelope_or_lines() {
        let key = r#"{"topic":"t","event_id":"1"}"#;
        assert_eq!(read(&format!("[{key},{key}]"), Format::Json), Ok(2));
        assert_eq!(read(&format!(" {{\"keys\":[{key}]}}"), Format::Json), Ok(1));
        assert_eq!(read(&format!("{key}\n\n{key}\n"), Format::Ndjson), Ok(2));
        assert_eq!(read("[]", Format::Json), Ok(0));
    }

    #[test]
    fn what_is_no_key_is_named_by_its_place() {
        for body in ["", "{}", "[", "5", "{\"keys\":5}"] {
            assert!(matches!(read(body, Format::Json), Err(IngestError::NotJson { .. })), "{body}");
        }
        let body = r#"[{"topic":"t","event_id":"1"},{"topic":"$x","event_id":""},{"topic":"t"},5,
            {"topic":"t","event_id":"1","payload":{}}]"#;
        let Err(IngestError::Invalid(rejected)) = read(body, Format::Json) else { panic!("it was taken") };
        let found: Vec<_> = rejected.problems.iter().map(|problem| (problem.index, &*problem.field)).collect();
        assert_eq!(found, [(1, "topic"), (1, "event_id"), (2, ""), (3, ""), (4, "")]);
    }
}
