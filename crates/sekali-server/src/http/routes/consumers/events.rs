//! `GET /consumers/{name}/events`

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::HeaderValue;
use sekali_store::Order;

use super::{find, open_cursor};
use crate::http::answer::{ACK_CURSOR, json_text};
use crate::http::event_query::admit;
use crate::http::page::{PageQuery, parse_wait, read_page};
use crate::http::route::{Admitted, Answer};
use crate::limits::{PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};

/// The events behind what was acknowledged, with the cursor to acknowledge them with.
pub(in crate::http::routes) async fn events(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let consumer = find(&request)?;
    let service = &request.app.shared.service;
    let after = match parameters.get("after") {
        Some(cursor) => open_cursor(service, &consumer, cursor)?,
        None => consumer.positions.clone(),
    };
    let page = PageQuery {
        query: Arc::new(admit(consumer.query()?, &request.grant)?),
        order: Order::Ascending,
        after,
        limit: parameters.number("limit", PAGE_EVENTS_MAX)?.unwrap_or(PAGE_EVENTS_DEFAULT),
        columns: None,
        wait: parse_wait(&request, &parameters)?,
    };
    let page = read_page(service, request.client(), page).await?;
    let cursor = service.cursor_key().seal_for_consumer(&consumer.name, consumer.created.0, &page.positions);
    let mut response = json_text(Bytes::from_owner(page.text));
    // It is base64, which headers take.
    let _ = HeaderValue::from_str(&cursor).map(|cursor| response.headers_mut().insert(ACK_CURSOR, cursor));
    Ok(response)
}
