//! From the bytes of a request to encoded, hashed and routed events.
//!
//! The fast path reads the body once and borrows from it. At the first problem its work is dropped,
//! and the slow path names every problem. The slow path also keeps the valid events when the client
//! asked for that.

mod batch_builder;
mod content;
mod diagnosis;
mod drafts;
mod fast;
mod fields;
mod keys;
mod members;
mod origins;
mod problem;
mod quarantine;
mod slow;
mod wire;

pub use batch_builder::{Accepted, Target};
pub use content::CONTENT_RULES;
pub(crate) use drafts::{Draft, Drafts, DraftsError, IdPlan, IdRule, ItemState, OnInvalid};
pub(crate) use keys::read_keys;
pub(crate) use origins::Origins;
pub(crate) use problem::excerpt;
pub use problem::{IngestError, Problem, Rejected};

use crate::access::Topics;
use batch_builder::BatchBuilder;

/// The layout of events in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One event, an array of events, or `{"events": [...]}`.
    Json,
    /// One event a line; blank lines are ignored.
    Ndjson,
}

/// The options of a request, and the topics that its client may publish to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options<'a> {
    /// Keep the valid events when others are not; otherwise one invalid event refuses the request.
    pub skip_invalid: bool,
    /// Remember the key of every event, to answer with it.
    pub keep_keys: bool,
    /// The topics that it may publish to, if not all: one valid event of another topic refuses the
    /// request.
    pub topics: Option<&'a Topics>,
}

/// Reads the events of a body and makes them ready to commit.
///
/// # Errors
/// A [`IngestError`], naming every problem up to
/// [`PROBLEMS_LISTED_MAX`](crate::limits::PROBLEMS_LISTED_MAX). Events that were left out because
/// of [`Options::skip_invalid`] are no error: they are in the answer.
pub fn ingest(body: &[u8], format: Format, options: Options<'_>, target: &Target) -> Result<Accepted, IngestError> {
    let text = text(body)?;
    let mut builder = BatchBuilder::new(target, options, text.len());
    if fast::read(text, format, &mut builder).is_ok() {
        return Ok(builder.finish(Rejected::default()));
    }
    slow::read(text, format, options, target)
}

/// JSON is UTF-8 (RFC 8259, 8.1); a byte order mark in front of it is tolerated.
fn text(body: &[u8]) -> Result<&str, IngestError> {
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = &body[..error.valid_up_to()];
            let line_start = good.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
            let column = good.len() - line_start + 1;
            Err(IngestError::NotJson { line, column, reason: not_text(body).to_owned() })
        }
    }
}

/// The likely reason why a body is not UTF-8, by its first bytes.
fn not_text(body: &[u8]) -> &'static str {
    match body {
        [0x1F, 0x8B, ..] => "the body is gzip: send it with `Content-Encoding: gzip`",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "the body is zstd: send it with `Content-Encoding: zstd`",
        [0x78, 0x01 | 0x5E | 0x9C | 0xDA, ..] => "the body looks like zlib: send it with `Content-Encoding: deflate`",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "the body is UTF-16: send UTF-8",
        _ => "not valid UTF-8",
    }
}

#[cfg(test)]
mod tests;
