//! Groups of options that several commands share, and the values they take.

pub(super) mod data_dir;
pub(super) mod filter;
pub(super) mod generator;
pub(super) mod input_format;
pub(super) mod key;
pub(super) mod listen;
pub(super) mod log;
pub(super) mod ports;
pub(super) mod retain;
pub(super) mod server_url;
pub(super) mod times;
pub(super) mod tls;
pub(super) mod units;
