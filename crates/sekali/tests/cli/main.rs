//! The command line as people and scripts meet it: the real binary, real sockets, exit codes.

mod process;
mod publish;
mod read;
mod scripted;
mod usage;
