//! `GET /livez` and `GET /readyz`: neither waits for anything.

use hyper::StatusCode;
use sekali_wire::stats::Status;
use serde::Serialize;

use crate::http::answer::Json;
use crate::http::route::{Admitted, Answer};

/// Whether the process runs.
pub(super) async fn livez() -> Answer {
    Ok(Json(Live { status: "live" }).into_response())
}

/// Whether the service does its work. Every client may ask; the reason why it does not, only
/// clients that may know the store.
pub(super) async fn readyz(request: Box<Admitted>) -> Answer {
    let service = &request.app.shared.service;
    let status = service.status();
    let ready = if request.grant.sees_whole_store() {
        Ready { status, reason: service.refusal(), damage: service.damage() }
    } else {
        Ready { status, reason: None, damage: Vec::new() }
    };
    let mut response = Json(ready).into_response();
    if status == Status::Stopped {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

#[derive(Debug, Serialize)]
struct Live {
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct Ready {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damage: Vec<String>,
}
