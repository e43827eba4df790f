//! Damage to stored data, by its exact place.
//!
//! Where a header of the log is unreadable and all events behind it are there, or there are none,
//! nothing is lost: that is a [`Damage`] without seqs, which keeps the file from being removed and
//! is shown as a flaw as long as the file is in the log.

mod seq_set;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub(crate) use seq_set::SeqSet;

/// Events that were stored and cannot be read. Their keys are unknown, so publishing them again
/// stores them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file, or the one behind the gap where a file is missing.
    pub path: PathBuf,
    /// Where in the file the damaged bytes begin.
    pub offset: u64,
    /// The first event lost.
    pub first_seq: u64,
    /// The last event lost.
    pub last_seq: u64,
}

impl Damage {
    /// Whether any event is lost.
    pub(crate) fn costs_events(&self) -> bool {
        self.first_seq <= self.last_seq
    }

    /// The seqs that are lost, an empty range where there are none.
    pub(crate) fn seqs(&self) -> RangeInclusive<u64> {
        self.first_seq..=self.last_seq
    }

    /// The same, of some of its seqs.
    fn part(&self, seqs: &RangeInclusive<u64>) -> Self {
        Self { first_seq: *seqs.start(), last_seq: *seqs.end(), ..self.clone() }
    }

    /// Whether `other`, which costs no event, is no news where this is known.
    fn includes(&self, other: &Self) -> bool {
        self.path == other.path && self.first_seq <= other.first_seq && other.last_seq <= self.last_seq
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at byte {}: ", self.path.display(), self.offset)?;
        match (self.first_seq, self.last_seq) {
            (first, last) if last < first => f.write_str("a header is unreadable, no event is lost"),
            (first, last) if first == last => write!(f, "event with seq {first} is lost; publish it again"),
            (first, last) => write!(f, "events with seq {first} to {last} are lost; publish them again"),
        }
    }
}

/// Everything known to be damaged in a partition.
#[derive(Debug, Default)]
pub(crate) struct DamageList(RwLock<Lists>);

#[derive(Debug, Default)]
struct Lists {
    open: Vec<Damage>,
    /// Damage that an operator has accepted: the events stay lost, but no longer raise an alarm.
    accepted: Vec<Damage>,
    /// The seqs of both. No two of them name one seq.
    seqs: SeqSet,
    /// Those of them that the manifest has. Only their keys are unknown, and only they are hidden.
    recorded: SeqSet,
    /// Whether the manifest lacks any of them.
    is_unrecorded: bool,
    /// Damage that costs no event, with the number of the last scrub that saw it.
    flaws: Vec<(String, u64)>,
    scrubs: u64,
}

impl DamageList {
    /// The damage that the manifest knows.
    pub(crate) fn new(open: Vec<Damage>, accepted: Vec<Damage>) -> Self {
        let mut seqs = SeqSet::default();
        open.iter().chain(&accepted).for_each(|damage| seqs.insert(damage.seqs()));
        let recorded = seqs.clone();
        Self(RwLock::new(Lists { open, accepted, seqs, recorded, ..Lists::default() }))
    }

    /// Lost events that nobody has accepted as lost.
    pub(crate) fn to_vec(&self) -> Vec<Damage> {
        self.read().open.iter().filter(|damage| damage.costs_events()).cloned().collect()
    }

    /// A loss of events, accepted or not, if there is one.
    pub(crate) fn first_loss(&self) -> Option<Damage> {
        self.read().all().find(|damage| damage.costs_events()).cloned()
    }

    /// Everything that nobody has accepted, with or without seqs.
    pub(crate) fn open(&self) -> Vec<Damage> {
        self.read().open.clone()
    }

    /// Whether any of it is in this file.
    pub(crate) fn is_in(&self, path: &Path) -> bool {
        self.read().all().any(|damage| damage.path == path)
    }

    /// Whether `seq` is lost for good: its key is unknown, and its row is hidden.
    pub(crate) fn covers(&self, seq: u64) -> bool {
        self.read().recorded.contains(seq)
    }

    /// Whether all of these seqs are lost for good.
    pub(crate) fn covers_all(&self, seqs: RangeInclusive<u64>) -> bool {
        self.read().recorded.missing(seqs).is_empty()
    }

    /// Those of these seqs that are lost for good.
    pub(crate) fn hidden(&self, seqs: RangeInclusive<u64>) -> SeqSet {
        self.read().recorded.within(seqs)
    }

    /// Damage to be written down, and then [recorded](Self::note_recorded).
    pub(crate) fn unrecorded(&self) -> Vec<Damage> {
        let lists = self.read();
        if !lists.is_unrecorded {
            return Vec::new();
        }
        let is_new = |damage: &&Damage| !lists.recorded.missing(damage.seqs()).is_empty();
        lists.open.iter().filter(is_new).cloned().collect()
    }

    /// Notes that the manifest has this damage.
    pub(crate) fn note_recorded(&self, damage: &[Damage]) {
        let mut guard = self.write();
        let lists = &mut *guard;
        damage.iter().for_each(|damage| lists.recorded.insert(damage.seqs()));
        lists.is_unrecorded = lists.open.iter().any(|damage| !lists.recorded.missing(damage.seqs()).is_empty());
    }

    /// Names what a read found, once, and returns what of it is news: the seqs that nothing known
    /// covers.
    pub(crate) fn report(&self, found: &Damage) -> Vec<Damage> {
        let mut lists = self.write();
        let news: Vec<_> = if found.costs_events() {
            lists.seqs.missing(found.seqs()).iter().map(|seqs| found.part(seqs)).collect()
        } else if lists.all().any(|known| known.includes(found)) {
            Vec::new()
        } else {
            vec![found.clone()]
        };
        lists.seqs.insert(found.seqs());
        lists.is_unrecorded |= news.iter().any(Damage::costs_events);
        lists.open.extend_from_slice(&news);
        news
    }

    /// The file at `path` has left the log: what of it costs no event is no longer told.
    pub(crate) fn leave(&self, path: &Path) {
        self.write().open.retain(|damage| damage.costs_events() || damage.path != path);
    }

    /// Takes this damage for accepted, as far as it is known.
    pub(crate) fn accept(&self, shown: &[Damage]) {
        let mut lists = self.write();
        let (accepted, open) = std::mem::take(&mut lists.open).into_iter().partition(|damage| shown.contains(damage));
        lists.open = open;
        lists.accepted.extend::<Vec<_>>(accepted);
    }

    /// The parts of these seqs that no known damage has.
    pub(crate) fn unexplained(&self, seqs: RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
        self.read().seqs.missing(seqs)
    }

    /// Number of lost seqs, accepted or not.
    pub(crate) fn lost_seqs(&self) -> u64 {
        self.read().seqs.len()
    }

    /// Damage that costs no event.
    pub(crate) fn flaws(&self) -> Vec<String> {
        let lists = self.read();
        let headers = lists.open.iter().filter(|damage| !damage.costs_events()).map(Damage::to_string);
        lists.flaws.iter().map(|(what, _)| what.clone()).chain(headers).collect()
    }

    /// Adds what a scrub found, once.
    pub(crate) fn report_flaw(&self, what: String) {
        let mut lists = self.write();
        let scrub = lists.scrubs;
        match lists.flaws.iter_mut().find(|(known, _)| *known == what) {
            Some((_, seen)) => *seen = scrub,
            None => lists.flaws.push((what, scrub)),
        }
    }

    /// Ends a scrub: flaws that it has not seen are no more.
    pub(crate) fn end_scrub(&self) {
        let mut lists = self.write();
        let scrub = lists.scrubs;
        lists.flaws.retain(|(_, seen)| *seen == scrub);
        lists.scrubs += 1;
    }

    fn read(&self) -> RwLockReadGuard<'_, Lists> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    fn all(&self) -> impl Iterator<Item = &Damage> {
        self.open.iter().chain(&self.accepted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn damage(first_seq: u64, last_seq: u64) -> Damage {
        Damage { path: PathBuf::from("a.log"), offset: first_seq, first_seq, last_seq }
    }

    #[test]
    fn seqs_between_two_known_damages_are_named_once_more_is_found() {
        let list = DamageList::new(vec![damage(10, 10)], vec![damage(20, 20)]);
        assert_eq!(list.report(&damage(10, 20)), [Damage { offset: 10, ..damage(11, 19) }]);
        assert_eq!(list.report(&damage(10, 20)), []);
        assert!(!list.covers_all(10..=20), "not before it is written down");
        list.note_recorded(&list.unrecorded());
        assert!(list.covers_all(10..=20) && !list.covers(9) && !list.covers(21));
        assert_eq!(list.unrecorded(), []);
    }

    #[test]
    fn a_damaged_header_is_named_for_each_file() {
        let list = DamageList::new(vec![damage(1, 9)], Vec::new());
        let header = |path: &str| Damage { path: path.into(), ..damage(5, 4) };
        assert_eq!(list.report(&header("a.log")), []);
        assert_eq!(list.report(&header("b.log")).len(), 1);
        assert_eq!(list.report(&header("b.log")), []);
        assert_eq!(list.to_vec(), [damage(1, 9)]);
        assert_eq!(list.flaws().len(), 1);
    }

    proptest! {
        #[test]
        fn every_lost_seq_is_named_once_whatever_was_known(
            found in prop::collection::vec((1..60_u64, 0..12_u64), 1..20),
            accepted in 0..20_usize,
        ) {
            let list = DamageList::default();
            let mut bits = 0_u128;
            for (at, (first, len)) in found.into_iter().enumerate() {
                let last = first + len - 1;
                let news = list.report(&damage(first, last));
                let mut named = 0_u128;
                news.iter().flat_map(Damage::seqs).for_each(|seq| {
                    assert_eq!(named & 1 << seq, 0);
                    named |= 1 << seq;
                });
                prop_assert_eq!(named & bits, 0, "known before");
                bits |= named;
                prop_assert!((first..=last).all(|seq| bits & 1 << seq != 0), "not named");
                let known = list.read().all().flat_map(Damage::seqs).fold(0, |all, seq| all | 1_u128 << seq);
                prop_assert_eq!(known, bits);
                list.note_recorded(&list.unrecorded());
                prop_assert!((0..80).all(|seq| list.covers(seq) == (bits & 1 << seq != 0)));
                if at == accepted {
                    list.accept(&list.open());
                }
            }
        }
    }
}
