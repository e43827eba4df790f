//! The service and the command line of Sekali.

pub mod bench;
pub mod cli;
pub mod client;
pub mod escape;
pub mod generate;
pub mod input;
