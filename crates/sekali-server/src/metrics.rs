//! Metrics for Prometheus and everything that reads its formats.
//!
//! - `connections`: open connections
//! - `requests`: requests by route and status, counted where they are answered
//! - `facts`: the state of the store, looked up at each scrape
//! - `process`: memory, processor time and open files of the process
//! - `sheet`: all of them by name, with their help and units
//!
//! Commits are measured by the service. Names and labels are part of what versions promise:
//! `docs/COMPATIBILITY.md`.

mod connections;
mod facts;
mod process;
mod requests;
mod sheet;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::{prometheus_text, text};

use crate::clients::Client;
use crate::query::{EventQuery, QueryError};
use crate::service::{Service, TopicTotals, WantedTotals};
pub(crate) use connections::{Connections, OpenConnection};
pub(crate) use requests::RequestMetrics;
use sheet::Sheet;

/// The formats of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricsFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own text format, version 0.0.4.
    Text,
}

/// Topics with a label of their own: those with the most events.
const TOPICS_MAX: usize = 50;
/// Going through 100,000 topics takes tens of milliseconds, which not every scrape is to pay.
const TOPICS_EVERY: Duration = Duration::from_secs(30);

/// Metrics of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) requests: RequestMetrics,
    pub(crate) connections: Connections,
    /// The largest topics, and when they were looked up: all topics are gone through for them.
    topics: Mutex<Option<(Instant, facts::LargestTopics)>>,
}

impl Metrics {
    /// Metrics of an API with these routes, each as method and path.
    pub(crate) fn new(routes: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        Self { requests: RequestMetrics::new(routes), connections: Connections::default(), topics: Mutex::new(None) }
    }

    /// Writes all metrics. Bodies take so many bytes of memory.
    ///
    /// # Errors
    /// [`QueryError::Busy`], and those of the engine.
    pub(crate) async fn write(
        &self,
        service: &Service,
        client: Client,
        format: MetricsFormat,
        body_bytes: usize,
    ) -> Result<String, QueryError> {
        let topics = self.largest_topics(service, client.clone()).await?;
        let store = service.store_stats(client).await?;
        let mut sheet = Sheet::new();
        process::add(&mut sheet);
        facts::add(&mut sheet, service, &store, topics);
        let (connections, tails) = (self.connections.count(), service.open_tails());
        facts::add_load(
            &mut sheet,
            facts::Load { connections, tails, body_bytes, answer_bytes: service.answer_bytes() },
        );
        self.requests.add(&mut sheet);
        facts::add_commits(&mut sheet, service.commit_timings());
        let mut out = String::with_capacity(32 * 1024);
        // Writing to a string cannot fail.
        let _: fmt::Result = match format {
            MetricsFormat::OpenMetrics => text::encode(&mut out, sheet.registry()),
            MetricsFormat::Text => prometheus_text::encode(&mut out, sheet.registry()),
        };
        Ok(out)
    }
}

impl Metrics {
    /// The topics with the most events, looked up at most every [`TOPICS_EVERY`].
    async fn largest_topics(&self, service: &Service, client: Client) -> Result<facts::LargestTopics, QueryError> {
        if let Some(topics) = self.known_topics() {
            return Ok(topics);
        }
        let (_, totals) = service.totals(client, EventQuery::default(), WantedTotals::Largest(TOPICS_MAX)).await?;
        let TopicTotals { topics, largest, .. } = totals;
        let topics = facts::LargestTopics { count: topics, largest };
        *self.topics.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), topics.clone()));
        Ok(topics)
    }

    fn known_topics(&self) -> Option<facts::LargestTopics> {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.as_ref().filter(|(at, _)| at.elapsed() < TOPICS_EVERY).map(|(_, topics)| topics.clone())
    }
}
