//! Requests of other people's clients: received here, read and worded by the adapter of their
//! protocol.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::header::{CONNECTION, CONTENT_ENCODING, HOST, HeaderMap, HeaderValue, ORIGIN, RETRY_AFTER};
use hyper::{Response, StatusCode};

use crate::access::{Grant, Scope, WebhookSecret};
use crate::clients::{Client, HeldShare};
use crate::clock::now_ns;
use crate::http::answer::{ApiError, Body, Code, HangUp, HeldText};
use crate::http::app::App;
use crate::http::body::{self, BodyHead, Received, RequestBody};
use crate::http::route::{Admitted, Answer, client_of, sender_of};
use crate::identity::{Peer, Receipts, RequestDigest};
use crate::ingest::{Drafts, IdPlan};
use crate::limits::{PARSED_IN_PLACE_BYTES_MAX, SMALL_BYTES_MAX};
use crate::protocols::webhooks::Delivery;
use crate::protocols::{Adapter, Asked, Refusal, Reply};
use crate::query::QueryError;
use crate::service::{CommitError, ItemResult, ShipError, Shipment, Shipped};
use crate::spent::{self, Stage};

/// Stands for any parameter among those of a route: some clients send many that mean nothing here.
pub(in crate::http) const ANY: &str = "<any>";

/// Stores the events of a request and answers when they are durable.
pub(super) async fn ship<A: Adapter>(request: Box<Admitted>) -> Answer {
    let outcome = if request.route.parameters.contains(&ANY) { Ok(()) } else { request.parameters().map(drop) };
    let outcome = outcome.and(refuse_pages(&request));
    let segments = (0..request.segments.len()).map(|at| request.segment(at)).collect::<Result<Vec<_>, _>>();
    let Admitted { app, grant, network, mut parts, body, .. } = *request;
    let segments = match outcome.and(segments) {
        Ok(segments) => segments,
        Err(error) => {
            body::discard(&parts.headers, body);
            return Err(error);
        }
    };
    let receipts = parts.extensions.remove::<Receipts>();
    let secret = parts.extensions.remove::<WebhookSecret>();
    let asked = Asked::new(parts.uri.path(), segments, parts.uri.query(), parts.headers).signed_with(secret);
    let asked = Arc::new(asked);
    let shipping = Exchange { app, grant, network, asked: Arc::clone(&asked), receipts };
    shipping.answer::<A>(body).await.map_err(|mut error| {
        error.asked = Some(asked);
        error
    })
}

/// The same for a delivery to the topic in the path. One that must be signed needs no key.
pub(super) async fn webhook(mut request: Box<Admitted>) -> Answer {
    let admitted = request.segment(0).and_then(|topic| match request.app.shared.gate.webhook_secret(&topic) {
        Some(secret) => Ok((Grant::signed(&topic), Some(secret))),
        None => {
            let (gate, headers) = (&request.app.shared.gate, &request.parts.headers);
            Ok((gate.admit_for(Scope::Publish, request.route.keys, headers)?, None))
        }
    });
    match admitted {
        Ok((grant, secret)) => {
            request.grant = grant;
            secret.into_iter().for_each(|secret| drop(request.parts.extensions.insert(secret)));
            ship::<Delivery>(request).await
        }
        Err(error) => {
            let Admitted { parts, body, .. } = *request;
            body::discard(&parts.headers, body);
            Err(error)
        }
    }
}

/// Answers a question about the server that clients of a protocol ask before they send.
pub(super) async fn probe(request: Box<Admitted>, answer: fn(&Asked) -> Reply) -> Answer {
    let segments = (0..request.segments.len()).map(|at| request.segment(at)).collect::<Result<Vec<_>, _>>();
    let Admitted { parts, body, .. } = *request;
    body::discard(&parts.headers, body);
    let asked = Asked::new(parts.uri.path(), segments?, parts.uri.query(), parts.headers);
    Ok(response(answer(&asked), None))
}

/// Refuses pages of other origins where no key is needed: a browser lets any page send some of the
/// media types that these routes take. A page whose origin is admitted names none any more.
///
/// # Errors
/// `forbidden`.
fn refuse_pages(request: &Admitted) -> Result<(), ApiError> {
    let headers = &request.parts.headers;
    let Some(origin) = headers.get(ORIGIN).filter(|_| request.app.shared.gate.is_open()) else { return Ok(()) };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).or(request
        .parts
        .uri
        .authority()
        .map(hyper::http::uri::Authority::as_str));
    let own = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    if own.is_some_and(|(_, authority)| Some(authority) == host) {
        return Ok(());
    }
    let message = "pages of other origins may not send events here while there are no keys; see --cors-origin";
    Err(ApiError::new(Code::Forbidden, message))
}

/// Words an error in the protocol's own way.
pub(super) fn refuse<A: Adapter>(error: ApiError) -> Response<Body> {
    let ApiError { code, message, asked, .. } = error;
    let refusal = Refusal::new(code, message);
    let mut response = response(A::refuse(&refusal, asked.as_deref()), None);
    if let Some(seconds) = code.retry_after_seconds() {
        response.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from(seconds));
    }
    if code == Code::RequestTimeout {
        // The rest of the body may still come, and must not be taken for a request.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// An answer that a protocol has worded. The memory that it takes is held until it is sent.
fn response(reply: Reply, memory: Option<HeldShare>) -> Response<Body> {
    let Reply { status, headers, body, trailers, hangs_up } = reply;
    let body: Body = match memory.filter(|_| body.len() > SMALL_BYTES_MAX) {
        Some(memory) => bytes::Bytes::from_owner(HeldText { text: body, memory }).into(),
        None if !trailers.is_empty() => Body::trailed(body.into(), trailers.into_iter().collect()),
        None => body.into(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(headers);
    if hangs_up {
        response.extensions_mut().insert(HangUp);
    }
    response
}

/// A request at work.
struct Exchange {
    app: App,
    grant: Grant,
    network: IpAddr,
    asked: Arc<Asked>,
    receipts: Option<Receipts>,
}

impl Exchange {
    async fn answer<A: Adapter>(self, body: RequestBody) -> Answer {
        let client = client_of(&self.grant, self.network);
        let received = self.receive::<A>(body, &client).await?;
        let Shipping { adapter, drafts, plan, digest } = self.read::<A>(received, &client).await?;
        let service = &self.app.shared.service;
        // Taken before anything is stored: afterwards it is too late to refuse.
        let mut memory = service.answers().hold(client.clone());
        if !memory.resize(adapter.answer_bytes()) {
            return Err(QueryError::AnswersFull.into());
        }
        let (topics, items) = (self.grant.limits(), drafts.len());
        let sender = sender_of(&self.grant, self.network);
        let shipment = Shipment { way: A::WAY, sender, topics, drafts, plan, digest, patience: A::PATIENCE };
        let (results, turn) = match service.ship(shipment).await {
            Ok(Shipped { results, turn }) => (results, turn),
            Err(ShipError::Commit(CommitError::Overloaded)) if A::TELLS_OVERLOAD_BY_ITEM => {
                (vec![ItemResult::Overloaded; items], None)
            }
            Err(error) => return Err(error.into()),
        };
        let response = response(adapter.answer(&self.asked, &results), Some(memory));
        if let Some((receipts, turn)) = self.receipts.zip(turn) {
            receipts.answered(turn);
        }
        Ok(response)
    }

    async fn receive<A: Adapter>(&self, body: RequestBody, client: &Client) -> Result<Received, ApiError> {
        let own = A::OWN_ENCODING.filter(|own| self.asked.header("content-encoding") == Some(own));
        let mut stripped = HeaderMap::new();
        let headers = if own.is_some() {
            stripped.extend(self.asked.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
            stripped.remove(CONTENT_ENCODING);
            &stripped
        } else {
            self.asked.headers()
        };
        let service = &self.app.shared.service;
        let head = BodyHead::read(headers);
        // Where overload is told item by item, the items must be known.
        let head = match head {
            Ok(head) if A::TELLS_OVERLOAD_BY_ITEM => head,
            Ok(head) if service.has_room_within(client, head.announced.max(1), A::PATIENCE).await => head,
            refused => {
                body::discard(headers, body);
                return Err(refused.err().unwrap_or_else(|| CommitError::Overloaded.into()));
            }
        };
        body::receive(headers, body, head, &self.app.shared.bodies, service.parses(), || client.clone()).await
    }

    /// Reads a body, on another thread if it is large.
    async fn read<A: Adapter>(&self, received: Received, client: &Client) -> Result<Shipping<A>, ApiError> {
        let room = self.app.shared.bodies.hold(client.clone());
        let is_small = received.bytes.len() <= PARSED_IN_PLACE_BYTES_MAX;
        let (asked, sender) = (Arc::clone(&self.asked), self.sender());
        let read = move || {
            let mut drafts = Drafts::new(now_ns(), room);
            let adapter = A::read(&asked, &received.bytes, &mut drafts)?;
            let plan = drafts.plan(adapter.by_content());
            let digest = match plan {
                IdPlan::Request => Some(RequestDigest::new(A::WAY, None, &received.bytes)),
                IdPlan::Counted => Some(RequestDigest::new(A::WAY, Some(&sender), &received.bytes)),
                IdPlan::Declared | IdPlan::Content | IdPlan::None => None,
            };
            Ok::<_, Refusal>(Shipping { adapter, drafts, plan, digest })
        };
        let parses = self.app.shared.service.parses();
        let outcome =
            if is_small { spent::time(Stage::Parse, read) } else { parses.run_always(client.clone(), read).await? };
        outcome.map_err(ApiError::from)
    }

    fn sender(&self) -> Peer {
        Peer {
            key: self.grant.key().map(|key| key.id.to_string()),
            address: self.network.to_string(),
            agent: self.asked.header("user-agent").unwrap_or_default().to_owned(),
        }
    }
}

/// A request that was read.
struct Shipping<A> {
    adapter: A,
    drafts: Drafts,
    plan: IdPlan,
    digest: Option<RequestDigest>,
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.message)
    }
}

impl From<ShipError> for ApiError {
    fn from(error: ShipError) -> Self {
        match error {
            ShipError::Commit(error) => error.into(),
            ShipError::Query(error) => error.into(),
            ShipError::Ingest(error) => error.into(),
        }
    }
}
