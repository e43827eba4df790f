//! The Sekali server: a request goes through [`http`] (read, decompress, answer), [`ingest`] (bytes to validated, encoded
//! events) and [`pipeline`] (bounded queue, two committer threads per partition) into the engine, `sekali-store`.
//!
//! [`server`] owns the sockets and the order of starting and stopping; [`limits`] has every cap. `filter` selects events
//! for readers. [`access`] decides what a key may do.

pub mod access;
mod budget;
pub mod clock;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod ingest;
pub mod limits;
pub mod pipeline;
pub mod scrub;
pub mod server;
#[doc(hidden)]
pub mod timeouts;
