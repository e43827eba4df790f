//! Which tails want the events of a topic.

use std::collections::HashMap;

use crate::limits::TAIL_INTEREST_MAX;

/// The numbers of the tails that want a topic, by topic, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Interest {
    known: HashMap<Box<str>, Box<[u32]>>,
    /// Topics and numbers in `known`.
    size: usize,
}

impl Interest {
    /// The tails that want `topic`; `ask` finds them out.
    pub(super) fn of(&mut self, topic: &str, ask: impl FnOnce() -> Box<[u32]>) -> &[u32] {
        if !self.known.contains_key(topic) {
            let tails = ask();
            if self.size + tails.len() >= TAIL_INTEREST_MAX {
                self.forget();
            }
            self.size += 1 + tails.len();
            self.known.insert(topic.into(), tails);
        }
        self.known.get(topic).map_or(&[], |tails| tails)
    }

    /// Forgets all, because there are other tails.
    pub(super) fn forget(&mut self) {
        (self.known, self.size) = (HashMap::new(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_is_asked_about_once_until_tails_change() {
        let mut interest = Interest::default();
        let mut asked = 0;
        for _ in 0..3 {
            let tails = interest.of("t", || {
                asked += 1;
                [1, 2].into()
            });
            assert_eq!(tails, [1, 2]);
        }
        assert_eq!(asked, 1);
        interest.forget();
        assert_eq!(interest.of("t", || [].into()), [0_u32; 0]);
    }

    #[test]
    fn no_number_of_topics_takes_more_memory_than_it_may() {
        let mut interest = Interest::default();
        for topic in 0..3 * TAIL_INTEREST_MAX {
            interest.of(&topic.to_string(), || [1].into());
            assert!(interest.size <= TAIL_INTEREST_MAX && interest.known.len() <= TAIL_INTEREST_MAX / 2);
        }
    }
}
