//! One number of each event summed up: for all events, by groups, and over time.

use std::collections::HashMap;

use sekali_store::{EventView, Unread};
use sekali_wire::json::Reader;

use super::filter::parse_number;
use super::reader_view::ReaderView;
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

    fn add_to(&mut self, part: (Option<u32>, Option<i64>), number: f64) {
        let is_full = self.parts.len() >= MEASURES_MAX;
        match self.parts.get_mut(&part) {
            Some(summary) => summary.add(number),
            None if is_full => self.is_whole = false,
            None => self.parts.entry(part).or_default().add(number),
        }
    }
}

impl Aggregate for Measures {
    fn view(&self) -> ReaderView {
        let all = Unread { event_ids: true, sources: true, payloads: true };
        let groups = self.groups.as_ref().map_or(all, Groups::unread);
        let unread = Unread { payloads: groups.payloads && self.measure == Measure::Delay, ..groups };
        ReaderView { unread, columns: None }
    }

    fn add(&mut self, event: &EventView<'_>) -> Result<(), QueryError> {
        let number = match self.measure.of(event) {
            Value::Number(number) => number,
            Value::NoNumber => {
                self.not_numbers += 1;
                return Ok(());
            }
            Value::Missing => {
                self.missing += 1;
                return Ok(());
            }
        };
        self.total.add(number);
        let interval = self.histogram.as_mut().map(|histogram| histogram.add(event.timestamp_ns)).transpose()?;
        let group = match &mut self.groups {
            Some(groups) => match groups.add(event, None) {
                Some(group) => Some(group),
                None => return Ok(()),
            },
            None => None,
        };
        if group.is_some() {
            self.add_to((group, None), number);
        }
        if interval.is_some() {
            self.add_to((group, interval), number);
        }
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
