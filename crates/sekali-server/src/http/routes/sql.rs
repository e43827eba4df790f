//! `POST /sql`

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::http::answer::{AnswerFormat, ApiError, Body, Code, HeldText, json_text, media};
use crate::http::body::{self, BodyHead};
use crate::http::parameters::Parameters;
use crate::http::reading::within;
use crate::http::route::{Admitted, Answer};
use crate::limits::SQL_WITHIN_DEFAULT;
use crate::query::QueryError;
use crate::sql::{SqlFormat, SqlParameter, SqlStatement, SqlView};

/// How many events were read for an answer that cannot say so itself.
const READ_EVENTS: HeaderName = HeaderName::from_static("x-read-events");
/// How long it took, in seconds.
const READ_SECONDS: HeaderName = HeaderName::from_static("x-read-seconds");

/// Answers a statement that reads stored events.
pub(super) async fn sql(request: Box<Admitted>) -> Answer {
    let (client, view) = (request.client(), SqlView::of(&request.grant));
    let head = head(&request);
    let Admitted { app, parts, body, .. } = *request;
    let (head, is_json, format, within) = match head {
        Ok(head) => head,
        Err(error) => {
            body::discard(&parts.headers, body);
            return Err(error);
        }
    };
    let service = &app.shared.service;
    let received =
        body::receive(&parts.headers, body, head, &app.shared.bodies, service.parses(), || client.clone()).await?;
    let (text, parameters) = if is_json { parse_json(&received.bytes)? } else { (utf8(&received.bytes)?, Vec::new()) };
    drop(received);
    let statement = SqlStatement { text, parameters, format, within };
    let answer = service.sql(client.clone(), view, statement).await?;
    let mut memory = service.answers().hold(client);
    if !memory.resize(answer.text.capacity()) {
        return Err(QueryError::AnswersFull.into());
    }
    let (events, seconds) = (answer.events, answer.time.as_secs_f64());
    let mut response = with_layout(Bytes::from_owner(HeldText { text: answer.text, memory }), format);
    let headers = response.headers_mut();
    headers.insert(READ_EVENTS, HeaderValue::from(events));
    // A number in decimal notation, which headers take.
    let _ = HeaderValue::from_str(&format!("{seconds:.6}")).map(|seconds| headers.insert(READ_SECONDS, seconds));
    Ok(response)
}

/// Reads everything but the body.
fn head(request: &Admitted) -> Result<(BodyHead, bool, SqlFormat, std::time::Duration), ApiError> {
    let parameters = request.parameters()?;
    let headers = &request.parts.headers;
    let within = if parameters.get("within").is_some() { within(&parameters)? } else { SQL_WITHIN_DEFAULT };
    Ok((BodyHead::read(headers)?, is_json(headers)?, format(&parameters, headers)?, within))
}

/// Whether the body is JSON; otherwise it is the statement itself.
fn is_json(headers: &HeaderMap) -> Result<bool, ApiError> {
    let value = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let essence = value.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Ok(true),
        "application/sql" => Ok(false),
        // Pages of other origins may send forms and plain text without asking, and these are not.
        _ => {
            let message = "Content-Type must be application/sql for a statement, or application/json for \
                           {\"sql\": …, \"parameters\": […]}; with curl: -H 'content-type: application/sql'";
            Err(ApiError::new(Code::UnsupportedMediaType, message))
        }
    }
}

fn format(parameters: &Parameters<'_>, headers: &HeaderMap) -> Result<SqlFormat, ApiError> {
    if parameters.get("format").is_some() {
        let formats = [("json", SqlFormat::Json), ("ndjson", SqlFormat::Ndjson), ("csv", SqlFormat::Csv)];
        return parameters.choose("format", &formats);
    }
    Ok(match media::preferred_format(headers) {
        AnswerFormat::Json | AnswerFormat::Parquet => SqlFormat::Json,
        AnswerFormat::Ndjson => SqlFormat::Ndjson,
        AnswerFormat::Csv => SqlFormat::Csv,
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SqlRequest {
    sql: String,
    #[serde(default)]
    parameters: Vec<Value>,
}

fn parse_json(body: &[u8]) -> Result<(String, Vec<SqlParameter>), ApiError> {
    let wrong = |reason: String| {
        let message = format!("the body must be {{\"sql\": \"SELECT …\", \"parameters\": […]}}: {reason}");
        ApiError::new(Code::InvalidJson, message)
    };
    // A structure may be read from an array, too.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(wrong("it is no object".to_owned()));
    }
    let request: SqlRequest = serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))?;
    let parameters = request.parameters.into_iter().enumerate().map(|(at, value)| {
        parameter(value).ok_or_else(|| {
            let reason = "must be a text, a number of 64 bits, true, false or null";
            ApiError::new(Code::InvalidSql, format!("value {} of the parameters {reason}", at + 1))
        })
    });
    Ok((request.sql, parameters.collect::<Result<_, _>>()?))
}

fn parameter(value: Value) -> Option<SqlParameter> {
    match value {
        Value::Null => Some(SqlParameter::Null),
        Value::Bool(is) => Some(SqlParameter::Integer(i64::from(is))),
        Value::String(text) => Some(SqlParameter::Text(text)),
        Value::Number(number) => {
            let real = || number.as_f64().filter(|number| number.is_finite()).map(SqlParameter::Real);
            number.as_i64().map(SqlParameter::Integer).or_else(real)
        }
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn utf8(body: &[u8]) -> Result<String, ApiError> {
    let text = std::str::from_utf8(body).map(str::to_owned);
    text.map_err(|_| ApiError::new(Code::InvalidSql, "the statement is not UTF-8"))
}

fn with_layout(text: Bytes, format: SqlFormat) -> Response<Body> {
    let media_type = match format {
        SqlFormat::Json => return json_text(text),
        SqlFormat::Ndjson => media::NDJSON,
        SqlFormat::Csv => media::CSV,
    };
    let mut response = Response::new(text.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
