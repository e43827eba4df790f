//! Names of the columns of events, the same in CSV, SQLite and Parquet.

/// The columns of producers, in the order that all formats use.
pub const EVENT: [&str; 5] = ["topic", "event_id", "timestamp", "source", "payload"];
/// The columns that the server adds. Exports contain them, imports ignore them.
pub const ADDED: [&str; 2] = ["seq", "received_at"];
