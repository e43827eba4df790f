//! `GET /stats`

use sekali_wire::stats::{Stats, StoreStats};

use crate::http::answer::held_json;
use crate::http::route::{Admitted, Answer};
use crate::limits::TOPICS_LISTED_DEFAULT;

/// The counters of the store's lifetime. Clients that may not read all topics see the counters and
/// their topics.
pub(super) async fn stats(request: Box<Admitted>) -> Answer {
    request.parameters()?;
    let service = &request.app.shared.service;
    let counters = service.counters();
    let store = if request.grant.sees_whole_store() {
        let listening = request.app.shared.addresses.clone();
        Some(StoreStats { listening, ..service.store_stats(request.client()).await? })
    } else {
        None
    };
    let limit = TOPICS_LISTED_DEFAULT as usize;
    let listed = service.topics(request.client(), request.grant.clone(), String::new(), limit, true).await?;
    let stats = Stats {
        received: counters.received,
        unique_processed: counters.stored,
        duplicate_dropped: counters.duplicates,
        topics: listed.topics.into_iter().map(|summary| summary.topic).collect(),
        topic_count: listed.count,
        uptime_seconds: service.uptime_seconds(),
        conflicts: counters.conflicts,
        unidentified: service.tally().unidentified(),
        status: service.status(),
        store,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    held_json(service, request.client(), &stats)
}
