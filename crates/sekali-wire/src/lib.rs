//! The text that a Sekali server and its clients exchange.
//!
//! - [`timestamp`]: RFC 3339 in, RFC 3339 out, nanoseconds between
//! - [`json`]: payloads as tokens, exact numbers and whole values; strings as JSON text
//! - [`csv`]: rows with cells that no spreadsheet executes; [`columns`]: names of the columns in
//!   every format
//! - [`error_code`]: every error of the API, in one table; [`stats`]: the counters
//! - [`secret`]: API keys as text
//! - [`escape`](mod@escape): untrusted text, shown without effect
//! - [`limits`]: the caps that both ends rely on
//!
//! This crate only computes: no I/O, no async, no clock, no randomness, and no engine.

pub mod columns;
pub mod csv;
pub mod error_code;
pub mod escape;
pub mod json;
pub mod limits;
pub mod secret;
pub mod stats;
pub mod timestamp;

/// The reserved topic that keeps events whose key was known with other content.
pub const CONFLICTS_TOPIC: &str = "$conflicts";
/// The reserved topic that keeps records that are no events, of clients that would repeat or drop
/// all others if one was refused.
pub const QUARANTINE_TOPIC: &str = "$quarantine";
