//! Which events a reader is looking for.

use sekali_store::{EventView, TopicSummary, Unread};

use super::{Filter, FilterBuilder, TopicConditions, WrongFilter};
use crate::access::Topics;

/// Which events a reader is looking for, and which it may see.
#[derive(Debug, Default)]
pub struct EventQuery {
    /// Only events of these topics.
    pub topics: TopicConditions,
    /// Only events that match.
    pub filter: Filter,
    /// The topics that the reader is limited to. `None` where it may read all that it names.
    pub limits: Option<Topics>,
}

impl EventQuery {
    /// Reads filter parameters, names with values, for a reader without limits.
    ///
    /// # Errors
    /// The first parameter that is wrong.
    pub fn parse<'p>(
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
        now_ns: i64,
    ) -> Result<Self, WrongFilter> {
        let mut builder = FilterBuilder::new(now_ns);
        for (name, value) in parameters {
            builder.add(name, value)?;
        }
        let (topics, filter) = builder.build()?;
        Ok(Self { topics, filter, limits: None })
    }

    /// All events of one topic, for a reader without limits.
    pub(crate) fn of_topic(topic: &str) -> Self {
        let mut topics = TopicConditions::default();
        topics.limit_to(topic);
        Self { topics, filter: Filter::default(), limits: None }
    }

    /// Whether events of `topic` are wanted and may be seen.
    pub fn wants(&self, topic: &str) -> bool {
        self.topics.contain(topic) && self.limits.as_ref().is_none_or(|limits| limits.contains(topic))
    }

    /// Whether the events of a topic are looked for, as far as its name says.
    pub fn wants_topic(&self, summary: &TopicSummary) -> bool {
        self.wants(&summary.topic)
    }

    /// Whether an event is wanted and may be seen.
    pub fn matches(&self, event: &EventView<'_>) -> bool {
        self.wants(event.topic) && self.filter.matches(event)
    }

    /// The same of an event that is known to meet the conditions on payloads.
    pub(super) fn matches_beside_payload(&self, event: &EventView<'_>) -> bool {
        self.wants(event.topic) && self.filter.matches_beside_payload(event)
    }

    /// Whether topics, times, sources and payloads are all that it looks at.
    pub(super) fn is_of_columns(&self) -> bool {
        // Before the first moment there is no range of times that is empty.
        self.filter.unread().event_ids && self.filter.until_ns != Some(i64::MIN)
    }

    /// Of the columns that its reader does not look at, those that it does not look at either.
    pub(super) fn unread(&self, reader: Unread) -> Unread {
        let own = self.filter.unread();
        Unread {
            event_ids: reader.event_ids && own.event_ids,
            sources: reader.sources && own.sources,
            payloads: reader.payloads && own.payloads,
        }
    }
}
