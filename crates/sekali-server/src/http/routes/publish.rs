//! `POST /publish`

mod outcomes;

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde::Serialize;

use crate::access::{Scope, Topics};
use crate::clients::Client;
use crate::http::answer::{ApiError, Code, Json, media};
use crate::http::app::App;
use crate::http::body::{self, BodyHead, RequestBody};
use crate::http::route::{Admitted, Answer, client_of, sender_of};
use crate::identity::{IdKind, Way};
use crate::ingest::{Accepted, Format, Options, Problem, Rejected, ingest};
use crate::limits::PARSED_IN_PLACE_BYTES_MAX;
use crate::service::{CommitError, Previewed, Published};
use crate::spent::{self, Stage};
use outcomes::EventOutcome;

pub(super) const INVALID: &str = "invalid";
pub(super) const VERBOSE: &str = "verbose";
pub(super) const DRY_RUN: &str = "dry_run";

/// Stores the events of the body and answers when they are durable; or only says what would become
/// of them.
pub(super) async fn publish(request: Box<Admitted>) -> Answer {
    let topics = request.grant.limits();
    let (format, options, dry_run) = match options(&request, topics.as_ref()) {
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
    if dry_run {
        let Previewed { previews, keys, rejected } = service.preview(&client(), accepted).await?;
        let outcomes: Vec<EventOutcome> = previews.into_iter().map(EventOutcome::from).collect();
        let answer = PublishAnswer::new(outcomes.iter().copied(), &rejected, options);
        let memory = memory.ok_or(CommitError::Overloaded)?;
        return Ok(outcomes::answer(&answer.in_future(), keys, outcomes, memory));
    }
    let _topics = service.admit_topics(client, &accepted)?;
    let Published { outcomes, keys, rejected } = service.publish(&sender_of(grant, network), accepted).await?;
    service.tally().add(Way::Publish, IdKind::Declared, outcomes.len());
    let answer = PublishAnswer::new(outcomes.iter().copied().map(EventOutcome::from), &rejected, options);
    let mut response = match memory {
        None => Json(answer).into_response(),
        Some(memory) => outcomes::answer(&answer, keys, outcomes.into_iter().map(EventOutcome::from).collect(), memory),
    };
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// How the body is laid out, what is done with its events, and whether that is a dry run.
fn options<'a>(request: &Admitted, topics: Option<&'a Topics>) -> Result<(Format, Options<'a>, bool), ApiError> {
    let parameters = request.parameters()?;
    let dry_run = parameters.choose(DRY_RUN, &[("false", false), ("true", true)])?;
    if dry_run && !request.grant.has(Scope::Read) {
        // Publishing leaves evidence of every event that is compared with a stored one.
        let message = "a dry run compares events with stored ones and leaves no trace of it: the key needs the scope \
                       `read` too";
        return Err(ApiError::new(Code::Forbidden, message));
    }
    let options = Options {
        skip_invalid: parameters.choose(INVALID, &[("reject", false), ("skip", true)])?,
        keep_keys: parameters.choose(VERBOSE, &[("false", false), ("true", true)])? || dry_run,
        topics,
    };
    Ok((media::body_format(&request.parts.headers)?, options, dry_run))
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
        let parse = || ingest(&received.bytes, format, options, app.shared.service.target());
        return Ok(spent::time(Stage::Parse, parse)?);
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
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
    fn new(outcomes: impl Iterator<Item = EventOutcome>, rejected: &Rejected, options: Options<'_>) -> Self {
        let mut answer = Self::count(outcomes);
        if options.skip_invalid {
            answer.invalid = Some(rejected.events);
            answer.errors = Some(rejected.problems.clone());
        }
        answer
    }

    fn count(outcomes: impl Iterator<Item = EventOutcome>) -> Self {
        let (mut received, mut stored, mut conflicts) = (0, 0, 0);
        for outcome in outcomes {
            received += 1;
            match outcome {
                EventOutcome::Stored(_) => stored += 1,
                EventOutcome::Duplicate(_) => {}
                EventOutcome::Conflict(_) => conflicts += 1,
            }
        }
        let duplicates = received - stored;
        let message = match (received, duplicates, conflicts) {
            (0, _, _) => "there was no event to store".into(),
            (1, 0, _) => "1 stored".into(),
            (_, 0, _) => format!("{stored} stored").into(),
            (_, _, 0) => format!("{stored} stored, {duplicates} duplicate").into(),
            _ => format!("{stored} stored, {duplicates} duplicate, of them {conflicts} with different content").into(),
        };
        Self { message, dry_run: false, received, stored, duplicates, conflicts, invalid: None, errors: None }
    }

    /// The same, of a dry run.
    fn in_future(self) -> Self {
        Self { message: format!("nothing was stored; it would be: {}", self.message).into(), dry_run: true, ..self }
    }
}
