//! Answers: their bodies, headers, errors and layouts.

mod body;
mod encoder;
mod error;
mod event_json;
mod headers;
mod held;
mod json;
mod layout;
pub(super) mod media;
mod sse;

pub use body::Body;
pub(super) use body::BrokenOff;
pub(super) use encoder::EventEncoder;
pub(super) use error::{ApiError, Detail, wrong_parameter};
pub(super) use event_json::{Layout, append_event};
pub(crate) use headers::HangUp;
pub use headers::HeaderClass;
pub(super) use headers::add_headers;
pub(super) use held::{ACK_CURSOR, HeldText, NEXT_CURSOR, RESUME_CURSOR, add_next_page, held_json};
pub(super) use json::{JSON, Json, json_text};
pub(super) use layout::AnswerFormat;
pub(super) use sekali_wire::error_code::Code;
pub(super) use sse::{EVENT_STREAM, LAST_EVENT_ID, ServerSentEvents};
