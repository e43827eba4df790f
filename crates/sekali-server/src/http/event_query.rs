//! The query parameters that select events, the same wherever events are read or counted.

use sekali_wire::timestamp::parse_timestamp;

use super::answer::{ApiError, wrong_parameter};
use super::guard::not_for;
use super::parameters::Parameters;
use crate::access::Grant;
use crate::limits::{CONDITION_LEVELS_MAX, CONDITIONS_MAX, QUERY_TEXT_BYTES_MAX};
use crate::query::{Condition, EventQuery, Filter, TextSearch};

/// Reads `topic`, `since`, `until`, `source`, `event_id`, `q` and conditions on the payload, for a
/// client with `grant`.
///
/// # Errors
/// One of them has no valid value; `forbidden` for a topic that the grant is not for, whether it
/// exists or not.
pub(super) fn parse_event_query(parameters: &Parameters<'_>, grant: &Grant) -> Result<EventQuery, ApiError> {
    let text = |name| parameters.get(name).map(str::to_owned);
    let filter = Filter {
        since_ns: time(parameters, "since")?,
        until_ns: time(parameters, "until")?,
        source: text("source"),
        event_id: not_empty(parameters, "event_id")?.map(str::to_owned),
        payload: conditions(parameters)?,
        text: wanted_text(parameters)?.map(TextSearch::new),
    };
    if filter.since_ns.zip(filter.until_ns).is_some_and(|(since, until)| since > until) {
        return Err(wrong_parameter("until", "must not be before `since`", &[]));
    }
    let topic = not_empty(parameters, "topic")?.map(str::to_owned);
    let limits = match &topic {
        Some(topic) if !grant.is_for(topic) => return Err(not_for(topic)),
        Some(_) => None,
        None => grant.limits(),
    };
    Ok(EventQuery { topic, filter, limits })
}

fn not_empty<'q>(parameters: &'q Parameters<'_>, name: &'static str) -> Result<Option<&'q str>, ApiError> {
    match parameters.get(name) {
        Some("") => Err(wrong_parameter(name, "must not be empty", &[])),
        value => Ok(value),
    }
}

fn wanted_text<'q>(parameters: &'q Parameters<'_>) -> Result<Option<&'q str>, ApiError> {
    let text = not_empty(parameters, "q")?;
    match text.filter(|text| text.len() > QUERY_TEXT_BYTES_MAX) {
        Some(text) => {
            let reason = format!("must have at most {QUERY_TEXT_BYTES_MAX} bytes, and has {}", text.len());
            Err(wrong_parameter("q", &reason, &[]))
        }
        None => Ok(text),
    }
}

fn time(parameters: &Parameters<'_>, name: &'static str) -> Result<Option<i64>, ApiError> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let time = parse_timestamp(text).map_err(|reason| {
        let hint = if text.contains(' ') { "; a `+` in a query is written %2B" } else { "" };
        wrong_parameter(name, &format!("{reason}{hint}"), &[])
    });
    time.map(Some)
}

fn conditions(parameters: &Parameters<'_>) -> Result<Vec<Condition>, ApiError> {
    let conditions = parameters
        .payload()
        .map(|(name, path, value)| Condition::parse(path, value).map_err(|reason| wrong_parameter(name, &reason, &[])));
    let conditions: Vec<_> = conditions.collect::<Result<_, _>>()?;
    if conditions.len() > CONDITIONS_MAX {
        return Err(wrong_parameter("payload.<path>", &format!("given more than {CONDITIONS_MAX} times"), &[]));
    }
    if conditions.iter().map(Condition::levels).sum::<usize>() > CONDITION_LEVELS_MAX {
        let reason = format!("the paths have more than {CONDITION_LEVELS_MAX} levels together");
        return Err(wrong_parameter("payload.<path>", &reason, &[]));
    }
    Ok(conditions)
}
