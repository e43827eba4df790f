//! The service and the command line of Sekali.
//!
//! A request goes through [`http`] (read, decompress, answer), [`ingest`] (bytes to validated, encoded events) and
//! [`pipeline`] (bounded queue, two committer threads per partition) into the engine, `sekali-store`. [`server`] owns
//! the sockets and the order of starting and stopping, [`tls`] makes something of certificate files; [`limits`] has every
//! cap. `filter` says which events a reader is looking for, and `json` reads their payloads for it. [`access`] says who
//! may do what.
//!
//! On the other side of the socket, [`cli`] has one file per command. They read events with [`input`] or make them
//! with [`generate`], send them with [`client`], write what they get with [`export`], and measure with [`mod@bench`]. None
//! of these knows the engine.

pub mod access;
pub mod bench;
mod budget;
mod cells;
pub mod cli;
pub mod client;
mod clock;
mod columns;
pub mod digits;
pub mod escape;
pub mod export;
mod filter;
mod formula;
#[doc(hidden)]
pub mod fuzzing;
pub mod generate;
pub mod http;
pub mod ingest;
pub mod input;
mod json;
pub mod limits;
pub mod pipeline;
pub mod scrub;
pub mod server;
#[doc(hidden)]
pub mod timeouts;
pub mod tls;
