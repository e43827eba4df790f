//! The service over real sockets: every test starts a server of its own on a free port, with a directory of its own.

mod api_doc;
mod bad_input;
mod browser;
mod connections;
mod disk;
mod events;
mod publish;
mod restart;
mod server;
mod storage;
