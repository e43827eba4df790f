//! `POST /publish`

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sekali_store::Outcome;
use serde::Serialize;

use super::error::ApiError;
use super::json::Json;
use super::query::Query;
use super::{App, blocking, body, media};
use crate::access::{Grant, Topics};
use crate::ingest::{Accepted, Format, Options, Problem, ingest};
use crate::limits::PARSED_IN_PLACE_BYTES_MAX;
use crate::pipeline::Refused;

/// Stores the events of the body and answers when they are durable.
pub(super) async fn publish(
    State(app): State<App>,
    State(grant): State<Grant>,
    request: Request,
) -> Result<Response, ApiError> {
    publish_for(&app, &grant, request).await
}

/// As [`publish`], for whoever has this grant.
pub(super) async fn publish_for(app: &App, grant: &Grant, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let limits = grant.limits();
    let (format, options) = match what_is_asked(&parts, limits.as_ref()) {
        Ok(asked) => asked,
        Err(error) => {
            body::discard(&parts.headers, body);
            return Err(error);
        }
    };
    let accepted = receive(app, &parts.headers, body, format, options).await?;
    let answer = commit(app, accepted, options).await?;
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

const INVALID: &str = "invalid";
const VERBOSE: &str = "verbose";

fn what_is_asked<'a>(parts: &Parts, topics: Option<&'a Topics>) -> Result<(Format, Options<'a>), ApiError> {
    let query = Query::parse(parts.uri.query(), &[INVALID, VERBOSE])?;
    let options = Options {
        skip_invalid: query.choose(INVALID, &[("reject", false), ("skip", true)])?,
        keep_keys: query.choose(VERBOSE, &[("false", false), ("true", true)])?,
        topics,
    };
    Ok((media::body_format(&parts.headers)?, options))
}

/// The body is gone when this returns; only the encoded events remain.
async fn receive(
    app: &App,
    headers: &HeaderMap,
    body: axum::body::Body,
    format: Format,
    options: Options<'_>,
) -> Result<Accepted, ApiError> {
    // Events take up about as much room in the queue as in the body.
    let announced = body::content_length(headers);
    if !app.pipeline.has_room(announced.max(1)) {
        body::discard(headers, body);
        return Err(Refused::Overloaded.into());
    }
    let received = body::receive(headers, body, announced, &app.bodies).await?;
    if received.bytes.len() <= PARSED_IN_PLACE_BYTES_MAX {
        return Ok(ingest(&received.bytes, format, options, &app.target)?);
    }
    let (target, topics) = (app.target, options.topics.cloned());
    let Options { skip_invalid, keep_keys, .. } = options;
    let parse = move || {
        let options = Options { skip_invalid, keep_keys, topics: topics.as_ref() };
        ingest(&received.bytes, format, options, &target)
    };
    Ok(blocking::run(parse).await??)
}

async fn commit(app: &App, mut accepted: Accepted, options: Options<'_>) -> Result<Answer, ApiError> {
    let order = accepted.take_order();
    let outcomes = app.pipeline.commit(accepted.batches).await?;
    let outcomes = Accepted::in_request_order(&order, outcomes);
    let mut answer = Answer::count(&outcomes);
    if options.keep_keys {
        let events = accepted.keys.into_iter().zip(outcomes);
        answer.events =
            Some(events.map(|((topic, event_id), outcome)| EventAnswer::new(topic, event_id, outcome)).collect());
    }
    if options.skip_invalid {
        answer.invalid = Some(accepted.rejected.events);
        answer.errors = Some(accepted.rejected.problems);
    }
    Ok(answer)
}

#[derive(Debug, Serialize)]
struct Answer {
    message: Cow<'static, str>,
    received: usize,
    stored: usize,
    duplicates: usize,
    conflicts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    invalid: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Problem>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventAnswer>>,
}

#[derive(Debug, Serialize)]
struct EventAnswer {
    topic: String,
    event_id: String,
    outcome: &'static str,
    seq: u64,
}

impl Answer {
    fn count(outcomes: &[Outcome]) -> Self {
        let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
        let received = outcomes.len();
        let stored = count(|outcome| matches!(outcome, Outcome::Stored { .. }));
        let conflicts = count(|outcome| matches!(outcome, Outcome::Conflict { .. }));
        let duplicates = received - stored;
        let message = match (received, duplicates, conflicts) {
            (0, _, _) => "there was no event to store".into(),
            (1, 0, _) => "1 stored".into(),
            (_, 0, _) => format!("{stored} stored").into(),
            (_, _, 0) => format!("{stored} stored, {duplicates} duplicate").into(),
            _ => format!("{stored} stored, {duplicates} duplicate, of them {conflicts} with different content").into(),
        };
        Self { message, received, stored, duplicates, conflicts, invalid: None, errors: None, events: None }
    }
}

impl EventAnswer {
    fn new(topic: String, event_id: String, outcome: Outcome) -> Self {
        let (outcome, seq) = match outcome {
            Outcome::Stored { seq } => ("stored", seq),
            Outcome::Duplicate { seq } => ("duplicate", seq),
            Outcome::Conflict { seq } => ("conflict", seq),
        };
        Self { topic, event_id, outcome, seq }
    }
}
