//! Bodies of requests about consumers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::answer::{ApiError, Code, Detail, wrong_parameter};
use crate::http::body::{BodyHead, discard, receive};
use crate::http::route::{Admitted, client_of};
use crate::limits::{CONSUMER_BODY_BYTES_MAX, CONSUMER_FILTERS_BYTES_MAX};

/// The body of `PUT /consumers/{name}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutBody {
    #[serde(default)]
    filters: BTreeMap<String, Value>,
    /// Where a new one begins.
    #[serde(default)]
    pub(super) from: Option<String>,
}

/// The body of `POST /consumers/{name}/ack`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AckBody {
    pub(super) cursor: String,
}

/// The body of `POST /consumers/{name}/reset`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetBody {
    pub(super) to: String,
}

impl PutBody {
    /// The filters, each value of an array as a parameter of its own.
    ///
    /// # Errors
    /// A value is neither text, number nor truth value, nor an array of such, or all are too long.
    pub(super) fn filters(&self) -> Result<Vec<(String, String)>, ApiError> {
        let mut filters = Vec::new();
        for (name, value) in &self.filters {
            let values = match value {
                Value::Array(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            };
            for value in values {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(truth) => truth.to_string(),
                    _ => {
                        return Err(wrong_parameter(
                            name,
                            "must be text, a number, true or false, or an array of these",
                            &[],
                        ));
                    }
                };
                filters.push((name.clone(), text));
            }
        }
        if filters.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > CONSUMER_FILTERS_BYTES_MAX {
            let message = format!("the filters of a consumer have at most {CONSUMER_FILTERS_BYTES_MAX} bytes");
            return Err(ApiError::new(Code::TooLarge, message));
        }
        Ok(filters)
    }
}

/// Reads the body of a request, which is a small JSON object.
///
/// # Errors
/// It is none, has other members than it may have, or is too large.
pub(super) async fn read_body<T: DeserializeOwned>(request: &mut Admitted) -> Result<T, ApiError> {
    let body = std::mem::replace(&mut request.body, Vec::new().into());
    let headers = &request.parts.headers;
    let head = match BodyHead::read(headers) {
        Ok(head) if head.announced <= CONSUMER_BODY_BYTES_MAX => head,
        refused => {
            discard(headers, body);
            return Err(refused.err().unwrap_or_else(too_large));
        }
    };
    let shared = &request.app.shared;
    let client = || client_of(&request.grant, request.network);
    let received = receive(headers, body, head, &shared.bodies, shared.service.parses(), client).await?;
    if received.bytes.len() > CONSUMER_BODY_BYTES_MAX {
        return Err(too_large());
    }
    let text: &[u8] = if received.bytes.is_empty() { b"{}" } else { &received.bytes };
    serde_json::from_slice(text).map_err(|error| {
        let message = format!("the body is not the JSON object that this route takes: {error}");
        let place = Detail::Place { line: error.line(), column: error.column(), reason: error.to_string() };
        ApiError::with(Code::InvalidJson, message, place)
    })
}

fn too_large() -> ApiError {
    ApiError::new(Code::TooLarge, format!("the body has more than {CONSUMER_BODY_BYTES_MAX} bytes"))
}
