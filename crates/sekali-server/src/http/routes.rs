//! The routes of the API: one table, and one file each.

mod count;
mod event;
mod event_stats;
mod events;
mod fields;
mod health;
mod publish;
mod stats;
mod topics;

use hyper::Method;

use super::answer::{ApiError, HeaderClass};
use super::parameters::FILTERS;
use super::route::{Admitted, Answering, Route};
use crate::access::Scope;

const READ: Option<Scope> = Some(Scope::Read);
const NONE: &[&str] = &[];
const EVENTS: &[&str] = &[FILTERS, "order", "limit", "after"];
const COUNT: &[&str] = &[FILTERS, "by", "top", "interval", "auto", "within"];

const FIELDS: &[&str] = &[FILTERS, "sample", "values", "field", "below", "compare", "within"];
const EVENT_STATS: &[&str] = &[FILTERS, "field", "percentiles", "by", "top", "interval", "auto", "within"];

/// Every route there is.
pub static ROUTES: [Route; 10] = [
    Route {
        method: Method::POST,
        path: "/publish",
        scope: Some(Scope::Publish),
        headers: HeaderClass::Data,
        parameters: &[publish::INVALID, publish::VERBOSE],
        answer: |request| Box::pin(publish::publish(request)),
        refuse: ApiError::into_response,
    },
    get("/events", READ, EVENTS, |request| Box::pin(events::events(request))),
    get("/events/count", READ, COUNT, |request| Box::pin(count::count(request))),
    get("/events/fields", READ, FIELDS, |request| Box::pin(fields::fields(request))),
    get("/events/stats", READ, EVENT_STATS, |request| Box::pin(event_stats::event_stats(request))),
    get("/events/{topic}/{event_id}", READ, NONE, |request| Box::pin(event::event(request))),
    get("/topics", READ, &["limit", "after"], |request| Box::pin(topics::topics(request))),
    get("/stats", READ, NONE, |request| Box::pin(stats::stats(request))),
    get("/livez", None, NONE, |_| Box::pin(health::livez())),
    get("/readyz", None, NONE, |request| Box::pin(health::readyz(request))),
];

/// A route that returns data and words errors as the API does.
const fn get(
    path: &'static str,
    scope: Option<Scope>,
    parameters: &'static [&'static str],
    answer: fn(Box<Admitted>) -> Answering,
) -> Route {
    Route {
        method: Method::GET,
        path,
        scope,
        headers: HeaderClass::Data,
        parameters,
        answer,
        refuse: ApiError::into_response,
    }
}
