//! The topics of a key.

use std::sync::Arc;

use sekali_store::{TopicPattern, is_reserved};
use serde::{Deserialize, Serialize};

/// Patterns of topics, as retention has them: `*` stands for any characters, or none.
///
/// A reserved topic is only meant by a pattern that begins with `$` itself: `$conflicts` keeps
/// events of every topic, so that `*` alone must not open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Topics(Arc<[TopicPattern]>);

impl Topics {
    /// All topics but the reserved ones.
    pub fn all() -> Self {
        Self::from(vec!["*".to_owned()])
    }

    /// Whether `topic` is among them.
    pub fn contains(&self, topic: &str) -> bool {
        let reserved = is_reserved(topic);
        self.0.iter().any(|pattern| pattern.matches(topic) && (!reserved || is_reserved(pattern.as_str())))
    }

    /// Whether they include every topic, present or future, but the reserved ones.
    pub fn is_all(&self) -> bool {
        self.patterns().any(|pattern| !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*'))
    }

    /// The patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(TopicPattern::as_str)
    }
}

impl From<Vec<String>> for Topics {
    fn from(patterns: Vec<String>) -> Self {
        Self(patterns.into_iter().map(TopicPattern::new).collect())
    }
}

impl From<Topics> for Vec<String> {
    fn from(topics: Topics) -> Self {
        topics.patterns().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(patterns: &[&str]) -> Topics {
        Topics::from(patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn reserved_topics_are_opened_only_by_name() {
        for (patterns, topic, contains) in [
            (&["*"][..], "web.access", true),
            (&["*"], "$conflicts", false),
            (&["*conflicts"], "$conflicts", false),
            (&["$conflicts"], "$conflicts", true),
            (&["$*"], "$conflicts", true),
            (&["$*"], "web", false),
            (&["web.*", "db"], "db", true),
            (&["web.*", "db"], "db.x", false),
            (&[], "web", false),
        ] {
            assert_eq!(topics(patterns).contains(topic), contains, "{patterns:?} {topic}");
        }
    }

    #[test]
    fn only_stars_are_all_topics() {
        for (patterns, all) in
            [(&["*"][..], true), (&["a", "**"], true), (&["$*"], false), (&[""], false), (&["a*"], false), (&[], false)]
        {
            assert_eq!(topics(patterns).is_all(), all, "{patterns:?}");
        }
        assert!(Topics::all().is_all());
    }
}
