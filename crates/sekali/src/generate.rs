//! Generated events: realistic, and always the same for one seed.
//!
//! Ids, timestamps and payloads all follow from the seed, so publishing a second time yields
//! duplicates only.

mod event;
mod random;
mod uuid;

pub(crate) use random::SplitMix64;
pub(crate) use uuid::{UUID_TEXT_BYTES, uuid_text, uuid7_text};

/// Options of the generator.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Number of events, repeats included.
    pub count: u64,
    /// Fraction of `count` that repeats an earlier event, from 0 to 1. At least one event is always
    /// new.
    pub dup_ratio: f64,
    /// Number of topics, at least 1.
    pub topics: usize,
    /// The seed.
    pub seed: u64,
    /// Shorter payloads are padded to this length, in bytes.
    pub payload_bytes_min: usize,
    /// Time of the first event, in nanoseconds since 1970.
    pub start_ns: i64,
}

/// The usual time of the first event: 2025-01-01T00:00:00Z.
pub(crate) const START_NS: i64 = 1_735_689_600_000_000_000;

impl Recipe {
    /// The exact number of events that repeat an earlier one.
    pub fn repeats(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a count: rounding is what is asked for, and casts from float saturate"
        )]
        let wanted = (self.count as f64 * self.dup_ratio).round() as u64;
        wanted.min(self.count.saturating_sub(1))
    }

    /// The same events, of which the last happens at about `end_ns`. Timestamps are no part of what
    /// makes events equal: those of another run are duplicates still.
    #[must_use]
    pub(crate) fn ending_at(self, end_ns: i64) -> Self {
        let unique = i64::try_from(self.count - self.repeats()).unwrap_or(i64::MAX);
        Self { start_ns: end_ns.saturating_sub(unique.saturating_mul(event::STEP_NS)), ..self }
    }

    /// The events in sending order, as JSON text.
    pub fn events(&self) -> Events {
        Events {
            recipe: self.clone(),
            left: self.count,
            repeats_left: self.repeats(),
            unique: 0,
            random: SplitMix64::of(self.seed, u64::MAX),
        }
    }
}

/// An iterator over the events of a [`Recipe`], without holding them in memory.
#[derive(Debug)]
pub struct Events {
    recipe: Recipe,
    left: u64,
    repeats_left: u64,
    unique: u64,
    random: SplitMix64,
}

impl Events {
    /// Selection sampling (Knuth, TAOCP 2, 3.4.2, algorithm S): repeats fall anywhere, and their
    /// number is exact.
    fn is_repeat(&mut self) -> bool {
        self.unique > 0 && self.random.below(self.left) < self.repeats_left
    }
}

impl Iterator for Events {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.left == 0 {
            return None;
        }
        let number = if self.is_repeat() {
            self.repeats_left -= 1;
            self.random.below(self.unique)
        } else {
            self.unique += 1;
            self.unique - 1
        };
        self.left -= 1;
        Some(event::event_json(&self.recipe, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn recipe(count: u64, dup_ratio: f64, seed: u64) -> Recipe {
        Recipe { count, dup_ratio, topics: 3, seed, payload_bytes_min: 0, start_ns: START_NS }
    }

    #[test]
    fn a_second_run_sends_exactly_the_same() {
        let first: Vec<String> = recipe(1_000, 0.3, 42).events().collect();
        let second: Vec<String> = recipe(1_000, 0.3, 42).events().collect();
        assert_eq!(first, second);
        assert_ne!(first, recipe(1_000, 0.3, 43).events().collect::<Vec<_>>());
    }

    #[test]
    fn repeats_are_spread_over_the_run() {
        let mut seen = std::collections::HashSet::new();
        let repeats: Vec<usize> = recipe(10_000, 0.2, 1)
            .events()
            .enumerate()
            .filter(|(_, e)| !seen.insert(e.clone()))
            .map(|(i, _)| i)
            .collect();
        for quarter in 0..4 {
            let inside = repeats.iter().filter(|&&i| i / 2_500 == quarter).count();
            assert!((400..600).contains(&inside), "quarter {quarter} has {inside} of 2,000 repeats");
        }
    }

    #[test]
    fn events_that_end_at_a_time_differ_in_nothing_else() {
        let recipe = recipe(100, 0.2, 1);
        let end_ns = START_NS + 3_600_000_000_000;
        let parsed = |recipe: &Recipe| -> Vec<serde_json::Value> {
            recipe.events().map(|event| serde_json::from_str(&event).unwrap()).collect()
        };
        let timestamps = |events: &mut Vec<serde_json::Value>| -> Vec<jiff::Timestamp> {
            let take = |event: &mut serde_json::Value| event["timestamp"].take().as_str().unwrap().parse().unwrap();
            events.iter_mut().map(take).collect()
        };
        let (mut usual, mut ending) = (parsed(&recipe), parsed(&recipe.clone().ending_at(end_ns)));
        timestamps(&mut usual);
        let last = timestamps(&mut ending).into_iter().max().unwrap();
        assert_eq!(usual, ending);
        let before_ns = i128::from(end_ns) - last.as_nanosecond();
        assert!((0..500_000_000).contains(&before_ns), "{last}");
    }

    proptest! {
        #[test]
        fn the_number_of_repeats_is_exact(count in 0u64..600, dup_ratio in 0.0f64..=1.0, seed: u64) {
            let recipe = recipe(count, dup_ratio, seed);
            let mut by_id: HashMap<String, String> = HashMap::new();
            let (mut sent, mut repeats) = (0, 0);
            for event in recipe.events() {
                sent += 1;
                let id = serde_json::from_str::<serde_json::Value>(&event).unwrap()["event_id"].to_string();
                if let Some(earlier) = by_id.insert(id, event.clone()) {
                    prop_assert_eq!(earlier, event, "a repeat must be identical");
                    repeats += 1;
                }
            }
            prop_assert_eq!(sent, count);
            prop_assert_eq!(repeats, ((count as f64 * dup_ratio).round() as u64).min(count.saturating_sub(1)));
        }
    }
}
