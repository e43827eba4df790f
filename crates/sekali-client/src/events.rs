//! Queries for reading and counting events.

use reqwest::Url;

/// Conditions on events, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsFilter {
    /// Only this topic.
    pub topic: Option<String>,
    /// Only events at or after this time, in a format that the server reads.
    pub since: Option<String>,
    /// Only events before this time.
    pub until: Option<String>,
    /// Only this source.
    pub source: Option<String>,
    /// Only this id.
    pub event_id: Option<String>,
    /// Paths into the payload, and the values there.
    pub payload: Vec<(String, String)>,
    /// Text anywhere in the payload.
    pub text: Option<String>,
}

/// The page of events to request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsQuery {
    /// Conditions on the events.
    pub filter: EventsFilter,
    /// Only events after this cursor.
    pub after: Option<String>,
    /// Newest first.
    pub descending: bool,
    /// The most events of the page.
    pub limit: u64,
}

impl EventsFilter {
    /// What asks for the evidence of conflicts with these events; `None` if this asks for evidence
    /// itself.
    pub fn of_evidence(&self) -> Option<Self> {
        let Self { topic, since, until, source, event_id, payload, text } = self.clone();
        if topic.as_deref() == Some(sekali_wire::CONFLICTS_TOPIC) {
            return None;
        }
        // It keeps the key and the payload of the event in its own payload.
        let mut conditions: Vec<_> =
            payload.into_iter().map(|(path, value)| (format!("payload.{path}"), value)).collect();
        conditions.extend(topic.map(|topic| ("topic".to_owned(), topic)));
        conditions.extend(event_id.map(|event_id| ("event_id".to_owned(), event_id)));
        let topic = Some(sekali_wire::CONFLICTS_TOPIC.to_owned());
        Some(Self { topic, since, until, source, event_id: None, payload: conditions, text })
    }

    pub(super) fn append_to(&self, url: &mut Url) {
        let Self { topic, since, until, source, event_id, payload, text } = self;
        let single = [
            ("topic", topic),
            ("since", since),
            ("until", until),
            ("source", source),
            ("event_id", event_id),
            ("q", text),
        ];
        let mut pairs = url.query_pairs_mut();
        pairs.extend_pairs(single.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        pairs.extend_pairs(payload.iter().map(|(path, value)| (format!("payload.{path}"), value)));
    }
}

impl EventsQuery {
    pub(super) fn append_to(&self, url: &mut Url) {
        url.query_pairs_mut()
            .append_pair("limit", &self.limit.to_string())
            .append_pair("order", if self.descending { "desc" } else { "asc" });
        self.filter.append_to(url);
        url.query_pairs_mut().extend_pairs(self.after.as_ref().map(|after| ("after", after)));
    }
}
