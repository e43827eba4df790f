//! `GET /topics`

use sekali_store::TopicSummary;
use sekali_wire::stats::Topic;
use sekali_wire::timestamp::Timestamp;

use crate::http::answer::{add_next_page, held_json};
use crate::http::route::{Admitted, Answer};
use crate::limits::{TOPICS_LISTED_DEFAULT, TOPICS_LISTED_MAX};
use crate::service::behind;

/// The topics but the reserved ones, by name, of those that the client may read: a page of them.
pub(super) async fn topics(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let limit = parameters.number("limit", TOPICS_LISTED_MAX)?.unwrap_or(TOPICS_LISTED_DEFAULT);
    let from = parameters.get("after").map(behind).unwrap_or_default();
    let service = &request.app.shared.service;
    let page = service.topics(request.client(), request.grant.clone(), from, limit as usize, false).await?;
    let last = page.topics.last().filter(|_| page.more).map(|summary| encoded(&summary.topic));
    let topics: Vec<_> = page.topics.into_iter().map(topic).collect();
    let mut response = held_json(service, request.client(), &topics)?;
    if let Some(cursor) = last {
        add_next_page(response.headers_mut(), &format!("topics?limit={limit}&after={cursor}"), &cursor);
    }
    Ok(response)
}

fn encoded(topic: &str) -> String {
    percent_encoding::utf8_percent_encode(topic, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn topic(summary: TopicSummary) -> Topic {
    Topic {
        topic: summary.topic,
        events: summary.events,
        bytes: summary.bytes,
        first_timestamp: Some(Timestamp(summary.first_timestamp_ns)),
        last_timestamp: Some(Timestamp(summary.last_timestamp_ns)),
    }
}
