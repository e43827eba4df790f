//! The command line as people and scripts meet it: the real binary, real sockets, exit codes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod backup;
mod end_to_end;
mod keys;
mod process;
mod publish;
mod read;
mod scripted;
mod served;
mod terminal;
mod transfer;
mod usage;
