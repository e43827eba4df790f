//! Which rows of a row group are wanted, found with as few pages as will do.

use std::ops::{Range, RangeInclusive};

use super::index::{GroupIndex, TopicRows};
use super::query::{RowQuery, TopicChoice, overlap};
use super::row_set::RowSet;
use super::schema::{SEQ, TIMESTAMP};
use super::table::TopicTable;
use crate::error::Result;
use crate::event::is_reserved;
use crate::order::Order;

/// The wanted rows of a row group.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// The rows to decode, ascending.
    pub(super) rows: Vec<Range<u32>>,
    /// The events in the wanted order.
    pub(super) order: Vec<Selected>,
    /// How many more there would be without the choice of rows, up to the last of these.
    pub(super) passed: u64,
}

/// A wanted event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selected {
    pub(super) seq: u64,
    /// Its topic's number in the table.
    pub(super) topic: u32,
    /// Its place among the rows decoded.
    pub(super) at: u32,
}

/// Rows of a topic that may be wanted.
struct TopicSpan {
    topic: u32,
    rows: Range<u32>,
}

/// Selects the wanted rows, by topic ranges and marks first, then by the columns of seqs and, where
/// it matters, timestamps. `topics` has at least those that are chosen; other rows than those
/// `among` which the wanted ones are, are left out; `read` returns the values of a column in some
/// rows.
pub(super) fn select(
    index: &GroupIndex,
    topics: &TopicTable,
    wanted: &RowQuery<'_>,
    among: Option<&RowSet>,
    read: impl Fn(usize, &[Range<u32>]) -> Result<Vec<i64>>,
) -> Result<Selection> {
    let span = numbers(topics, wanted.topics);
    let mut candidates = Vec::new();
    let mut timed = false;
    for number in span {
        let Some(topic) = TopicRows::get(topics, number) else { continue };
        if is_chosen(&topic, wanted) {
            let cut_by_time = !contains(&wanted.timestamps_ns, &topic);
            timed |= cut_by_time;
            let rows = narrow(index, topic.rows.clone(), wanted, cut_by_time || among.is_some());
            candidates.push(TopicSpan { topic: number as u32, rows });
        }
    }
    let ranges = join(candidates.iter().map(|candidate| candidate.rows.clone()));
    let seqs = read(SEQ, &ranges)?;
    let timestamps = if timed { read(TIMESTAMP, &ranges)? } else { Vec::new() };
    let (mut found, mut passed) = (Vec::new(), Vec::new());
    let rows = candidates.iter().flat_map(|candidate| candidate.rows.clone().map(|row| (candidate.topic, row)));
    for (at, ((topic, row), &seq)) in rows.zip(&seqs).enumerate() {
        let in_time = timestamps.get(at).is_none_or(|timestamp| wanted.timestamps_ns.contains(timestamp));
        if !in_time || !wanted.includes(seq as u64) {
            continue;
        }
        if among.is_some_and(|among| !among.contains(row)) {
            passed.push(seq as u64);
        } else {
            found.push(Selected { seq: seq as u64, topic, at: row });
        }
    }
    let is_cut = found.len() > wanted.limit;
    limit(&mut found, wanted);
    let rows = join(found.iter().map(|selected| selected.at..selected.at + 1));
    found.iter_mut().enumerate().for_each(|(at, selected)| selected.at = at as u32);
    found.sort_by_key(|selected| selected.seq);
    if wanted.order == Order::Descending {
        found.reverse();
    }
    let last = found.last().map(|selected| selected.seq).filter(|_| is_cut);
    let is_before =
        |seq: u64| last.is_none_or(|last| if wanted.order == Order::Descending { seq > last } else { seq < last });
    let passed = passed.into_iter().filter(|&seq| is_before(seq)).count() as u64;
    Ok(Selection { rows, order: found, passed })
}

/// The numbers of the topics that may be chosen.
pub(super) fn numbers(topics: &TopicTable, choice: TopicChoice<'_>) -> Range<usize> {
    match choice {
        TopicChoice::All | TopicChoice::Unreserved => 0..topics.len(),
        TopicChoice::One(topic) => topics.find(topic).map_or(0..0, |number| number..number + 1),
    }
}

/// The topics of which events may be wanted.
pub(super) fn chosen<'a>(topics: &'a TopicTable, wanted: &'a RowQuery<'_>) -> impl Iterator<Item = TopicRows<'a>> {
    let numbers = numbers(topics, wanted.topics);
    numbers.filter_map(|number| TopicRows::get(topics, number)).filter(|topic| is_chosen(topic, wanted))
}

pub(super) fn is_chosen(topic: &TopicRows<'_>, wanted: &RowQuery<'_>) -> bool {
    let (first, last) = (topic.tally.first_timestamp_ns, topic.tally.last_timestamp_ns);
    !(wanted.topics == TopicChoice::Unreserved && is_reserved(topic.topic))
        && overlap(&wanted.timestamps_ns, first, last)
}

pub(super) fn contains(wanted: &RangeInclusive<i64>, topic: &TopicRows<'_>) -> bool {
    wanted.contains(&topic.tally.first_timestamp_ns) && wanted.contains(&topic.tally.last_timestamp_ns)
}

/// Narrows the rows of one topic by seq, and by the limit where nothing else can leave rows out.
fn narrow(index: &GroupIndex, rows: Range<u32>, wanted: &RowQuery<'_>, is_cut: bool) -> Range<u32> {
    let rows = index.narrow(rows, &wanted.seqs);
    let limit = u32::try_from(wanted.limit).unwrap_or(u32::MAX);
    // The first wanted row is less than one mark from the end that the wanted order begins with.
    let most = limit.saturating_add(index.mark_rows);
    match wanted.order {
        _ if is_cut => rows,
        Order::Ascending => rows.start..rows.end.min(rows.start.saturating_add(most)),
        Order::Descending => rows.start.max(rows.end.saturating_sub(most))..rows.end,
    }
}

/// Keeps those that come first in the wanted order, without changing their order.
fn limit(found: &mut Vec<Selected>, wanted: &RowQuery<'_>) {
    let Some(surplus) = found.len().checked_sub(wanted.limit).filter(|surplus| *surplus > 0) else { return };
    let mut seqs: Vec<u64> = found.iter().map(|selected| selected.seq).collect();
    match wanted.order {
        Order::Ascending => {
            let (_, &mut end, _) = seqs.select_nth_unstable(wanted.limit);
            found.retain(|selected| selected.seq < end);
        }
        Order::Descending => {
            let (_, &mut first, _) = seqs.select_nth_unstable(surplus);
            found.retain(|selected| selected.seq >= first);
        }
    }
}

/// Joins ascending ranges that touch each other.
pub(super) fn join(ranges: impl Iterator<Item = Range<u32>>) -> Vec<Range<u32>> {
    let mut joined = Vec::<Range<u32>>::new();
    for range in ranges.filter(|range| !range.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}
