//! The query parameters that say which events are looked for, the same wherever events are read or counted.

use super::auth::not_for;
use super::error::ApiError;
use super::query::{Query, wrong};
use crate::access::{Grant, Topics};
use crate::filter::{Condition, Filter, TextSearch};
use crate::limits::CONDITIONS_MAX;
use sekali_wire::timestamp::parse_timestamp;

/// What the filter of a query says, the topic included, and what may be read of that.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) topic: Option<String>,
    pub(super) filter: Filter,
    /// The topics that the reader is limited to. `None` where `topic` is theirs, or they may read all.
    pub(super) limits: Option<Topics>,
}

impl Wanted {
    /// Reads `topic`, `since`, `until`, `source`, `event_id`, `q` and conditions on the payload, for whoever has `grant`.
    ///
    /// # Errors
    /// One of them has no valid value; `forbidden` for a topic that the grant is not for, whether it exists or not.
    pub(super) fn parse(query: &Query<'_>, grant: &Grant) -> Result<Self, ApiError> {
        let text = |name| query.get(name).map(str::to_owned);
        let filter = Filter {
            since_ns: time(query, "since")?,
            until_ns: time(query, "until")?,
            source: text("source"),
            event_id: not_empty(query, "event_id")?.map(str::to_owned),
            payload: conditions(query)?,
            text: not_empty(query, "q")?.map(TextSearch::new),
        };
        if filter.since_ns.zip(filter.until_ns).is_some_and(|(since, until)| since > until) {
            return Err(wrong("until", "must not be before `since`", &[]));
        }
        let topic = not_empty(query, "topic")?.map(str::to_owned);
        let limits = match &topic {
            Some(topic) if !grant.is_for(topic) => return Err(not_for(topic)),
            Some(_) => None,
            None => grant.limits(),
        };
        Ok(Self { topic, filter, limits })
    }
}

fn not_empty<'q>(query: &'q Query<'_>, name: &'static str) -> Result<Option<&'q str>, ApiError> {
    match query.get(name) {
        Some("") => Err(wrong(name, "must not be empty", &[])),
        value => Ok(value),
    }
}

fn time(query: &Query<'_>, name: &'static str) -> Result<Option<i64>, ApiError> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let time = parse_timestamp(text).map_err(|reason| {
        let hint = if text.contains(' ') { "; a `+` in a query is written %2B" } else { "" };
        wrong(name, &format!("{reason}{hint}"), &[])
    });
    time.map(Some)
}

fn conditions(query: &Query<'_>) -> Result<Vec<Condition>, ApiError> {
    let conditions = query
        .payload()
        .map(|(name, path, value)| Condition::parse(path, value).map_err(|reason| wrong(name, &reason, &[])));
    let conditions: Vec<_> = conditions.collect::<Result<_, _>>()?;
    if conditions.len() > CONDITIONS_MAX {
        return Err(wrong("payload.<path>", &format!("given more than {CONDITIONS_MAX} times"), &[]));
    }
    Ok(conditions)
}
