//! Conditions of a statement that the engine can make use of. SQLite checks all of them again, so
//! that one which is not understood here is left out.

use std::ops::RangeInclusive;
use std::sync::Arc;

use rusqlite::types::Value;
use sekali_store::{PayloadConditions, StoredEvent, Unread};
use sekali_vtab::{ColumnsUsed, Comparison, Condition};
use sekali_wire::timestamp::parse_timestamp;

use super::events_table::EventColumn;
use crate::query::FilterBuilder;

/// Conditions on events, all of which must hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EventConditions {
    /// Whether no event can meet them.
    pub(super) is_never: bool,
    pub(super) topics: Option<Vec<String>>,
    pub(super) event_ids: Option<Vec<String>>,
    sources: Option<Vec<String>>,
    pub(super) partitions: RangeInclusive<i64>,
    pub(super) seqs: RangeInclusive<i64>,
    pub(super) timestamps_ns: RangeInclusive<i64>,
    pub(super) received_ns: RangeInclusive<i64>,
}

const ALL: RangeInclusive<i64> = i64::MIN..=i64::MAX;

impl EventConditions {
    /// Reads the conditions of a scan.
    pub(super) fn new(conditions: &[Condition]) -> Self {
        let mut all = Self {
            is_never: false,
            topics: None,
            event_ids: None,
            sources: None,
            partitions: ALL,
            seqs: ALL,
            timestamps_ns: ALL,
            received_ns: ALL,
        };
        for condition in conditions {
            all.add(condition);
        }
        let ranges = [&all.partitions, &all.seqs, &all.timestamps_ns, &all.received_ns];
        all.is_never |= ranges.into_iter().any(RangeInclusive::is_empty);
        all
    }

    fn add(&mut self, condition: &Condition) {
        let Condition { column, comparison, values } = condition;
        // Nothing compares with NULL.
        let values: Vec<_> = values.iter().filter(|value| **value != Value::Null).collect();
        if values.is_empty() {
            self.is_never = true;
            return;
        }
        match EventColumn::of(*column) {
            Some(EventColumn::Topic) => narrow_names(&mut self.topics, &values),
            Some(EventColumn::EventId) => narrow_names(&mut self.event_ids, &values),
            Some(EventColumn::Source) => narrow_names(&mut self.sources, &values),
            Some(EventColumn::Partition) => narrow(&mut self.partitions, *comparison, &values, integer),
            Some(EventColumn::Seq) => narrow(&mut self.seqs, *comparison, &values, integer),
            Some(EventColumn::Timestamp) => narrow(&mut self.timestamps_ns, *comparison, &values, time),
            Some(EventColumn::TimestampNs) => narrow(&mut self.timestamps_ns, *comparison, &values, integer),
            Some(EventColumn::ReceivedAt) => narrow(&mut self.received_ns, *comparison, &values, time),
            Some(EventColumn::ReceivedAtNs) => narrow(&mut self.received_ns, *comparison, &values, integer),
            Some(EventColumn::Payload) | None => {}
        }
    }

    /// The conditions on sources, for the columns that the engine keeps of them.
    pub(super) fn of_sources(&self) -> Option<Arc<dyn PayloadConditions>> {
        let mut builder = FilterBuilder::new(0);
        for source in self.sources.as_deref().unwrap_or_default() {
            builder.add("source", source).ok()?;
        }
        // With more values than a filter may have, events are compared one by one.
        builder.build().ok()?.1.conditions()
    }

    /// The columns that are neither asked for nor needed for these conditions.
    pub(super) fn unread(&self, used: ColumnsUsed) -> Unread {
        let is_used = |column: EventColumn| used.include(column as usize);
        Unread {
            event_ids: !is_used(EventColumn::EventId) && self.event_ids.is_none(),
            sources: !is_used(EventColumn::Source) && self.sources.is_none(),
            payloads: !is_used(EventColumn::Payload),
        }
    }

    /// Whether an event meets them, its partition left out.
    pub(super) fn hold(&self, event: &StoredEvent) -> bool {
        let is_among = |names: &Option<Vec<String>>, name: &str| {
            names.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
        };
        self.timestamps_ns.contains(&event.timestamp_ns)
            && self.received_ns.contains(&event.received_at_ns)
            && is_among(&self.topics, &event.topic)
            && is_among(&self.sources, &event.source)
            && is_among(&self.event_ids, &event.event_id)
    }
}

/// The text that a value is compared as with a column of texts. `None` where that is not plain.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

fn time(value: &Value) -> Option<i64> {
    match value {
        Value::Text(text) => parse_timestamp(text).ok(),
        _ => None,
    }
}

fn narrow_names(names: &mut Option<Vec<String>>, values: &[&Value]) {
    let Some(wanted) = values.iter().map(|value| name(value)).collect::<Option<Vec<_>>>() else { return };
    match names {
        Some(names) => names.retain(|name| wanted.contains(name)),
        None => *names = Some(wanted),
    }
}

fn narrow(
    range: &mut RangeInclusive<i64>,
    comparison: Comparison,
    values: &[&Value],
    read: impl Fn(&Value) -> Option<i64>,
) {
    let Some(numbers) = values.iter().map(|value| read(value)).collect::<Option<Vec<_>>>() else { return };
    let (Some(&least), Some(&greatest)) = (numbers.iter().min(), numbers.iter().max()) else { return };
    // At the ends of 64 bits the range is wider by one, which does no harm.
    let (from, to) = match comparison {
        Comparison::Equal => (least, greatest),
        Comparison::Above => (least.saturating_add(1), i64::MAX),
        Comparison::AtLeast => (least, i64::MAX),
        Comparison::Below => (i64::MIN, greatest.saturating_sub(1)),
        Comparison::AtMost => (i64::MIN, greatest),
    };
    *range = *range.start().max(&from)..=*range.end().min(&to);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(column: EventColumn, comparison: Comparison, values: &[Value]) -> Condition {
        Condition { column: column as usize, comparison, values: values.to_vec() }
    }

    #[test]
    fn conditions_narrow_each_other() {
        let text = |text: &str| Value::Text(text.to_owned());
        let conditions = EventConditions::new(&[
            condition(EventColumn::Topic, Comparison::Equal, &[text("a"), text("b"), Value::Null]),
            condition(EventColumn::Topic, Comparison::Equal, &[text("b")]),
            condition(EventColumn::Seq, Comparison::Above, &[Value::Integer(4)]),
            condition(EventColumn::Seq, Comparison::AtMost, &[Value::Integer(9)]),
            condition(EventColumn::Timestamp, Comparison::AtLeast, &[text("1970-01-01 00:00:01")]),
        ]);
        assert_eq!(conditions.topics, Some(vec!["b".to_owned()]));
        assert_eq!((conditions.seqs, conditions.timestamps_ns), (5..=9, 1_000_000_000..=i64::MAX));
        assert!(!conditions.is_never);
    }

    #[test]
    fn a_value_of_another_kind_is_left_to_sqlite() {
        let conditions = EventConditions::new(&[
            condition(EventColumn::Topic, Comparison::Equal, &[Value::Real(1.0)]),
            condition(EventColumn::Seq, Comparison::Equal, &[Value::Text("1".to_owned())]),
            condition(EventColumn::Timestamp, Comparison::Above, &[Value::Integer(20_251_024)]),
        ]);
        assert_eq!(conditions, EventConditions::new(&[]));
    }

    #[test]
    fn what_cannot_be_is_not_looked_for() {
        for values in [[Value::Null], [Value::Integer(i64::MAX)]] {
            let conditions = [
                condition(EventColumn::Seq, Comparison::AtLeast, &values),
                condition(EventColumn::Seq, Comparison::Below, &[Value::Integer(3)]),
            ];
            assert!(EventConditions::new(&conditions).is_never);
        }
    }
}
