//! `POST /publish`

mod outcomes;

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::header::HeaderMap;
use sekali_store::Outcome;
use serde::Serialize;

use crate::access::Topics;
use crate::clients::Client;
use crate::http::answer::{ApiError, Json, media};
use crate::http::app::App;
use crate::http::body::{self, BodyHead, RequestBody};
use crate::http::route::{Admitted, Answer, client_of};
use crate::ingest::{Accepted, Format, Options, Problem, ingest};
use crate::limits::PARSED_IN_PLACE_BYTES_MAX;
use crate::service::{CommitError, Published};

pub(super) const INVALID: &str = "invalid";
pub(super) const VERBOSE: &str = "verbose";

/// Stores the events of the body and answers when they are durable.
pub(super) async fn publish(request: Box<Admitted>) -> Answer {
    let topics = request.grant.limits();
    let (format, options) = match options(&request, topics.as_ref()) {
        Ok(options) => options,
        Err(error) => {
            body::discard(&request.parts.headers, request.body);
            return Err(error);
        }
    };
    let (body, grant, network) = (request.body, &request.grant, request.network);
    let client = || client_of(grant, network);
    let accepted = receive(&request.app, &request.parts.headers, body, client, format, options).await?;
    // Taken before anything is stored: afterwards it is too late to refuse.
    let service = &request.app.shared.service;
    let memory = options.keep_keys.then(|| outcomes::reserve(service.answers(), client(), &accepted)).transpose()?;
    let _topics = service.admit_topics(client, &accepted)?;
    let published = service.publish(client(), accepted).await?;
    let mut response = match memory {
        None => Json(PublishAnswer::new(&published, options)).into_response(),
        Some(memory) => outcomes::answer(&PublishAnswer::new(&published, options), published, memory),
    };
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn options<'a>(request: &Admitted, topics: Option<&'a Topics>) -> Result<(Format, Options<'a>), ApiError> {
    let parameters = request.parameters()?;
    let options = Options {
        skip_invalid: parameters.choose(INVALID, &[("reject", false), ("skip", true)])?,
        keep_keys: parameters.choose(VERBOSE, &[("false", false), ("true", true)])?,
        topics,
    };
    Ok((media::body_format(&request.parts.headers)?, options))
}

/// The body is gone when this returns; only the encoded events remain.
async fn receive(
    app: &App,
    headers: &HeaderMap,
    body: RequestBody,
    client: impl Fn() -> Client,
    format: Format,
    options: Options<'_>,
) -> Result<Accepted, ApiError> {
    // Events take up about as much room in the queue as in the body.
    let head = match BodyHead::read(headers) {
        Ok(head) => head,
        Err(error) => {
            body::discard(headers, body);
            return Err(error);
        }
    };
    if !app.shared.service.pipeline().has_room(&client, head.announced.max(1)) {
        body::discard(headers, body);
        return Err(CommitError::Overloaded.into());
    }
    let received = body::receive(headers, body, head, &app.shared.bodies, app.shared.service.parses(), &client).await?;
    if received.bytes.len() <= PARSED_IN_PLACE_BYTES_MAX {
        return Ok(ingest(&received.bytes, format, options, app.shared.service.target())?);
    }
    let (target, topics) = (*app.shared.service.target(), options.topics.cloned());
    let Options { skip_invalid, keep_keys, .. } = options;
    let parse = move || {
        let options = Options { skip_invalid, keep_keys, topics: topics.as_ref() };
        ingest(&received.bytes, format, options, &target)
    };
    Ok(app.shared.service.parses().run_always(client(), parse).await??)
}

#[derive(Debug, Serialize)]
struct PublishAnswer {
    message: Cow<'static, str>,
    received: usize,
    stored: usize,
    duplicates: usize,
    conflicts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    invalid: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Problem>>,
}

impl PublishAnswer {
    fn new(published: &Published, options: Options<'_>) -> Self {
        let Published { outcomes, rejected, .. } = published;
        let mut answer = Self::count(outcomes);
        if options.skip_invalid {
            answer.invalid = Some(rejected.events);
            answer.errors = Some(rejected.problems.clone());
        }
        answer
    }

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
        Self { message, received, stored, duplicates, conflicts, invalid: None, errors: None }
    }
}
