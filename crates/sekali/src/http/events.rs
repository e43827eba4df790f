//! `GET /events`

use axum::extract::{Request, State};
use axum::http::HeaderName;
use axum::response::Response;
use sekali_store::Order;

use super::cursor::{Positions, Reading};
use super::error::ApiError;
use super::merge::Merge;
use super::query::{Query, wrong};
use super::{App, media, page, stream};
use crate::limits::{PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};

/// The header that has the cursor of the next page.
pub(super) const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// Stored events in order: a page of them as an array, or all of them as lines.
pub(super) async fn events(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let ndjson = media::prefers_ndjson(request.headers());
    let asked = Asked::parse(&app, request.uri().query(), ndjson)?;
    let merge = Merge::new(&app.readers, asked.reading(), asked.after.clone());
    if ndjson { Ok(stream::answer(merge, asked.limit)) } else { page::answer(&app, asked, merge).await }
}

/// What the query says.
pub(super) struct Asked {
    pub(super) topic: Option<String>,
    pub(super) order: Order,
    pub(super) after: Positions,
    /// Most events to answer with.
    pub(super) limit: Option<u64>,
}

impl Asked {
    fn parse(app: &App, query: Option<&str>, unbounded: bool) -> Result<Self, ApiError> {
        let query = Query::parse(query, &["topic", "after", "limit", "order"])?;
        let topic = query.get("topic");
        if topic == Some("") {
            return Err(wrong("topic", "must not be empty", &[]));
        }
        let order = query.choose("order", &[("asc", Order::Ascending), ("desc", Order::Descending)])?;
        let limit = query.number("limit", if unbounded { u64::MAX } else { PAGE_EVENTS_MAX })?;
        let after = match query.get("after") {
            Some(cursor) => app.cursor_key.open(Reading { topic, order }, cursor)?,
            None => Positions::new(),
        };
        let limit = if unbounded { limit } else { Some(limit.unwrap_or(PAGE_EVENTS_DEFAULT)) };
        Ok(Self { topic: topic.map(str::to_owned), order, after, limit })
    }

    /// What its cursors belong to.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading { topic: self.topic.as_deref(), order: self.order }
    }

    /// The address of the page behind `cursor`, relative to this one's.
    pub(super) fn next_page(&self, cursor: &str) -> String {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
        let mut address = "/events?".to_owned();
        if let Some(topic) = &self.topic {
            address.push_str(&format!("topic={}&", utf8_percent_encode(topic, NON_ALPHANUMERIC)));
        }
        if self.order == Order::Descending {
            address.push_str("order=desc&");
        }
        if let Some(limit) = self.limit {
            address.push_str(&format!("limit={limit}&"));
        }
        address + "after=" + cursor
    }
}
