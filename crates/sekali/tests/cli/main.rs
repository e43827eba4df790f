//! The command line as people and scripts use it: the real binary, real sockets, exit codes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod ask;
mod backup;
mod end_to_end;
#[cfg(target_os = "linux")]
mod handover;
mod hostile;
mod keys;
mod other_user;
mod process;
mod publish;
mod read;
mod read_only_store;
mod scripted;
mod served;
mod shippers;
mod sigterm_drain;
mod slow;
mod sql;
mod start;
mod supply;
mod tail;
mod terminal;
mod tls;
mod transfer;
mod upgrade;
mod usage;
