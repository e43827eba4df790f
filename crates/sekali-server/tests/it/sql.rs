//! Statements of SQL over stored events.

mod differential;
mod statements;

use std::sync::Arc;

use sekali_server::server::Internals;
use sekali_store::Tuning;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::server::{Answer, TestServer};

/// A server with three partitions that seals after a few events, and holds others in its logs.
fn small_files() -> TestServer {
    let mut tuning = Tuning { log_file_bytes: 2_000, seal_in_background: false, ..Tuning::default() };
    tuning.index.table_entries = 5;
    let internals = Internals { tuning, ..Internals::on(Arc::new(RealDisk)) };
    TestServer::start_inside(internals, |config| config.partitions = 3)
}

/// Sends a statement.
fn ask(server: &TestServer, statement: &str) -> Answer {
    ask_at(server, "/sql", statement)
}

/// Sends a statement, with parameters of the request.
fn ask_at(server: &TestServer, path: &str, statement: &str) -> Answer {
    let request = server.request("POST", path).header("content-type", "application/sql");
    request.body(statement.to_owned()).send()
}

/// The rows of a complete answer.
#[track_caller]
fn rows(server: &TestServer, statement: &str) -> Value {
    let answer = ask(server, statement).expect_status(200).json();
    assert_eq!(answer["complete"], json!(true), "{statement}");
    answer["rows"].clone()
}
