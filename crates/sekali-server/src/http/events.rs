//! `GET /events`

use axum::extract::{Request, State};
use axum::http::HeaderName;
use axum::response::Response;
use sekali_store::Order;

use super::cursor::{Positions, Reading};
use super::error::ApiError;
use super::filters::Wanted;
use super::query::{PAYLOAD, Query};
use super::select::Select;
use super::{App, media, page, stream};
use crate::access::Grant;
use crate::limits::{PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};

/// The header that has the cursor of the next page.
pub(super) const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// Stored events in order: a page of them as an array, or all of them as lines.
pub(super) async fn events(
    State(app): State<App>,
    State(grant): State<Grant>,
    request: Request,
) -> Result<Response, ApiError> {
    let lines = media::preferred_lines(request.headers());
    let query = request.uri().query();
    let (wanted, asked) = Asked::parse(&app, &grant, query, lines.is_some())?;
    let select = Select::new(&app.readers, wanted, asked.order, asked.after.clone());
    match lines {
        Some(lines) => stream::answer(&app, select, lines, asked.limit),
        None => page::answer(&app, asked, select).await,
    }
}

/// What the query says of the answer.
pub(super) struct Asked {
    /// The query without its cursor.
    query: String,
    topic: Option<String>,
    order: Order,
    after: Positions,
    /// Most events to answer with.
    pub(super) limit: Option<u64>,
}

const PARAMETERS: [&str; 10] =
    ["topic", "since", "until", "source", "event_id", PAYLOAD, "q", "order", "limit", "after"];

impl Asked {
    fn parse(app: &App, grant: &Grant, text: Option<&str>, unbounded: bool) -> Result<(Wanted, Self), ApiError> {
        let query = Query::parse(text, &PARAMETERS)?;
        let wanted = Wanted::parse(&query, grant)?;
        let topic = wanted.topic.clone();
        let order = query.choose("order", &[("asc", Order::Ascending), ("desc", Order::Descending)])?;
        let limit = query.number("limit", if unbounded { u64::MAX } else { PAGE_EVENTS_MAX })?;
        let after = match query.get("after") {
            Some(cursor) => app.cursor_key.open(Reading { topic: topic.as_deref(), order }, cursor)?,
            None => Positions::new(),
        };
        let limit = if unbounded { limit } else { Some(limit.unwrap_or(PAGE_EVENTS_DEFAULT)) };
        Ok((wanted, Self { query: without_cursor(text.unwrap_or_default()), topic, order, after, limit }))
    }

    /// What its cursors belong to.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading { topic: self.topic.as_deref(), order: self.order }
    }

    /// The address of the page behind `cursor`, relative to this one's.
    pub(super) fn next_page(&self, cursor: &str) -> String {
        format!("/events?{}after={cursor}", self.query)
    }
}

/// The same query without `after`, fit for a header and with `&` behind each parameter.
fn without_cursor(query: &str) -> String {
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
