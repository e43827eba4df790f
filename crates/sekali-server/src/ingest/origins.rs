//! Topics and sources of the events of a request, for accounts of who sends what again.

/// Most pairs of a topic and a source that are told apart in a request.
const ORIGINS_MAX: usize = 64;
/// The number of all others.
const OTHER: u16 = u16::MAX;

/// The origin of each event of a batch, in order.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    /// Topics with sources.
    pairs: Vec<(String, String)>,
    /// The pair with this hash that was seen last.
    by_hash: Vec<u16>,
    /// Numbers of pairs, each with how many events come from it in a row.
    runs: Vec<(u16, u32)>,
}

impl Origins {
    /// Adds the origin of the next event. Takes some 10 ns.
    pub(crate) fn push(&mut self, topic: &str, source: &str) {
        let is_it = |pair: Option<&(String, String)>| pair.is_some_and(|pair| pair.0 == topic && pair.1 == source);
        if let Some((number, events)) = self.runs.last_mut()
            && is_it(self.pairs.get(usize::from(*number)))
        {
            *events += 1;
            return;
        }
        let hash = hash(topic, source) % ORIGINS_MAX;
        let guess = self.by_hash.get(hash).copied().unwrap_or(OTHER);
        let number = if is_it(self.pairs.get(usize::from(guess))) { guess } else { self.find(hash, topic, source) };
        match self.runs.last_mut() {
            Some((last, events)) if *last == number => *events += 1,
            _ => self.runs.push((number, 1)),
        }
    }

    fn find(&mut self, hash: usize, topic: &str, source: &str) -> u16 {
        let known = self.pairs.iter().position(|pair| pair.0 == topic && pair.1 == source);
        let number = known.unwrap_or(self.pairs.len());
        if number >= ORIGINS_MAX {
            return OTHER;
        }
        if known.is_none() {
            self.pairs.push((topic.to_owned(), source.to_owned()));
        }
        // The first pair is found by the last run.
        if number > 0 {
            self.by_hash.resize(ORIGINS_MAX, OTHER);
        }
        if let Some(guess) = self.by_hash.get_mut(hash) {
            *guess = number as u16;
        }
        number as u16
    }

    /// The topics and sources.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The topics and sources.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.pairs
    }

    /// The number of the pair of each event; none for those that are not told apart.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Option<usize>> {
        let run = |&(number, events): &(u16, u32)| {
            let number = (number != OTHER).then_some(usize::from(number));
            std::iter::repeat_n(number, events as usize)
        };
        self.runs.iter().flat_map(run)
    }
}

/// Of the ends of both, where names differ most often.
fn hash(topic: &str, source: &str) -> usize {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    let end = |text: &'_ str| text.as_bytes().iter().rev().take(4).fold(text.len() as u64, mix);
    let hash = end(source).wrapping_mul(31) ^ end(topic);
    (hash ^ hash >> 29) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_event_has_its_origin(events in prop::collection::vec(("[ab]", "[a-d]{0,2}"), 0..200)) {
            let mut origins = Origins::default();
            events.iter().for_each(|(topic, source)| origins.push(topic, source));
            let found: Vec<_> = origins.numbers().map(|number| origins.pairs()[number.unwrap()].clone()).collect();
            prop_assert_eq!(found, events);
        }
    }

    #[test]
    fn origins_are_bounded() {
        let mut origins = Origins::default();
        (0..200).for_each(|number| origins.push("t", &number.to_string()));
        origins.push("t", "5");
        let numbers: Vec<_> = origins.numbers().collect();
        assert_eq!((origins.pairs().len(), numbers.len()), (ORIGINS_MAX, 201));
        assert_eq!((numbers[ORIGINS_MAX], numbers[200]), (None, Some(5)));
    }
}
