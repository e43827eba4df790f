//! The names under which tables hold events: CSV, SQLite and Parquet have the same ones.

/// What producers send, in the order of [`EVENT`]'s users everywhere.
pub const EVENT: [&str; 5] = ["topic", "event_id", "timestamp", "source", "payload"];
/// What the server adds. Exports have it, imports pass over it.
pub const ADDED: [&str; 2] = ["seq", "received_at"];
