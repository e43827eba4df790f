//! How an answer lays events out.

use super::media::{CSV, NDJSON, PARQUET};

/// Formats of events in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum AnswerFormat {
    /// One array: a page.
    Json,
    /// An event a line, as JSON.
    Ndjson,
    /// An event a row, below a header.
    Csv,
    /// A Parquet file.
    Parquet,
}

impl AnswerFormat {
    /// The names that clients have for them.
    pub(in crate::http) const NAMES: [(&'static str, Self); 4] =
        [("json", Self::Json), ("ndjson", Self::Ndjson), ("csv", Self::Csv), ("parquet", Self::Parquet)];

    /// Its name, which names of files end in.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The media type.
    pub(in crate::http) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => NDJSON,
            Self::Csv => CSV,
            Self::Parquet => PARQUET,
        }
    }

    /// Whether all events are sent as they are read, and not a page of them.
    pub(in crate::http) fn is_stream(self) -> bool {
        self != Self::Json
    }
}
