//! Requests by route and status, and how long each took until its answer began.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::sheet::{HistogramFamily, LabelSet, Sheet};

/// Statuses with a label of their own; all others are counted as `other`.
const STATUSES: [u16; 23] =
    [200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 421, 422, 429, 431, 500, 501, 503];
/// Upper bounds of the buckets, in seconds: from what one sync takes to what a client waits for.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 4.0, 16.0];

/// Requests since the start.
#[derive(Debug)]
pub(crate) struct RequestMetrics {
    counts: Family<LabelSet, Counter>,
    seconds: HistogramFamily,
    /// One for each route, and a last one for requests without a route.
    routes: Vec<RouteMetrics>,
}

/// Counters of a route, found without a look-up by labels. Most servers use few of the routes, so
/// that each is made at its first request.
#[derive(Debug)]
struct RouteMetrics {
    labels: LabelSet,
    seconds: OnceLock<Histogram>,
    /// By the place of a status in [`STATUSES`], and a last one for all others.
    counts: [OnceLock<Counter>; STATUSES.len() + 1],
}

impl RequestMetrics {
    pub(super) fn new(routes: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        let counts = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let seconds = HistogramFamily::new_with_constructor(histogram);
        let routes = routes.chain([("other", "none")]).map(|(method, path)| {
            let labels = vec![("method", method.to_owned()), ("route", path.to_owned())];
            RouteMetrics { labels, seconds: OnceLock::new(), counts: Default::default() }
        });
        let routes = routes.collect();
        Self { counts, seconds, routes }
    }

    /// Counts an answered request. `route` is its number, `None` where it has none.
    pub(crate) fn count(&self, route: Option<usize>, status: u16, time: Duration) {
        let Some(metrics) = route.and_then(|number| self.routes.get(number)).or(self.routes.last()) else { return };
        let seconds = metrics.seconds.get_or_init(|| self.seconds.get_or_create_owned(&metrics.labels));
        seconds.observe(time.as_secs_f64());
        let known = STATUSES.iter().position(|known| *known == status);
        let make = || {
            let status = known.map_or_else(|| "other".to_owned(), |_| status.to_string());
            let labels = metrics.labels.iter().cloned().chain([("status", status)]).collect();
            self.counts.get_or_create_owned(&labels)
        };
        if let Some(counter) = metrics.counts.get(known.unwrap_or(STATUSES.len())) {
            counter.get_or_init(make).inc();
        }
    }

    pub(super) fn add(&self, sheet: &mut Sheet) {
        sheet.counter_family("requests", "Answered requests by route and status", &self.counts);
        sheet.histogram_family("request_duration", "Time until the answer of a request began", &self.seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_under_its_route_and_status() {
        let metrics = RequestMetrics::new([("GET", "/a"), ("POST", "/b")].into_iter());
        for (route, status) in [(Some(0), 200), (Some(1), 202), (Some(1), 202), (Some(1), 599), (None, 404)] {
            metrics.count(route, status, Duration::from_millis(3));
        }
        let mut sheet = Sheet::new();
        metrics.add(&mut sheet);
        let mut text = String::new();
        prometheus_client::encoding::prometheus_text::encode(&mut text, sheet.registry()).unwrap();
        for line in [
            r#"sekali_requests_total{method="GET",route="/a",status="200"} 1"#,
            r#"sekali_requests_total{method="POST",route="/b",status="202"} 2"#,
            r#"sekali_requests_total{method="POST",route="/b",status="other"} 1"#,
            r#"sekali_requests_total{method="other",route="none",status="404"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.contains(r#"sekali_request_duration_seconds_count{method="POST",route="/b"} 3"#), "{text}");
    }
}
