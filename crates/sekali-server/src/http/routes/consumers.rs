//! `GET /consumers` and the routes below it: durable consumers.

mod body;
mod events;
mod words;

use hyper::{Response, StatusCode};
use sekali_store::Order;
use sekali_wire::timestamp::Timestamp;

use self::body::{AckBody, PutBody, ResetBody, read_body};
use self::words::{ConsumerWords, not_found};
use crate::access::Grant;
use crate::clock::now_ns;
use crate::consumers::{Consumer, ConsumerError, NewConsumer};
use crate::http::answer::{ApiError, Body, Code, Json, wrong_parameter};
use crate::http::event_query::admit;
use crate::http::guard::not_for;
use crate::http::route::{Admitted, Answer};
use crate::limits::{CONSUMER_NAME_BYTES_MAX, CONSUMERS_MAX};
use crate::query::{CursorScope, EventQuery, Positions};
use crate::service::{Service, TailPosition};

pub(super) use events::events;

/// `PUT /consumers/{name}`
pub(super) async fn put(mut request: Box<Admitted>) -> Answer {
    request.parameters()?;
    let name = parse_name(&request.segment(0)?)?;
    let body: PutBody = read_body(&mut request).await?;
    let filters = body.filters()?;
    let now = Timestamp(now_ns());
    let maker = request.grant.key().map(|key| key.id.clone());
    let mut new = NewConsumer { name, filters, positions: Positions::new(), maker };
    let query = admit(new.query(now)?, &request.grant)?;
    if let Some(topic) = hidden_topic(&query, &request.grant) {
        return Err(topic.map_or_else(no_topics, |topic| not_for(&topic)));
    }
    let service = &request.app.shared.service;
    // A consumer that is another's stays as it is.
    if service.consumers().get(&new.name).is_some_and(|known| !is_visible(&known, &request.grant)) {
        let message =
            format!("there is a consumer `{}` of topics that this key is not for; take another name", new.name);
        return Err(ApiError::new(Code::Forbidden, message));
    }
    new.positions = begin(service, &query, body.from.as_deref().unwrap_or("beginning"))?;
    let put = service.consumers().put(new, now).await;
    let (consumer, is_new) = put.map_err(|error| word(error, ""))?;
    let mut response = Json(ConsumerWords::new(service, &consumer)).into_response();
    if is_new {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}

/// `GET /consumers`
pub(super) async fn list(request: Box<Admitted>) -> Answer {
    request.parameters()?;
    let service = &request.app.shared.service;
    let visible = service.consumers().list().into_iter().filter(|consumer| is_visible(consumer, &request.grant));
    let words: Vec<_> = visible.map(|consumer| ConsumerWords::new(service, &consumer)).collect();
    crate::http::answer::held_json(service, request.client(), &words)
}

/// `GET /consumers/{name}`
pub(super) async fn get(request: Box<Admitted>) -> Answer {
    let consumer = find(&request)?;
    Ok(answer(&request, &consumer))
}

/// `POST /consumers/{name}/ack`
pub(super) async fn ack(mut request: Box<Admitted>) -> Answer {
    let known = find(&request)?;
    let AckBody { cursor } = read_body(&mut request).await?;
    let service = &request.app.shared.service;
    let positions = open_cursor(service, &known, &cursor)?;
    let (name, made) = (&known.name, known.created);
    let acked = service.consumers().acknowledge(name, made, &positions, Timestamp(now_ns())).await;
    let consumer = acked.map_err(|error| word(error, name))?;
    Ok(answer(&request, &consumer))
}

/// `POST /consumers/{name}/reset`
pub(super) async fn reset(mut request: Box<Admitted>) -> Answer {
    let known = find(&request)?;
    let ResetBody { to } = read_body(&mut request).await?;
    let service = &request.app.shared.service;
    let positions = match to.as_str() {
        "beginning" | "now" => begin(service, &known.query()?, &to)?,
        cursor => open_cursor(service, &known, cursor)?,
    };
    let reset = service.consumers().reset(&known.name, positions).await;
    let consumer = reset.map_err(|error| word(error, &known.name))?;
    Ok(answer(&request, &consumer))
}

/// `DELETE /consumers/{name}`
pub(super) async fn delete(request: Box<Admitted>) -> Answer {
    let known = find(&request)?;
    let gone = request.app.shared.service.consumers().delete(&known.name).await;
    let gone = gone.map_err(|error| word(error, &known.name))?;
    Ok(answer(&request, &gone))
}

/// The consumer that a request names.
///
/// # Errors
/// `invalid_parameter`; `not_found`, also where it has topics that the key is not for.
fn find(request: &Admitted) -> Result<Consumer, ApiError> {
    request.parameters()?;
    let name = request.segment(0)?;
    let known = request.app.shared.service.consumers().get(&name);
    known.filter(|known| is_visible(known, &request.grant)).ok_or_else(|| not_found(&name))
}

fn answer(request: &Admitted, consumer: &Consumer) -> Response<Body> {
    Json(ConsumerWords::new(&request.app.shared.service, consumer)).into_response()
}

/// Whether a key may know of a consumer: it may read all topics that the consumer reads.
fn is_visible(consumer: &Consumer, grant: &Grant) -> bool {
    consumer.query().is_ok_and(|query| hidden_topic(&query, grant).is_none())
}

/// A topic of a query that a grant is not for; without a name where the query is for all topics.
///
/// Moving the consumer on must not pass events that the key cannot see. A pattern of a consumer is
/// asked about as if it were a name: a pattern of a key that matches its `*` matches all that this
/// stands for.
fn hidden_topic(query: &EventQuery, grant: &Grant) -> Option<Option<String>> {
    match query.topics.wanted().find(|topic| !grant.is_for(topic)) {
        Some(topic) => Some(Some(topic.to_owned())),
        None if query.topics.wanted().next().is_none() && grant.limits().is_some() => Some(None),
        None => None,
    }
}

fn no_topics() -> ApiError {
    let message = "this key is for some topics only: the consumer must name its own, with the filter `topic`";
    ApiError::new(Code::Forbidden, message)
}

/// Where a consumer begins: at the `beginning`, `now`, or behind a cursor of pages or streams of
/// the same topic.
fn begin(service: &Service, query: &EventQuery, from: &str) -> Result<Positions, ApiError> {
    let partitions = service.readers().len();
    let position = match from {
        "beginning" => TailPosition::new(partitions, &Positions::new()),
        "now" => TailPosition::now(service.readers()),
        cursor => {
            let scope = CursorScope { topic: query.topics.only(), order: Order::Ascending };
            TailPosition::new(partitions, &service.cursor_key().open(scope, cursor)?)
        }
    };
    Ok(position.positions().clone())
}

/// Opens a cursor of this consumer.
fn open_cursor(service: &Service, consumer: &Consumer, cursor: &str) -> Result<Positions, ApiError> {
    service.cursor_key().open_for_consumer(&consumer.name, consumer.created.0, cursor).ok_or_else(|| {
        let name = &consumer.name;
        let message = format!(
            "this is no cursor of consumer `{name}`: take the one in the header X-Ack-Cursor of \
             GET /consumers/{name}/events"
        );
        ApiError::new(Code::InvalidCursor, message)
    })
}

fn parse_name(name: &str) -> Result<String, ApiError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=CONSUMER_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(name.to_owned());
    }
    let reason = format!("must be 1 to {CONSUMER_NAME_BYTES_MAX} letters, digits, `.`, `_` or `-`");
    Err(wrong_parameter("name", &reason, &[]))
}

fn word(error: ConsumerError, name: &str) -> ApiError {
    match error {
        ConsumerError::NotFound => not_found(name),
        ConsumerError::TooMany => {
            let message = format!(
                "too many consumers: a store has at most {CONSUMERS_MAX}, and a key may make as many as are free; \
                 delete some"
            );
            ApiError::new(Code::TooManyConsumers, message)
        }
        ConsumerError::Behind => {
            let message = format!(
                "consumer `{name}` was acknowledged further already, and does not go back by that; to read events \
                 again, POST /consumers/{name}/reset with this cursor"
            );
            ApiError::new(Code::AckBehind, message)
        }
        ConsumerError::Io(error) if is_full(&error) => {
            ApiError::new(Code::StorageFull, "storage is full: the consumer may be as it was; send it again later")
        }
        ConsumerError::Io(error) => ApiError::internal(&error),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}
