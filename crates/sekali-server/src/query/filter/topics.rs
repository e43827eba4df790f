//! Which topics a query is about.

use sekali_store::{TopicPattern, is_reserved};

/// Topics that are wanted, and topics that are left out. Without either, all but the reserved
/// ones.
#[derive(Debug, Default, Clone)]
pub struct TopicConditions {
    any: Vec<TopicPattern>,
    none: Vec<TopicPattern>,
}

impl TopicConditions {
    /// Adds topics that are wanted: a name, or a pattern where it has a `*`.
    pub(super) fn want(&mut self, topic: &str) {
        self.any.push(TopicPattern::new(topic));
    }

    /// Wants this topic alone; if its name has a `*`, also those that it matches as a pattern.
    pub(crate) fn limit_to(&mut self, topic: &str) {
        self.any = vec![TopicPattern::new(topic)];
    }

    /// Adds topics that are left out.
    pub(super) fn leave_out(&mut self, topic: &str) {
        self.none.push(TopicPattern::new(topic));
    }

    /// Number of names and patterns.
    pub(super) fn comparisons(&self) -> usize {
        self.any.len() + self.none.len()
    }

    /// The wanted topic, if there is one name and nothing else.
    pub fn only(&self) -> Option<&str> {
        match (self.any.as_slice(), self.none.as_slice()) {
            ([topic], []) => Some(topic.as_str()).filter(|topic| !is_pattern(topic)),
            _ => None,
        }
    }

    /// The wanted topics that are given by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.any.iter().map(TopicPattern::as_str).filter(|topic| !is_pattern(topic))
    }

    /// The names and patterns of wanted topics.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.any.iter().map(TopicPattern::as_str)
    }

    /// Whether no topic was named.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.none.is_empty()
    }

    /// Whether reserved topics are wanted beside others: they are read one at a time.
    pub(super) fn mix_reserved(&self) -> bool {
        self.only().is_none() && self.any.iter().any(|topic| is_reserved(topic.as_str()))
    }

    /// Whether events of `topic` are wanted.
    pub fn contain(&self, topic: &str) -> bool {
        let is_wanted = match self.only() {
            Some(only) => only == topic,
            None => !is_reserved(topic) && (self.any.is_empty() || self.any.iter().any(|any| any.matches(topic))),
        };
        is_wanted && !self.none.iter().any(|none| none.matches(topic))
    }
}

fn is_pattern(topic: &str) -> bool {
    topic.contains('*')
}
