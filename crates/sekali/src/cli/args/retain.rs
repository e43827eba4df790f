//! How long events are kept, as it is said on the command line.

use clap::Args;
use sekali_store::{AgeRule, Retention, SizeRule, TopicPattern};

use crate::cli::args::units::{measure, time_ns};

/// How long events are kept. Without any of these, for ever.
#[derive(Debug, Args)]
#[command(next_help_heading = "Retention")]
pub(crate) struct RetainArgs {
    /// Delete events this long after they were received, like 30d (s, m, h, d, w): within a minute, or
    /// a sixty-fourth of that time if it is longer. Their ids are kept for ever [default: never]
    #[arg(long, env = "SEKALI_RETAIN_AGE", value_name = "AGE", value_parser = age)]
    retain_age: Option<Age>,
    /// Delete the oldest events, within a minute, when those of a partition take more than this on
    /// disk, like 50GiB, 50GB or 50G [default: no limit]
    #[arg(long, env = "SEKALI_RETAIN_SIZE", value_name = "SIZE", value_parser = limit)]
    retain_size: Option<Limit>,
    /// The same for matching topics, like debug.*=7d, debug.*=1GiB or audit.*=forever; repeat it, or
    /// separate several with commas
    #[arg(long, env = "SEKALI_RETAIN", value_name = "TOPICS=AGE|SIZE", value_delimiter = ',', value_parser = rule)]
    retain: Vec<Rule>,
}

/// In nanoseconds; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age(Option<i64>);

/// In bytes; `None` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(Option<u64>);

/// A rule for some topics.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// An empty environment variable.
    Nothing,
    Age(AgeRule),
    Size(SizeRule),
}

impl RetainArgs {
    /// The rules for topics come first, so that they are exceptions from the age of all.
    pub(crate) fn retention(self) -> Retention {
        let mut retention = Retention::default();
        for rule in self.retain {
            match rule {
                Rule::Nothing => {}
                Rule::Age(rule) => retention.ages.push(rule),
                Rule::Size(rule) => retention.sizes.push(rule),
            }
        }
        let all = || TopicPattern::new("*");
        if let Some(Age(Some(age_ns))) = self.retain_age {
            retention.ages.push(AgeRule { topics: all(), age_ns: Some(age_ns) });
        }
        if let Some(Limit(Some(bytes))) = self.retain_size {
            retention.sizes.push(SizeRule { topics: all(), bytes });
        }
        retention
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    if text.is_empty() {
        return Ok(Rule::Nothing);
    }
    let parts = text.rsplit_once('=').filter(|(topics, value)| !topics.is_empty() && !value.is_empty());
    let (topics, value) = parts.ok_or("give topics and how long to keep them, as in debug.*=7d")?;
    let topics = TopicPattern::new(topics);
    match (age(value), limit(value)) {
        (Ok(Age(age_ns)), _) => Ok(Rule::Age(AgeRule { topics, age_ns })),
        (_, Ok(Limit(Some(bytes)))) => Ok(Rule::Size(SizeRule { topics, bytes })),
        _ => Err(format!("`{value}` is neither an age like 7d, nor a size like 10GiB, nor `forever`")),
    }
}

fn age(text: &str) -> Result<Age, String> {
    if matches!(text, "" | "forever") {
        return Ok(Age(None));
    }
    time_ns(text)
        .map(|ns| Age(Some(ns)))
        .ok_or_else(|| "give a number with s, m, h, d or w, as in 30d, or `forever`".to_owned())
}

fn limit(text: &str) -> Result<Limit, String> {
    if text.is_empty() {
        return Ok(Limit(None));
    }
    // Before the plain letters, which end these, too. A letter alone is binary, as in ls and df.
    let units = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("k", 1 << 10),
        ("K", 1 << 10),
        ("M", 1 << 20),
        ("G", 1 << 30),
        ("T", 1 << 40),
    ];
    let bytes = measure(text, &units);
    bytes
        .map(|bytes| Limit(Some(bytes)))
        .ok_or_else(|| "give a number with k, M, G or T, as in 50G (50GiB) or 50GB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_are_numbers_with_a_unit() {
        assert_eq!(age("90s"), Ok(Age(Some(90_000_000_000))));
        assert_eq!(age("30d"), Ok(Age(Some(30 * 86_400_000_000_000))));
        assert_eq!((age("forever"), age("")), (Ok(Age(None)), Ok(Age(None))));
        assert_eq!(limit("50GiB"), Ok(Limit(Some(50 << 30))));
        assert_eq!(limit("2MB"), Ok(Limit(Some(2_000_000))));
        assert_eq!((limit("50G"), limit("1k")), (Ok(Limit(Some(50 << 30))), Ok(Limit(Some(1 << 10)))));
        for wrong in ["30", "d", "0d", "-1d", "1.5d", "30 d", "999999999999w", "30D", "1y"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
        for wrong in ["50", "GiB", "0GB", "99999999999TiB", "5X", "G", "-1MB"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rules_have_topics_and_an_age_or_a_size() {
        let topics = || TopicPattern::new("a=b.*");
        assert_eq!(rule("a=b.*=1m"), Ok(Rule::Age(AgeRule { topics: topics(), age_ns: Some(60_000_000_000) })));
        assert_eq!(rule("a=b.*=forever"), Ok(Rule::Age(AgeRule { topics: topics(), age_ns: None })));
        assert_eq!(rule("a=b.*=1MiB"), Ok(Rule::Size(SizeRule { topics: topics(), bytes: 1 << 20 })));
        assert_eq!(rule(""), Ok(Rule::Nothing));
        for wrong in ["debug.*", "debug.*=", "=7d", "debug.*=7x"] {
            assert!(rule(wrong).is_err(), "{wrong}");
        }
    }
}
