//! `GET /metrics`

use hyper::Response;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::http::answer::{ApiError, Code};
use crate::http::route::{Admitted, Answer};
use crate::metrics::MetricsFormat;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Metrics of the whole server, in the format that the client prefers.
pub(super) async fn metrics(request: Box<Admitted>) -> Answer {
    request.parameters()?;
    if !request.grant.sees_whole_store() {
        let message = "metrics are of all topics, and this key is for some: create one with --scope read alone";
        return Err(ApiError::new(Code::Forbidden, message));
    }
    let (format, media_type) = match wants_open_metrics(&request.parts.headers) {
        true => (MetricsFormat::OpenMetrics, OPEN_METRICS),
        false => (MetricsFormat::Text, TEXT),
    };
    let shared = &request.app.shared;
    let text = shared.metrics.write(&shared.service, request.client(), format, shared.bodies.used()).await?;
    let mut response = Response::new(text.into_bytes().into());
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}

/// Whether the client names OpenMetrics: Prometheus does so in front of its own format.
fn wants_open_metrics(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let name = range.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("application/openmetrics-text")
    })
}
