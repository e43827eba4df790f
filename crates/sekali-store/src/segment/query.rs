//! Which events a read wants, and whether a row group can have any of them.

use std::ops::{Range, RangeInclusive};

use super::directory::RowGroup;
use super::row_set::RowSet;
use crate::event::{Unread, is_reserved};
use crate::order::Order;
use crate::rules::PayloadConditions;

/// Which events of a row group to read. The default is all of them, ascending.
#[derive(Debug, Clone)]
pub(crate) struct RowQuery<'a> {
    /// Of which topics.
    pub topics: TopicChoice<'a>,
    /// With seqs in this range.
    pub seqs: Range<u64>,
    /// Of these only those that are here, ascending; all of them where there is no list.
    pub only: Option<&'a [u64]>,
    /// With timestamps in this range: nanoseconds since 1970-01-01T00:00:00Z.
    pub timestamps_ns: RangeInclusive<i64>,
    /// At most so many, the first in the wanted order.
    pub limit: usize,
    /// In which order of seq.
    pub order: Order,
    /// Columns that are left empty. Payloads are read all the same where conditions on them cannot
    /// be decided without.
    pub unread: Unread,
    /// Conditions on payloads. A hint: events that do not meet them may be among the answers.
    pub conditions: Option<&'a dyn PayloadConditions>,
    /// Of these rows only, if they are given, whatever columns of members say of conditions.
    pub rows: Option<&'a RowSet>,
}

/// A choice of topics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum TopicChoice<'a> {
    /// All, reserved ones included.
    #[default]
    All,
    /// All but reserved ones.
    Unreserved,
    /// Only this one.
    One(&'a str),
}

impl TopicChoice<'_> {
    /// Whether `topic` is among them.
    pub(crate) fn include(&self, topic: &str) -> bool {
        match self {
            Self::All => true,
            Self::Unreserved => !is_reserved(topic),
            Self::One(wanted) => topic == *wanted,
        }
    }
}

impl Default for RowQuery<'_> {
    fn default() -> Self {
        Self {
            topics: TopicChoice::All,
            seqs: 0..u64::MAX,
            only: None,
            timestamps_ns: i64::MIN..=i64::MAX,
            limit: usize::MAX,
            order: Order::Ascending,
            unread: Unread::default(),
            conditions: None,
            rows: None,
        }
    }
}

impl RowQuery<'_> {
    /// Whether an event with this seq is wanted.
    pub(super) fn includes(&self, seq: u64) -> bool {
        self.seqs.contains(&seq) && self.only.is_none_or(|only| only.binary_search(&seq).is_ok())
    }

    /// Whether the row group's range of seqs and of timestamps leaves room for wanted events.
    pub(super) fn may_be_in(&self, group: &RowGroup) -> bool {
        self.limit > 0
            && group.first_seq < self.seqs.end
            && group.last_seq >= self.seqs.start
            && overlap(&self.timestamps_ns, group.first_timestamp_ns, group.last_timestamp_ns)
    }
}

/// Whether timestamps from `first` to `last` leave room for wanted ones.
pub(super) fn overlap(wanted: &RangeInclusive<i64>, first: i64, last: i64) -> bool {
    *wanted.start() <= last && *wanted.end() >= first
}
