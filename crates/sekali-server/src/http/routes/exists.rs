//! `POST /exists`

use serde::Serialize;

use crate::http::answer::{held_json, media};
use crate::http::body::{self, BodyHead};
use crate::http::route::{Admitted, Answer, client_of};
use crate::ingest::read_keys;
use crate::limits::PARSED_IN_PLACE_BYTES_MAX;

/// Which keys are known.
pub(super) async fn exists(request: Box<Admitted>) -> Answer {
    let headers = &request.parts.headers;
    let head = request.parameters().and_then(|_| Ok((media::body_format(headers)?, BodyHead::read(headers)?)));
    let (format, head) = match head {
        Ok(head) => head,
        Err(error) => {
            body::discard(headers, request.body);
            return Err(error);
        }
    };
    let (app, grant, network) = (&request.app, &request.grant, request.network);
    let client = || client_of(grant, network);
    let service = &app.shared.service;
    let received = body::receive(headers, request.body, head, &app.shared.bodies, service.parses(), client).await?;
    let (target, topics) = (*service.target(), grant.limits());
    let is_large = received.bytes.len() > PARSED_IN_PLACE_BYTES_MAX;
    let parse = move || read_keys(&received.bytes, format, topics.as_ref(), &target);
    let keys = if is_large { service.parses().run_always(client(), parse).await? } else { parse() };
    let exists = service.known(client(), keys?).await?;
    let known = exists.iter().filter(|exists| **exists).count();
    held_json(service, client(), &ExistsAnswer { received: exists.len(), known, exists })
}

#[derive(Debug, Serialize)]
struct ExistsAnswer {
    received: usize,
    known: usize,
    /// In request order.
    exists: Vec<bool>,
}
