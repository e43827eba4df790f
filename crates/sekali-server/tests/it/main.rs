//! The service over real sockets. Every test starts its own server on a free port, with its own
//! directory.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod access;
mod api_doc;
mod api_examples;
mod ask;
mod bad_filters;
mod bad_input;
mod browser;
mod conflicts;
mod connections;
mod consumers;
mod context;
mod csv_answers;
mod damage;
mod disk;
mod dry_run;
mod dup_race;
mod duplicates;
mod error_codes;
mod events;
mod fuzz_corpus;
mod hosts;
mod metrics;
#[cfg(target_os = "linux")]
mod neighbours;
mod openapi;
#[cfg(target_os = "linux")]
mod overload;
mod overloaded;
mod pages;
mod proofs;
mod publish;
mod reads;
mod request_ids;
mod restart;
mod retention;
mod server;
mod shippers;
#[cfg(target_os = "linux")]
mod slow_clients;
mod sql;
mod storage;
mod streams;
mod tables;
mod tails;
mod traversal;
