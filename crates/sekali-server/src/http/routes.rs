//! The routes of the API: one table, and one file each.

mod conflicts;
mod conflicts_count;
mod consumers;
mod context;
mod count;
mod duplicates;
mod event;
mod event_stats;
mod event_stream;
mod events;
mod exists;
mod fields;
mod health;
mod metrics;
mod openapi;
mod pages;
mod publish;
mod ship;
mod shippers;
mod sql;
mod stats;
mod stats_history;
mod topics;

pub(super) use ship::ANY;
pub(super) use shippers::GREETING;
pub use shippers::SHIPPER_ROUTES;

use hyper::Method;

use super::answer::{ApiError, HeaderClass};
use super::guard::KeyScheme;
use super::parameters::FILTERS;
use super::route::{Admitted, Answering, Route};
use crate::access::Scope;
use crate::pages::Page;
use crate::protocols::generic::Generic;

const BEARER: &[KeyScheme] = &[KeyScheme::Bearer];
const READ: Option<Scope> = Some(Scope::Read);
const NONE: &[&str] = &[];
const EVENTS: &[&str] = &[FILTERS, "order", "limit", "after", "wait", "columns", "format", "download"];
const CONFLICTS: &[&str] = &[FILTERS, "order", "limit", "after"];
const CONFLICTS_COUNT: &[&str] = &[FILTERS, "by", "top", "within"];
const CONTEXT: &[&str] = &[FILTERS, "before", "after", "same", "columns"];
const COUNT: &[&str] = &[FILTERS, "by", "top", "interval", "auto", "within"];

const FIELDS: &[&str] = &[FILTERS, "sample", "values", "field", "below", "compare", "within"];
const CONSUMER_EVENTS: &[&str] = &["limit", "after", "wait"];
const STREAM: &[&str] = &[FILTERS, "from", "after"];
const EVENT_STATS: &[&str] = &[FILTERS, "field", "percentiles", "by", "top", "interval", "auto", "within"];

/// Every route there is.
pub static ROUTES: [Route; 35] = [
    Route {
        method: Method::POST,
        path: "/publish",
        scope: Some(Scope::Publish),
        keys: BEARER,
        port: None,
        headers: HeaderClass::Data,
        parameters: &[publish::INVALID, publish::VERBOSE, publish::DRY_RUN],
        answer: |request| Box::pin(publish::publish(request)),
        refuse: ApiError::into_response,
    },
    Route {
        method: Method::POST,
        path: "/exists",
        scope: Some(Scope::Publish),
        keys: BEARER,
        port: None,
        headers: HeaderClass::Data,
        parameters: NONE,
        answer: |request| Box::pin(exists::exists(request)),
        refuse: ApiError::into_response,
    },
    Route {
        method: Method::POST,
        path: "/ingest",
        scope: Some(Scope::Publish),
        keys: BEARER,
        port: None,
        headers: HeaderClass::Data,
        parameters: &["topic", "id", "timestamp", "source", "records", "invalid"],
        answer: |request| Box::pin(ship::ship::<Generic>(request)),
        refuse: ApiError::into_response,
    },
    get("/events", READ, EVENTS, |request| Box::pin(events::events(request))),
    get("/events/count", READ, COUNT, |request| Box::pin(count::count(request))),
    get("/events/fields", READ, FIELDS, |request| Box::pin(fields::fields(request))),
    get("/events/stats", READ, EVENT_STATS, |request| Box::pin(event_stats::event_stats(request))),
    get("/events/stream", READ, STREAM, |request| Box::pin(event_stream::event_stream(request))),
    get("/events/{topic}/{event_id}", READ, NONE, |request| Box::pin(event::event(request))),
    get("/events/{topic}/{event_id}/context", READ, CONTEXT, |request| Box::pin(context::context(request))),
    get("/conflicts", READ, CONFLICTS, |request| Box::pin(conflicts::conflicts(request))),
    get("/conflicts/count", READ, CONFLICTS_COUNT, |request| Box::pin(conflicts_count::conflicts_count(request))),
    Route {
        method: Method::POST,
        path: "/sql",
        scope: READ,
        keys: BEARER,
        port: None,
        headers: HeaderClass::Data,
        parameters: &["format", "within"],
        answer: |request| Box::pin(sql::sql(request)),
        refuse: ApiError::into_response,
    },
    get("/duplicates", READ, &["top"], |request| Box::pin(duplicates::duplicates(request))),
    get("/consumers", READ, NONE, |request| Box::pin(consumers::list(request))),
    get("/consumers/{name}", READ, NONE, |request| Box::pin(consumers::get(request))),
    with(Method::PUT, "/consumers/{name}", |request| Box::pin(consumers::put(request))),
    with(Method::DELETE, "/consumers/{name}", |request| Box::pin(consumers::delete(request))),
    get("/consumers/{name}/events", READ, CONSUMER_EVENTS, |request| Box::pin(consumers::events(request))),
    with(Method::POST, "/consumers/{name}/ack", |request| Box::pin(consumers::ack(request))),
    with(Method::POST, "/consumers/{name}/reset", |request| Box::pin(consumers::reset(request))),
    get("/topics", READ, &["limit", "after"], |request| Box::pin(topics::topics(request))),
    get("/stats", READ, NONE, |request| Box::pin(stats::stats(request))),
    get("/stats/history", READ, NONE, |request| Box::pin(stats_history::stats_history(request))),
    get("/metrics", READ, NONE, |request| Box::pin(metrics::metrics(request))),
    get("/openapi.json", None, NONE, |request| Box::pin(openapi::openapi(request))),
    get("/livez", None, NONE, |_| Box::pin(health::livez())),
    get("/readyz", None, NONE, |request| Box::pin(health::readyz(request))),
    page("/", HeaderClass::Page, |request| Box::pin(pages::home(request))),
    page("/explore", HeaderClass::Page, |request| Box::pin(pages::page(request, Page::Explore))),
    page("/event/{topic}/{event_id}", HeaderClass::Page, |request| Box::pin(pages::page(request, Page::Event))),
    page("/integrity", HeaderClass::Page, |request| Box::pin(pages::page(request, Page::Integrity))),
    page("/sql", HeaderClass::Page, |request| Box::pin(pages::page(request, Page::Sql))),
    page("/docs", HeaderClass::Page, |request| Box::pin(pages::page(request, Page::Docs))),
    page("/assets/{version}/{name}", HeaderClass::Asset, |request| Box::pin(pages::file(request))),
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
        keys: BEARER,
        port: None,
        headers: HeaderClass::Data,
        parameters,
        answer,
        refuse: ApiError::into_response,
    }
}

/// A page, or a file of pages. They hold no data. The query of a page is for its own scripts.
const fn page(path: &'static str, headers: HeaderClass, answer: fn(Box<Admitted>) -> Answering) -> Route {
    Route {
        method: Method::GET,
        path,
        scope: None,
        keys: BEARER,
        port: None,
        headers,
        parameters: NONE,
        answer,
        refuse: ApiError::into_response,
    }
}

/// A route for readers that changes where a consumer is.
const fn with(method: Method, path: &'static str, answer: fn(Box<Admitted>) -> Answering) -> Route {
    Route {
        method,
        path,
        scope: READ,
        keys: BEARER,
        port: None,
        headers: HeaderClass::Data,
        parameters: NONE,
        answer,
        refuse: ApiError::into_response,
    }
}
