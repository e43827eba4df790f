//! The query parameters that select events, the same wherever events are read or counted.

use super::answer::{ApiError, wrong_parameter};
use super::guard::not_for;
use super::parameters::Parameters;
use crate::access::Grant;
use crate::clock::now_ns;
use crate::query::{EventQuery, WrongFilter};

/// Reads the filters of a request, for a client with `grant`.
///
/// # Errors
/// One of them has no valid value; `forbidden` for a topic that the grant is not for, whether it
/// exists or not.
pub(super) fn parse_event_query(parameters: &Parameters<'_>, grant: &Grant) -> Result<EventQuery, ApiError> {
    admit(EventQuery::parse(parameters.filters(), now_ns())?, grant)
}

/// Limits a query to the topics of a grant.
///
/// # Errors
/// `forbidden`: it names a topic that the grant is not for.
pub(super) fn admit(mut query: EventQuery, grant: &Grant) -> Result<EventQuery, ApiError> {
    if let Some(topic) = query.topics.names().find(|topic| !grant.is_for(topic)) {
        return Err(not_for(topic));
    }
    // The only topic that is named is admitted already.
    query.limits = if query.topics.only().is_some() { None } else { grant.limits() };
    Ok(query)
}

impl From<WrongFilter> for ApiError {
    fn from(wrong: WrongFilter) -> Self {
        wrong_parameter(&wrong.parameter, &wrong.reason, &[])
    }
}
