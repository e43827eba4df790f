//! Which events a reader is looking for.

use sekali_store::{TopicSummary, is_reserved};

use super::Filter;
use crate::access::Topics;

/// Which events a reader is looking for, and which it may see.
#[derive(Debug)]
pub struct EventQuery {
    /// Only this topic.
    pub topic: Option<String>,
    /// Only events that match.
    pub filter: Filter,
    /// The topics that the reader is limited to. `None` where `topic` is one of them, or where it
    /// may read all.
    pub limits: Option<Topics>,
}

impl EventQuery {
    /// Whether the events of a topic are looked for, as far as its name says.
    pub fn wants_topic(&self, summary: &TopicSummary) -> bool {
        match (&self.topic, &self.limits) {
            (Some(topic), _) => summary.topic == *topic,
            (None, _) if is_reserved(&summary.topic) => false,
            (None, Some(topics)) => topics.contains(&summary.topic),
            (None, None) => true,
        }
    }
}
