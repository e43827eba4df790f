//! How long events are kept: by age and by size, for all topics and by pattern.

/// Which events may go. The default keeps everything for ever.
///
/// Events go a segment at a time: see [`Retainer::apply`](crate::Retainer::apply).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// The first rule whose pattern matches a topic says how old its events may become. Topics
    /// without a rule have no age.
    pub ages: Vec<AgeRule>,
    /// Every one of them bounds all topics it matches, taken together.
    pub sizes: Vec<SizeRule>,
}

/// How old the events of some topics may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgeRule {
    /// Of which topics.
    pub topics: TopicPattern,
    /// In nanoseconds since they were received; `None` is for ever.
    pub age_ns: Option<i64>,
}

/// How much the events of some topics may take up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeRule {
    /// Of which topics.
    pub topics: TopicPattern,
    /// Bytes of segments on disk. Of a segment with other topics too, their share of it.
    pub bytes: u64,
}

/// A topic, in which `*` stands for any characters, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPattern(String);

impl TopicPattern {
    /// All topics, reserved ones included, are `*`.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches the whole of `topic`.
    pub fn matches(&self, topic: &str) -> bool {
        let (pattern, topic) = (self.0.as_bytes(), topic.as_bytes());
        let (mut at, mut topic_at) = (0, 0);
        // Where to go on when what follows the last star does not match: the star takes one more
        // byte.
        let mut star = None;
        while topic_at < topic.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, topic_at));
                    at += 1;
                }
                Some(byte) if topic.get(topic_at) == Some(byte) => (at, topic_at) = (at + 1, topic_at + 1),
                _ => {
                    let Some((star_at, taken)) = star else { return false };
                    star = Some((star_at, taken + 1));
                    (at, topic_at) = (star_at + 1, taken + 1);
                }
            }
        }
        pattern.iter().skip(at).all(|byte| *byte == b'*')
    }
}

impl Retention {
    /// How old events of `topic` may become, in nanoseconds; `None` is for ever.
    pub fn age_ns(&self, topic: &str) -> Option<i64> {
        self.ages.iter().find(|rule| rule.topics.matches(topic))?.age_ns
    }

    /// The ages of all rules that have one.
    pub(crate) fn ages_ns(&self) -> impl Iterator<Item = i64> + '_ {
        self.ages.iter().filter_map(|rule| rule.age_ns)
    }

    /// Whether an event of `topic`, received at `received_at_ns`, is kept no longer by age at
    /// `now_ns`.
    pub(crate) fn is_due(&self, topic: &str, received_at_ns: i64, now_ns: i64) -> bool {
        self.age_ns(topic).is_some_and(|age_ns| now_ns.saturating_sub(received_at_ns) > age_ns)
    }

    /// Whether it keeps everything for ever.
    pub fn is_for_ever(&self) -> bool {
        self.sizes.is_empty() && self.ages.iter().all(|rule| rule.age_ns.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_characters_and_nothing_else_is_special() {
        for (pattern, topic, matches) in [
            ("*", "", true),
            ("*", "$conflicts", true),
            ("debug.*", "debug.", true),
            ("debug.*", "debug.a.b", true),
            ("debug.*", "debug", false),
            ("debug.*", "x.debug.a", false),
            ("*.log", "a.log.log", true),
            ("a*b*c", "a--b-b--c", true),
            ("a*b*c", "a--c--b", false),
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("", "a", false),
            ("**a", "ba", true),
            ("a?", "ab", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(TopicPattern::new(pattern).matches(topic), matches, "{pattern} {topic}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_gives_the_age() {
        let rule = |pattern: &str, age_ns| AgeRule { topics: TopicPattern::new(pattern), age_ns };
        let retention = Retention { ages: vec![rule("a.*", None), rule("*", Some(7))], sizes: Vec::new() };
        assert_eq!((retention.age_ns("a.b"), retention.age_ns("b")), (None, Some(7)));
        assert!(!retention.is_for_ever() && Retention::default().is_for_ever());
    }
}
