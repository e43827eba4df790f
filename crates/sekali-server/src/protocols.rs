//! Other people's clients: one folder for each protocol that they speak.
//!
//! An [`Adapter`] reads the body of a request into [`Drafts`](crate::ingest::Drafts), and words the
//! outcomes and errors as its clients expect them. It stores nothing, waits for nothing, and knows
//! neither sockets nor routes. Everything of a protocol is in its folder.

mod adapter;
mod asked;
pub(crate) mod cloudevents;
pub(crate) mod elasticsearch;
#[doc(hidden)]
pub(crate) mod fuzzing;
pub(crate) mod generic;
pub(crate) mod hec;
mod json;
pub(crate) mod loki;
pub(crate) mod otlp;
mod places;
mod port;
mod protobuf;
mod refusal;
mod reply;
pub(crate) mod segment;
mod times;
pub(crate) mod webhooks;

pub(crate) use adapter::Adapter;
pub(crate) use asked::Asked;
pub use port::Port;
pub(crate) use refusal::Refusal;
pub(crate) use reply::Reply;

pub(crate) use times::of_json as time_of_json;

use places::Places;
