//! `GET /events/stream`

use std::sync::Arc;

use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use sekali_store::Order;
use tokio::sync::mpsc;

use crate::http::answer::{ApiError, Body, Code, EVENT_STREAM, LAST_EVENT_ID, ServerSentEvents, wrong_parameter};
use crate::http::event_query::parse_event_query;
use crate::http::parameters::Parameters;
use crate::http::route::{Admitted, Answer};
use crate::limits::TAIL_PIECES_MAX;
use crate::query::{CursorScope, Positions};
use crate::service::{OutputParts, Tail, TailOutput, TailPosition, stream};

/// Proxies that know it send each piece on as it comes.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Events as they become durable, for as long as the client stays.
pub(super) async fn event_stream(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let query = parse_event_query(&parameters, &request.grant)?;
    let shared = &request.app.shared;
    let service = &shared.service;
    let topic = query.topics.only().map(str::to_owned);
    let position = match begin(&request, &parameters)? {
        Begin::Now => TailPosition::now(service.readers()),
        Begin::Beginning => TailPosition::new(service.readers().len(), &Positions::new()),
        Begin::After(cursor) => {
            let scope = CursorScope { topic: topic.as_deref(), order: Order::Ascending };
            TailPosition::new(service.readers().len(), &service.cursor_key().open(scope, cursor)?)
        }
    };
    let lease = shared.gate.lease(&request.parts.headers, request.route.keys)?;
    if service.tails().is_closed() {
        return Err(ApiError::new(Code::ShuttingDown, "the server is about to end; come again"));
    }
    let place = service.tails().enter(request.client())?;
    let (sender, receiver) = mpsc::channel(TAIL_PIECES_MAX);
    let parts = OutputParts {
        layout: Arc::new(ServerSentEvents),
        cursors: *service.cursor_key(),
        topic,
        client: request.client(),
        memory: service.answers().clone(),
        sender,
        heartbeat: shared.timeouts.tail_heartbeat,
        patience: shared.timeouts.tail_patience,
    };
    let output = Some(TailOutput::new(parts, &position));
    tokio::spawn(stream(Tail { query: Arc::new(query), position, output, lease }, service.clone(), place));
    let mut response = Response::new(Body::pieces(receiver));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// Where a stream begins.
enum Begin<'a> {
    Now,
    Beginning,
    After(&'a str),
}

/// The id that a client has seen last counts more than its address, which stays the same when it
/// comes again.
fn begin<'a>(request: &'a Admitted, parameters: &'a Parameters<'_>) -> Result<Begin<'a>, ApiError> {
    if parameters.get("from").is_some() && parameters.get("after").is_some() {
        return Err(wrong_parameter("after", "given beside `from`, which says the same", &[]));
    }
    if let Some(seen) = request.parts.headers.get(LAST_EVENT_ID).filter(|seen| !seen.is_empty()) {
        // A text that is none is no cursor either.
        return Ok(Begin::After(seen.to_str().unwrap_or_default()));
    }
    Ok(match (parameters.get("from"), parameters.get("after")) {
        (None | Some("now"), None) => Begin::Now,
        (Some("beginning"), None) => Begin::Beginning,
        (Some(cursor), _) | (None, Some(cursor)) => Begin::After(cursor),
    })
}
