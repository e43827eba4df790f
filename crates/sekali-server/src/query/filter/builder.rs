//! Filters from the parameters of a request: several values of one parameter are alternatives,
//! different parameters must all hold.

use std::sync::Arc;

use super::number::parse_number;
use super::parameter::{NameOperator, PAYLOAD_PREFIX, Parameter, PlaceOperator};
use super::path::Path;
use super::pattern::Pattern;
use super::payload::PayloadFilter;
use super::place::PlaceConditions;
use super::wanted::Wanted;
use super::{Filter, NameConditions, TextSearch, TopicConditions};
use crate::limits::{CONDITION_LEVELS_MAX, CONDITIONS_MAX, FILTER_VALUES_MAX, PATTERNS_MAX, QUERY_TEXT_BYTES_MAX};
use sekali_wire::timestamp::parse_moment;

/// A parameter that makes no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {reason}")]
pub struct WrongFilter {
    /// Its name, as it was given.
    pub parameter: String,
    /// The reason for refusing it, and the remedy.
    pub reason: String,
}

/// Takes the parameters of a filter one by one.
#[derive(Debug)]
pub struct FilterBuilder {
    now_ns: i64,
    topics: TopicConditions,
    filter: Filter,
    payload: PayloadFilter,
    patterns: usize,
}

impl FilterBuilder {
    /// An empty filter. Times that are told by how long ago they were are before `now_ns`.
    pub fn new(now_ns: i64) -> Self {
        let (topics, filter, payload) = (TopicConditions::default(), Filter::default(), PayloadFilter::default());
        Self { now_ns, topics, filter, payload, patterns: 0 }
    }

    /// Adds a parameter.
    ///
    /// # Errors
    /// It is no filter, its value is none for it, or it may be given once only and was.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), WrongFilter> {
        self.add_parameter(name, value).map_err(|reason| WrongFilter { parameter: name.to_owned(), reason })
    }

    fn add_parameter(&mut self, name: &str, value: &str) -> Result<(), String> {
        let parameter = Parameter::parse(name).ok_or("is no filter")?;
        match parameter {
            Parameter::Since => {
                let time = parse_time(value, self.now_ns)?;
                set_once(&mut self.filter.since_ns, time)
            }
            Parameter::Until => {
                let time = parse_time(value, self.now_ns)?;
                set_once(&mut self.filter.until_ns, time)
            }
            Parameter::Topic { not } => {
                let topic = not_empty(value)?;
                if not {
                    self.topics.leave_out(topic);
                } else {
                    self.topics.want(topic);
                }
                Ok(())
            }
            Parameter::Source(operator) => self.add_name(|builder| &mut builder.payload.source, operator, value),
            Parameter::EventId(operator) => {
                let value = not_empty(value)?;
                self.add_name(|builder| &mut builder.filter.event_id, operator, value)
            }
            Parameter::Place(operator, path) => self.add_place(operator, path, value),
            Parameter::Has { not } => {
                let path = Path::parse(value.strip_prefix(PAYLOAD_PREFIX).unwrap_or(value))?;
                let paths = if not { &mut self.payload.has_not } else { &mut self.payload.has };
                paths.push(path);
                Ok(())
            }
            Parameter::Text { not } => {
                let text = parse_text(value)?;
                let texts = if not { &mut self.payload.text_not } else { &mut self.payload.text };
                texts.push(TextSearch::new(text));
                Ok(())
            }
        }
    }

    fn add_name(
        &mut self,
        conditions: impl Fn(&mut Self) -> &mut NameConditions,
        operator: NameOperator,
        value: &str,
    ) -> Result<(), String> {
        match operator {
            NameOperator::Is => conditions(self).any.push(value.to_owned()),
            NameOperator::Not => conditions(self).none.push(value.to_owned()),
            NameOperator::Match => {
                let pattern = self.pattern(value)?;
                conditions(self).matches.push(pattern);
            }
        }
        Ok(())
    }

    fn add_place(&mut self, operator: PlaceOperator, path: &str, value: &str) -> Result<(), String> {
        if value.is_empty() && path.contains(['<', '>', '~']) && !path.contains('\\') {
            return Err("has no value: comparisons are words before the name, like min.payload.ms=100 or \
                        match.payload.path=^/api"
                .to_owned());
        }
        let path = Path::parse(path)?;
        let pattern = if operator == PlaceOperator::Match { Some(self.pattern(value)?) } else { None };
        let place = self.place(path);
        match operator {
            PlaceOperator::Is => place.any.push(Wanted::parse(value)?),
            PlaceOperator::Not => place.none.push(Wanted::parse(value)?),
            PlaceOperator::Match => place.matches.extend(pattern),
            PlaceOperator::Min | PlaceOperator::Below => {
                let number = parse_number(value.as_bytes());
                let number = number.ok_or("must be a number as JSON writes it, like 100, -1.5 or 1e6")?.into_owned();
                let range = &mut place.range;
                return set_once(
                    if operator == PlaceOperator::Min { &mut range.min } else { &mut range.below },
                    number,
                );
            }
        }
        Ok(())
    }

    /// The conditions on a place, which are empty at first.
    fn place(&mut self, path: Path) -> &mut PlaceConditions {
        let places = &mut self.payload.places;
        let at = places.iter().position(|place| *place.path() == path).unwrap_or_else(|| {
            places.push(PlaceConditions::new(path));
            places.len() - 1
        });
        &mut places[at]
    }

    fn pattern(&mut self, value: &str) -> Result<Pattern, String> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(format!("is one of more than {PATTERNS_MAX} regular expressions: join them with `|`"));
        }
        Pattern::new(value)
    }

    /// The topics and the filter.
    ///
    /// # Errors
    /// The parameters contradict each other, or are too many together.
    pub fn build(self) -> Result<(TopicConditions, Filter), WrongFilter> {
        let wrong = |parameter: &str, reason: String| WrongFilter { parameter: parameter.to_owned(), reason };
        let Self { topics, mut filter, payload, .. } = self;
        if filter.since_ns.zip(filter.until_ns).is_some_and(|(since, until)| since > until) {
            return Err(wrong("until", "must not be before `since`".to_owned()));
        }
        if topics.mix_reserved() {
            let reason = "reserved topics, which begin with `$`, are read one at a time, and by name";
            return Err(wrong("topic", reason.to_owned()));
        }
        let paths = || payload.places.iter().map(PlaceConditions::path).chain(&payload.has).chain(&payload.has_not);
        if paths().count() > CONDITIONS_MAX {
            return Err(wrong("payload.<path>", format!("there are conditions on more than {CONDITIONS_MAX} places")));
        }
        if paths().map(Path::levels).sum::<usize>() > CONDITION_LEVELS_MAX {
            let reason = format!("the paths have more than {CONDITION_LEVELS_MAX} levels together");
            return Err(wrong("payload.<path>", reason));
        }
        let names = payload.source.comparisons() + filter.event_id.comparisons() + topics.comparisons();
        let texts = payload.text.len() + payload.text_not.len();
        let values = payload.places.iter().map(PlaceConditions::comparisons).sum::<usize>() + names + texts;
        if values > FILTER_VALUES_MAX || texts > CONDITIONS_MAX {
            let reason =
                format!("there are more than {FILTER_VALUES_MAX} values, or {CONDITIONS_MAX} texts, in one query");
            return Err(wrong("q", reason));
        }
        filter.payload = Arc::new(payload);
        Ok((topics, filter))
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err("given more than once".to_owned()),
    }
}

fn not_empty(value: &str) -> Result<&str, String> {
    if value.is_empty() { Err("must not be empty".to_owned()) } else { Ok(value) }
}

fn parse_text(value: &str) -> Result<&str, String> {
    let text = not_empty(value)?;
    match text.len() {
        ..=QUERY_TEXT_BYTES_MAX => Ok(text),
        bytes => Err(format!("must have at most {QUERY_TEXT_BYTES_MAX} bytes, and has {bytes}")),
    }
}

fn parse_time(value: &str, now_ns: i64) -> Result<i64, String> {
    let hint = if value.contains(' ') && value.contains(':') { "; a `+` in a query is written %2B" } else { "" };
    parse_moment(value, now_ns).map_err(|reason| format!("{reason}{hint}"))
}
