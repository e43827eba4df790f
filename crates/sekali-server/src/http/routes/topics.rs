//! `GET /topics`

use sekali_store::TopicSummary;
use sekali_wire::stats::Topic;
use sekali_wire::timestamp::Timestamp;

use crate::http::answer::Json;
use crate::http::route::{Admitted, Answer};

/// Every topic but the reserved ones, by name, of those that the client may read.
pub(super) async fn topics(request: Box<Admitted>) -> Answer {
    request.parameters()?;
    let topics = request.app.shared.service.topics(|topic| request.grant.is_for(topic));
    Ok(Json(topics.into_iter().map(topic).collect::<Vec<_>>()).into_response())
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
