//! Conditions on events.

use reqwest::Url;
use sekali_wire::CONFLICTS_TOPIC;

/// Conditions on events, as parameters of a query. Values of one parameter are alternatives;
/// different parameters must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsFilter {
    /// Names and values, such as `not.payload.user.id` and `42`, not encoded.
    pub parameters: Vec<(String, String)>,
}

impl EventsFilter {
    /// Adds a condition.
    #[must_use]
    pub(crate) fn with(mut self, parameter: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((parameter.into(), value.into()));
        self
    }

    /// Returns the filter for the evidence of conflicts with these events, or `None` if this one
    /// asks for evidence itself. Where topics are left out by a pattern, the evidence of these stays.
    pub fn of_evidence(&self) -> Option<Self> {
        let topics: Vec<&str> = self.values("topic").collect();
        if topics == [CONFLICTS_TOPIC] {
            return None;
        }
        let mut evidence = Self::default().with("topic", CONFLICTS_TOPIC);
        match topics.iter().any(|topic| topic.contains('*')) {
            _ if topics.is_empty() => {}
            true => evidence = evidence.with("match.payload.topic", pattern(&topics)),
            false => evidence = topics.iter().fold(evidence, |filter, topic| filter.with("payload.topic", *topic)),
        }
        let others = self.parameters.iter().filter(|(name, _)| name != "topic");
        Some(others.fold(evidence, |filter, (name, value)| match (name.as_str(), value.strip_prefix("payload.")) {
            ("not.topic", _) if value.contains('*') => filter,
            // Evidence keeps the key and the payload of its event in its own payload.
            ("not.topic", _) => filter.with("not.payload.topic", value),
            ("has" | "not.has", Some(path)) => filter.with(name, format!("payload.payload.{path}")),
            _ => filter.with(of_evidence(name), value),
        }))
    }

    fn values<'a>(&'a self, parameter: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(name, _)| name == parameter).map(|(_, value)| value.as_str())
    }

    pub(super) fn append_to(&self, url: &mut Url) {
        // Without a pair this would still add the question mark.
        if !self.parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.parameters);
        }
    }
}

/// The parameter that asks evidence the same: the key and the payload of the event are in the
/// payload of its evidence, all else is the same.
fn of_evidence(name: &str) -> String {
    let (operator, field) = match name.split_once('.') {
        Some((operator @ ("not" | "min" | "below" | "match"), field)) => (format!("{operator}."), field),
        _ => (String::new(), name),
    };
    match field {
        "event_id" => format!("{operator}payload.event_id"),
        _ if field.starts_with("payload.") => format!("{operator}payload.{field}"),
        _ => name.to_owned(),
    }
}

/// A regular expression of these topics, in which `*` stands for any characters.
fn pattern(topics: &[&str]) -> String {
    let mut pattern = String::from("(?s)^(?:");
    for (index, topic) in topics.iter().enumerate() {
        if index > 0 {
            pattern.push('|');
        }
        for char in topic.chars() {
            match char {
                '*' => pattern.push_str(".*"),
                _ if char.is_ascii_punctuation() => pattern.extend(['\\', char]),
                _ => pattern.push(char),
            }
        }
    }
    pattern.push_str(")$");
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_asked_for_by_the_key_and_payload_that_it_keeps() {
        let filter = [
            ("topic", "a"),
            ("topic", "b"),
            ("since", "2025"),
            ("not.source", "s"),
            ("event_id", "1"),
            ("match.event_id", "^2"),
            ("payload.x", "1"),
            ("min.payload.ms", "5"),
            ("has", "payload.user"),
            ("not.topic", "c"),
            ("not.topic", "d*"),
            ("q", "text"),
        ]
        .into_iter()
        .fold(EventsFilter::default(), |filter, (name, value)| filter.with(name, value));
        let asked: Vec<_> = filter.of_evidence().unwrap().parameters;
        let asked: Vec<_> = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("topic", "$conflicts"),
            ("payload.topic", "a"),
            ("payload.topic", "b"),
            ("since", "2025"),
            ("not.source", "s"),
            ("payload.event_id", "1"),
            ("match.payload.event_id", "^2"),
            ("payload.payload.x", "1"),
            ("min.payload.payload.ms", "5"),
            ("has", "payload.payload.user"),
            ("not.payload.topic", "c"),
            ("q", "text"),
        ];
        assert_eq!(asked, expected);
        assert_eq!(EventsFilter::default().with("topic", "$conflicts").of_evidence(), None);
    }

    #[test]
    fn evidence_of_topics_by_pattern_is_found_by_a_regular_expression() {
        let filter = EventsFilter::default().with("topic", "web.*").with("topic", "a");
        let evidence = filter.of_evidence().unwrap();
        assert_eq!(evidence.values("match.payload.topic").collect::<Vec<_>>(), [r"(?s)^(?:web\..*|a)$"]);
    }
}
