//! `GET /livez` and `GET /readyz`: neither waits for anything.

use axum::extract::State;
use axum::http::StatusCode;
use sekali_store::Reader;
use serde::Serialize;

use super::App;
use super::json::Json;
use crate::access::Grant;

/// Whether the process runs.
pub(super) async fn livez() -> Json<Live> {
    Json(Live { status: "live" })
}

/// Whether the service does its work. Anybody may ask; why it does not is told only to those who may know the store.
pub(super) async fn readyz(State(app): State<App>, State(grant): State<Grant>) -> (StatusCode, Json<Ready>) {
    let status = Status::of(&app);
    let code = if status == Status::Stopped { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let ready = if grant.sees_whole_store() {
        let reason = app.pipeline.stopped().map(|reason| reason.to_string());
        Ready { status, reason, damage: damage(&app) }
    } else {
        Ready { status, reason: None, damage: Vec::new() }
    };
    (code, Json(ready))
}

/// How the service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// All is well.
    Ready,
    /// It works, but something that is stored is damaged.
    Degraded,
    /// A write failed: it takes no more events, and ends.
    Stopped,
}

impl Status {
    /// How `app` does.
    pub(super) fn of(app: &App) -> Self {
        if app.pipeline.stopped().is_some() {
            Self::Stopped
        } else if app.readers.iter().any(|reader| !reader.damage().is_empty() || !reader.flaws().is_empty()) {
            Self::Degraded
        } else {
            Self::Ready
        }
    }
}

/// What is damaged, a line for each place.
pub(super) fn damage(app: &App) -> Vec<String> {
    let lost = app.readers.iter().flat_map(Reader::damage).map(|damage| damage.to_string());
    lost.chain(app.readers.iter().flat_map(Reader::flaws)).collect()
}

#[derive(Debug, Serialize)]
pub(super) struct Live {
    status: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Ready {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damage: Vec<String>,
}
