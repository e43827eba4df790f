//! The command line of Sekali.
//!
//! [`cli`] has one file per command. They run the server of `sekali-server`, or talk to one with
//! `sekali-client`: they read events with [`input`] or generate them with [`generate`], write what
//! they receive with [`export`], and measure with [`mod@bench`].

pub mod bench;
pub mod cli;
pub mod digits;
pub mod export;
pub mod generate;
pub mod input;
mod screen;
