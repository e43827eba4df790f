//! `GET /events`

mod page;
mod stream;

use std::sync::Arc;

use hyper::header::{CONTENT_DISPOSITION, HeaderValue};
use sekali_store::Order;

use crate::http::answer::{AnswerFormat, ApiError, media, wrong_parameter};
use crate::http::download::disposition;
use crate::http::event_query::parse_event_query;
use crate::http::page::{PageQuery, parse_wait};
use crate::http::reading::columns;
use crate::http::route::{Admitted, Answer};
use crate::limits::{PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};
use crate::query::{Columns, CursorScope, EventQuery, Positions};

/// Stored events in order: a page of them as an array, or all of them as lines or rows.
pub(super) async fn events(request: Box<Admitted>) -> Answer {
    let (query, mut page) = PageRequest::parse(&request)?;
    let wait = parse_wait(&request, &request.parameters()?)?;
    let download = page.download.take();
    let service = &request.app.shared.service;
    let mut response = if page.format.is_stream() {
        if wait.is_some() {
            return Err(wrong_parameter(
                "wait",
                "is for pages in JSON: GET /events/stream is a stream that waits",
                &[],
            ));
        }
        let cursor = service.events(query, page.order, page.after.clone());
        stream::answer(service, request.client(), cursor, page)?
    } else {
        if wait.is_some() && page.order == Order::Descending {
            return Err(wrong_parameter("wait", "new events come last: leave `order=desc` out", &[]));
        }
        let (after, limit) = (page.after.clone(), page.limit.unwrap_or(PAGE_EVENTS_MAX));
        let columns = page.columns.take().map(Arc::new);
        let wanted = PageQuery { query: Arc::new(query), order: page.order, after, limit, columns, wait };
        page::answer(service, request.client(), page, wanted).await?
    };
    if let Some(download) = download {
        response.headers_mut().insert(CONTENT_DISPOSITION, download);
    }
    Ok(response)
}

/// A part of the events of a query: from where, in which order, how many.
pub(in crate::http) struct PageRequest {
    /// The query string without its cursor.
    query: String,
    topic: Option<String>,
    order: Order,
    after: Positions,
    /// Most events to answer with.
    pub(in crate::http) limit: Option<u64>,
    /// Only these fields of them.
    pub(in crate::http) columns: Option<Columns>,
    pub(in crate::http) format: AnswerFormat,
    download: Option<HeaderValue>,
}

impl PageRequest {
    fn parse(request: &Admitted) -> Result<(EventQuery, Self), ApiError> {
        let parameters = request.parameters()?;
        let format = match parameters.get("format") {
            Some(_) => parameters.choose("format", &AnswerFormat::NAMES)?,
            None => media::preferred_format(&request.parts.headers),
        };
        let columns = columns(&parameters)?;
        let download = disposition(&parameters, format)?;
        let unbounded = format.is_stream();
        let query = parse_event_query(&parameters, &request.grant)?;
        let topic = query.topics.only().map(str::to_owned);
        let order = parameters.choose("order", &[("asc", Order::Ascending), ("desc", Order::Descending)])?;
        let limit = parameters.number("limit", if unbounded { u64::MAX } else { PAGE_EVENTS_MAX })?;
        let after = match parameters.get("after") {
            Some(cursor) => {
                request.app.shared.service.cursor_key().open(CursorScope { topic: topic.as_deref(), order }, cursor)?
            }
            None => Positions::new(),
        };
        let limit = if unbounded { limit } else { Some(limit.unwrap_or(PAGE_EVENTS_DEFAULT)) };
        let text = request.parts.uri.query().unwrap_or_default();
        let query_text = without_cursor(text);
        Ok((query, Self { query: query_text, topic, order, after, limit, columns, format, download }))
    }

    /// The read that its cursors belong to.
    pub(in crate::http) fn scope(&self) -> CursorScope<'_> {
        CursorScope { topic: self.topic.as_deref(), order: self.order }
    }

    /// The address of the page behind `cursor`, relative to this one's.
    pub(in crate::http) fn next_page(&self, cursor: &str) -> String {
        format!("events?{}after={cursor}", self.query)
    }
}

/// The same query without `after`, fit for a header and with `&` behind each parameter.
pub(super) fn without_cursor(query: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    // What is not ASCII is encoded in any case.
    const NOT_IN_LINKS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
    let is_cursor = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_encoding::percent_decode_str(name).eq(*b"after")
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty() && !is_cursor(pair));
    pairs.map(|pair| format!("{}&", utf8_percent_encode(pair, NOT_IN_LINKS))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_has_the_same_query_but_for_the_cursor() {
        let query = "topic=a%2Fb+c&&after=x&payload.after=1&q=é\"<&%61fter=y&limit=2&after";
        assert_eq!(without_cursor(query), "topic=a%2Fb+c&payload.after=1&q=%C3%A9%22%3C&limit=2&");
        assert_eq!(without_cursor(""), "");
    }
}
