//! The Sekali server.
//!
//! ```text
//!  sockets ──▶ listen ──▶ http ──▶ ingest ──▶ service ──▶ the engine, sekali-store
//!                         routes   batches    pipeline
//!                           └────▶ query ◀─── readers ◀──────┘
//! ```
//!
//! - [`server`]: starts and stops all of it in order
//! - [`listen`]: sockets, connections, the threads that serve them
//! - [`http`]: one door, one table of routes, answers
//! - `protocols`: other people's clients, one folder for each protocol they speak
//! - [`mapping`]: records of any shape as events, for the command line
//! - `identity`: where ids of events come from that have none of their own
//! - [`ingest`]: the bytes of a request to validated, encoded, routed events
//! - [`service`]: the running store: publish, find, read, count; its chores
//! - [`query`]: filters, cursors and scans over all partitions
//! - [`sql`]: statements of SQL over stored events
//! - `clients`: who a request counts for, and what one client may have of what all share
//! - `metrics`: numbers for Prometheus
//! - `spent`: where the time of a request goes
//! - `openapi`: the API described for programs
//! - `pages`: the dashboard, as files that browsers load
//! - [`consumers`]: named positions that are kept
//! - [`access`]: API keys and what each allows
//! - [`limits`]: every cap
//!
//! `service`, `query`, `sql` and `ingest` know no HTTP: a listener of another protocol needs these.

pub mod access;
mod clients;
pub mod clock;
pub mod consumers;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
mod identity;
pub mod ingest;
pub mod limits;
pub mod listen;
pub mod mapping;
mod metrics;
mod openapi;
mod pages;
mod payload_path;
mod protocols;
pub mod query;
pub mod server;
pub mod service;
mod spent;
pub mod sql;
#[doc(hidden)]
pub mod timeouts;
