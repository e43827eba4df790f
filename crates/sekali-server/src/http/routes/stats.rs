//! `GET /stats`

use sekali_wire::stats::Stats;

use crate::http::answer::Json;
use crate::http::route::{Admitted, Answer};

/// The counters of the store's lifetime. Clients that may not read all topics see the counters and
/// their topics.
pub(super) async fn stats(request: Box<Admitted>) -> Answer {
    request.parameters()?;
    let service = &request.app.shared.service;
    let counters = service.counters();
    let store =
        if request.grant.sees_whole_store() { Some(service.store_stats(request.client()).await?) } else { None };
    let topics = service.topics(|topic| request.grant.is_for(topic));
    let stats = Stats {
        received: counters.received,
        unique_processed: counters.stored,
        duplicate_dropped: counters.duplicates,
        topics: topics.into_iter().map(|summary| summary.topic).collect(),
        uptime_seconds: service.uptime_seconds(),
        conflicts: counters.conflicts,
        status: service.status(),
        store,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(Json(stats).into_response())
}
