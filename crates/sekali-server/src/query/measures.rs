//! One number of each event summed up: for all events, by groups, and over time.

use std::collections::HashMap;

use sekali_store::{ColumnRows, ColumnsWanted, EventView, TimesWanted, Unread};
use sekali_wire::json::Reader;

use super::filter::parse_number;
use super::reader_view::ReaderView;
use super::row_counts::{AlikeRows, count_rows};
use super::{Aggregate, Field, Groups, Histogram, NumberSummary, QueryError};
use crate::limits::MEASURES_MAX;

/// The number of an event that is summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measure {
    /// A place in the payload.
    Field(Field),
    /// Seconds from `timestamp` to `received_at`.
    Delay,
    /// Bytes of the payload.
    Size,
}

impl Measure {
    /// Reads the name of a number: `delay`, `size`, or `payload.` and a path.
    ///
    /// # Errors
    /// It names no number.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "delay" => Ok(Self::Delay),
            "size" => Ok(Self::Size),
            _ if name.starts_with("payload.") => Ok(Self::Field(Field::parse(name)?)),
            _ => Err(format!("`{name}` is no number of an event: there are payload.<path>, delay and size")),
        }
    }

    /// Its path, if it is a place of the payload.
    fn place(&self) -> Option<String> {
        if let Self::Field(field) = self { field.place() } else { None }
    }

    /// The number in an event.
    fn of(&self, event: &EventView<'_>) -> Value {
        match self {
            Self::Delay => {
                let delay_ns = i128::from(event.received_at_ns) - i128::from(event.timestamp_ns);
                Value::Number(delay_ns as f64 / 1e9)
            }
            Self::Size => Value::Number(event.payload.len() as f64),
            Self::Field(field) => field.in_payload(event.payload).map_or(Value::Missing, number_of),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Number(f64),
    NoNumber,
    Missing,
}

/// The number that a JSON value is or, as a string, says.
fn number_of(value: &[u8]) -> Value {
    let text = match value.first() {
        Some(b'"') => Reader::new(value).string(),
        _ => Some(value.into()),
    };
    let text = text.filter(|text| parse_number(text).is_some());
    let number = text.and_then(|text| std::str::from_utf8(&text).ok()?.parse::<f64>().ok());
    number.filter(|number| number.is_finite()).map_or(Value::NoNumber, Value::Number)
}

/// Sums in progress, and their result.
#[derive(Debug)]
pub(crate) struct Measures {
    measure: Measure,
    /// Of all events.
    pub(crate) total: NumberSummary,
    /// Events without the number's field.
    pub(crate) missing: u64,
    /// Events whose field holds no finite number.
    pub(crate) not_numbers: u64,
    /// The groups; counts are of events with a number.
    pub(crate) groups: Option<Groups>,
    /// Events with a number, over time.
    pub(crate) histogram: Option<Histogram>,
    /// By the number of the group, and by interval where there is a histogram.
    parts: HashMap<(Option<u32>, Option<i64>), NumberSummary>,
    is_whole: bool,
}

impl Measures {
    /// No events yet.
    pub(crate) fn new(measure: Measure, by: Vec<Field>, histogram: Option<Histogram>) -> Self {
        Self {
            measure,
            total: NumberSummary::default(),
            missing: 0,
            not_numbers: 0,
            groups: (!by.is_empty()).then(|| Groups::new(by)),
            histogram,
            parts: HashMap::new(),
            is_whole: true,
        }
    }

    /// The numbers of a group, or of all events, in an interval or at all times.
    pub(crate) fn part(&self, group: Option<u32>, interval: Option<i64>) -> Option<&NumberSummary> {
        self.parts.get(&(group, interval))
    }

    /// Whether every group and interval was told apart.
    pub(crate) fn is_exact(&self) -> bool {
        self.is_whole && self.groups.as_ref().is_none_or(Groups::is_exact)
    }

    /// The number of events that have this value; the others are counted.
    fn number(&mut self, value: &Value, events: u64) -> Option<f64> {
        match value {
            Value::Number(number) => return Some(*number),
            Value::NoNumber => self.not_numbers += events,
            Value::Missing => self.missing += events,
        }
        None
    }

    /// Sums up the number of events of an interval and a group, which is `None` within if it is not
    /// told apart.
    fn add_number(&mut self, number: f64, group: Option<Option<u32>>, interval: Option<i64>, events: u64) {
        self.total.add_many(number, events);
        let Some(group) = group.map_or(Some(None), |group| group.map(Some)) else { return };
        if group.is_some() {
            self.add_to((group, None), number, events);
        }
        if interval.is_some() {
            self.add_to((group, interval), number, events);
        }
    }

    fn add_to(&mut self, part: (Option<u32>, Option<i64>), number: f64, events: u64) {
        let is_full = self.parts.len() >= MEASURES_MAX;
        match self.parts.get_mut(&part) {
            Some(summary) => summary.add_many(number, events),
            None if is_full => self.is_whole = false,
            None => self.parts.entry(part).or_default().add_many(number, events),
        }
    }
}

impl Aggregate for Measures {
    fn view(&self) -> ReaderView {
        let all = Unread { event_ids: true, sources: true, payloads: true };
        let groups = self.groups.as_ref().map_or(all, Groups::unread);
        let unread = Unread { payloads: groups.payloads && self.measure == Measure::Delay, ..groups };
        let times = if self.histogram.is_some() { TimesWanted::Exact } else { TimesWanted::None };
        let groups = self.groups.as_ref().map_or_else(|| Some(Vec::new()), Groups::members);
        // The number is behind the groups.
        let members = groups.zip(self.measure.place()).map(|(groups, place)| [groups, vec![place]].concat());
        let columns = members.map(|members| ColumnsWanted { times, members, counts: false });
        ReaderView { unread, columns }
    }

    fn add_columns(&mut self, columns: &ColumnRows, wants: &dyn Fn(&str) -> bool) -> Result<u64, QueryError> {
        let group_fields = self.groups.as_ref().and_then(Groups::members).map_or(0, |members| members.len());
        let texts: Vec<_> = (0..group_fields).map(|number| columns.texts(number)).collect();
        // Each distinct text is looked at once.
        let value_of = |text: &Option<&[u8]>| text.map_or(Value::Missing, number_of);
        let values: Vec<_> = columns.texts(group_fields).iter().map(value_of).collect();
        let mut events = 0;
        for topic in columns.topics().filter(|topic| wants(topic.topic)) {
            events += topic.rows as u64;
            let interval = self.histogram.as_ref().map(Histogram::interval);
            for AlikeRows { interval, codes, rows } in count_rows(&topic, interval) {
                let code = codes.get(group_fields).copied().unwrap_or_default();
                let Some(number) = self.number(values.get(usize::from(code)).unwrap_or(&Value::Missing), rows) else {
                    continue;
                };
                let interval = match &mut self.histogram {
                    Some(histogram) => histogram.add_many(interval, rows).map(|()| Some(interval))?,
                    None => None,
                };
                let group = self.groups.as_mut().map(|groups| {
                    let texts = texts.iter().zip(codes);
                    let texts = texts.map(|(texts, code)| texts.get(usize::from(code)).copied().flatten());
                    groups.add_many(topic.topic, &texts.collect::<Vec<_>>(), None, rows)
                });
                self.add_number(number, group, interval, rows);
            }
        }
        Ok(events)
    }

    fn add(&mut self, event: &EventView<'_>) -> Result<(), QueryError> {
        let Some(number) = self.number(&self.measure.of(event), 1) else { return Ok(()) };
        let interval = self.histogram.as_mut().map(|histogram| histogram.add(event.timestamp_ns)).transpose()?;
        let group = self.groups.as_mut().map(|groups| groups.add(event, None));
        self.add_number(number, group, interval, 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::test_event::test_event;

    fn measure(name: &str) -> Measures {
        let mut measures =
            Measures::new(Measure::parse(name).unwrap(), Field::parse_list("payload.k", 1).unwrap(), None);
        for payload in [
            r#"{"n":1,"k":"a"}"#,
            r#"{"n":"2.5","k":"a"}"#,
            r#"{"n":1e999,"k":"a"}"#,
            r#"{"n":"x","k":"b"}"#,
            r#"{"n":null}"#,
            r#"{"n":4}"#,
            "{}",
        ] {
            measures.add(&test_event(payload).view()).unwrap();
        }
        measures
    }

    #[test]
    fn numbers_are_summed_up_and_the_rest_is_counted() {
        let measures = measure("payload.n");
        assert_eq!((measures.total.count(), measures.total.sum()), (3, 7.5));
        assert_eq!((measures.missing, measures.not_numbers), (1, 3));
        let groups = measures.groups.as_ref().unwrap();
        let top = groups.top(10);
        assert_eq!((top.len(), groups.missing()), (1, 1));
        assert_eq!(measures.part(Some(top[0].number()), None).unwrap().sum(), 3.5);
    }

    #[test]
    fn delay_and_size_are_there_without_a_payload_member() {
        assert_eq!(measure("delay").total.range(), Some((1.499_999_995, 1.499_999_995)));
        assert_eq!(measure("size").total.range(), Some((2.0, 19.0)));
        assert!(Measure::parse("topic").is_err());
    }
}
