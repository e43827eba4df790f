//! The service and the command line of Sekali.
//!
//! A request goes through [`http`] (read, decompress, answer), [`ingest`] (bytes to validated, encoded events) and
//! [`pipeline`] (bounded queue, one committer thread per partition) into the engine, `sekali-store`. [`server`] owns
//! the sockets and the order of starting and stopping; [`limits`] has every cap.

mod budget;
pub mod http;
pub mod ingest;
pub mod limits;
pub mod pipeline;
pub mod server;
