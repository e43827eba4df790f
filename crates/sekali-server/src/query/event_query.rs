//! Which events a reader is looking for.

use sekali_store::TopicSummary;

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
    pub fn matches(&self, event: &sekali_store::StoredEvent) -> bool {
        self.wants(&event.topic) && self.filter.matches(event)
    }
}
